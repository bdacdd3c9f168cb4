import type { DuckDBConnection, Json } from '@duckdb/node-api'
import type { RejectedRow } from '../engine.ts'

const problems: Readonly<Record<string, RejectedRow['problem']>> = {
  'TOO MANY COLUMNS': 'tooManyFields',
  'MISSING COLUMNS': 'tooFewFields',
  'UNQUOTED VALUE': 'quoting',
  'INVALID STATE': 'quoting',
  'INVALID ENCODING': 'encoding',
  'LINE SIZE OVER MAXIMUM': 'tooLong',
}

/** The most rejected rows that are told one by one; all are counted. */
const most = 1000

/** Reads and removes the notes that CSV scans left on this connection. */
export async function takeRejects(
  connection: DuckDBConnection,
  scans: readonly string[],
): Promise<{ rejected: RejectedRow[]; count: number }> {
  const rejected: RejectedRow[] = []
  let count = 0
  for (const name of scans) {
    const exists = await connection.runAndReadAll(
      `SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = '${name}'`,
    )
    if (exists.currentRowCount === 0) continue
    const counted = await connection.runAndReadAll(`SELECT count(DISTINCT (file_id, line)) FROM ${name}`)
    count += Number(counted.getRowsJS()[0]?.[0] ?? 0)
    const rows = await connection.runAndReadAll(
      `SELECT file_path, line, byte_position, error_type::VARCHAR, error_message, csv_line
       FROM ${name} JOIN ${name}_scans USING (scan_id, file_id)
       QUALIFY row_number() OVER (PARTITION BY file_id, line ORDER BY byte_position) = 1
       ORDER BY file_id, line LIMIT ${most - rejected.length}`,
    )
    for (const [path, line, byte, type, message, text] of rows.getRowsJson()) {
      rejected.push({
        path: told(path),
        line: Number(line),
        byte: Math.max(0, Number(byte ?? 1) - 1),
        problem: problems[told(type)] ?? 'other',
        message: told(message).trim(),
        text: told(text),
      })
    }
    await connection.run(`DROP TABLE IF EXISTS ${name}`)
    await connection.run(`DROP TABLE IF EXISTS ${name}_scans`)
  }
  return { rejected, count }
}

/** A JSON value that is text, or nothing. */
export function told(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
