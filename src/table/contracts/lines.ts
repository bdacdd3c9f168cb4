import { createReadStream } from 'node:fs'
import type { ReadReport } from '../../sources/index.ts'

/**
 * The lines on which rows of data start, where the file says so plainly: one uncompressed delimited file in UTF-8 or a
 * single-byte encoding of which no row was left out. Newlines inside quotes are lines too. Undefined elsewhere.
 */
export async function linesOfRows(
  report: ReadReport | undefined,
  rows: readonly number[],
): Promise<ReadonlyMap<number, number> | undefined> {
  if (report === undefined || rows.length === 0 || report.files.length !== 1 || report.badRows.count > 0)
    return undefined
  const [file] = report.files
  const delimited = report.format === 'csv' || report.format === 'tsv'
  if (!delimited && report.format !== 'ndjson') return undefined
  if (/\.(?:gz|zst|zip|bz2)$/i.test(file!) || /utf-?16/i.test(report.encoding ?? '')) return undefined
  const quote = delimited ? (report.quote ?? '"').charCodeAt(0) : Number.NaN
  const wanted = new Set(rows)
  const last = Math.max(...rows)
  const lines = new Map<number, number>()
  let row = delimited && report.header === true ? -1 : 0
  let line = 1
  let start = 1
  let [quoted, empty, returned] = [false, true, false]
  const end = (): void => {
    if (!empty) {
      row++
      if (wanted.has(row)) lines.set(row, start)
    }
    empty = true
  }
  for await (const piece of createReadStream(file!) as AsyncIterable<Buffer>) {
    for (const byte of piece) {
      if (byte === 10 && returned) {
        returned = false
        start = empty ? line : start
        continue
      }
      returned = byte === 13
      if (byte === 10 || byte === 13) {
        if (!quoted) end()
        line++
        if (empty) start = line
      } else {
        if (empty) start = line
        empty = false
        if (byte === quote) quoted = !quoted
      }
    }
    if (row >= last) break
  }
  end()
  return lines
}
