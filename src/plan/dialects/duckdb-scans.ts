import { QueryError } from '../../core/index.ts'
import type { CsvScan, ScanSource, ValuesScan } from '../nodes.ts'
import { datum, identifier, literal } from './duckdb-literals.ts'
import { duckdbType } from './duckdb-types.ts'

const leastBuffer = 8 * 2 ** 20

type Scans = { readonly [F in ScanSource['format']]: (source: Extract<ScanSource, { format: F }>) => string }

const scans: Scans = {
  csv: (source) => `SELECT * FROM read_csv(${csvOptions(source)})`,
  json: (source) => {
    const format = { lines: 'newline_delimited', array: 'array', objects: 'unstructured' }[source.layout]
    return `SELECT * FROM read_json(${files(source.paths)}, format=${literal(format)}, sample_size=-1, union_by_name=true, hive_partitioning=false, maximum_object_size=${source.maxObjectBytes ?? 2 ** 26})`
  },
  parquet: ({ paths, partitions = [] }) => {
    const types = partitions.map(({ name, type }) => `${literal(name)}: ${duckdbType(type)}`)
    const hive = types.length === 0 ? 'false' : `true, hive_types={${types.join(', ')}}`
    // Folders above the table count for DuckDB too: what they say is taken out again.
    const named = new Set(paths[0]?.split(/[\\/]/).flatMap((folder) => /^([^=]+)=/.exec(folder)?.[1] ?? []))
    const above = [...named].filter(
      (name) => !partitions.some((partition) => partition.name === decodeURIComponent(name)),
    )
    const columns = types.length === 0 || above.length === 0 ? '*' : `* EXCLUDE (${above.map(identifier).join(', ')})`
    return `SELECT ${columns} FROM read_parquet(${files(paths)}, union_by_name=true, hive_partitioning=${hive})`
  },
  // A delimiter that no text holds makes every line one field.
  lines: (source) =>
    `SELECT * FROM read_csv(${csvOptions({
      format: 'csv',
      paths: source.paths,
      delimiter: '\x1f\x1e\x1f',
      quote: '',
      escape: '',
      comment: '',
      skipLines: 0,
      columns: ['line'],
      ignoreErrors: false,
      rejects: undefined,
      maxLineBytes: 4 * 2 ** 20,
    })})`,
  stored: ({ engine, name }) => {
    if (engine === 'duckdb') return `SELECT * FROM ${name}`
    throw new QueryError({
      operation: 'query',
      problem: `a table that is stored on ${engine} cannot be read by the embedded engine in one query`,
      hint: "Bring it here first: await table.on('duckdb')",
    })
  },
  table: ({ name }) => `SELECT * FROM ${name.map(identifier).join('.')}`,
  values,
}

export function duckdbScan(source: ScanSource): string {
  return (scans[source.format] as (source: ScanSource) => string)(source)
}

function files(paths: readonly string[]): string {
  return `[${paths.map(literal).join(', ')}]`
}

function csvOptions(source: CsvScan): string {
  const columns = source.columns.map((name) => `${literal(name)}: 'VARCHAR'`)
  return [
    files(source.paths),
    'auto_detect=false',
    'hive_partitioning=false',
    `delim=${literal(source.delimiter)}`,
    `quote=${literal(source.quote)}`,
    `escape=${literal(source.escape)}`,
    ...(source.comment === '' ? [] : [`comment=${literal(source.comment)}`]),
    'header=false',
    `skip=${source.skipLines}`,
    `max_line_size=${source.maxLineBytes}`,
    // Its default is sixteen times the longest line, a thread: too much under a small memory limit.
    `buffer_size=${Math.max(2 * source.maxLineBytes, leastBuffer)}`,
    `columns={${columns.join(', ')}}`,
    ...(source.ignoreErrors ? ['ignore_errors=true'] : []),
    ...(source.rejects === undefined
      ? []
      : [
          'store_rejects=true',
          'rejects_limit=0',
          `rejects_table=${literal(source.rejects)}`,
          `rejects_scan=${literal(`${source.rejects}_scans`)}`,
        ]),
  ].join(', ')
}

function values({ columns, rows }: ValuesScan): string {
  const typed = columns.map(
    ({ name, type }) => `CAST(${identifier(name)} AS ${duckdbType(type)}) AS ${identifier(name)}`,
  )
  const body =
    rows.length === 0
      ? `(${columns.map(() => 'NULL').join(', ')})`
      : rows.map((row) => `(${row.map(datum).join(', ')})`).join(', ')
  const names = columns.map(({ name }) => identifier(name)).join(', ')
  return `SELECT ${typed.join(', ')} FROM (VALUES ${body}) AS __v(${names})${rows.length === 0 ? ' WHERE false' : ''}`
}
