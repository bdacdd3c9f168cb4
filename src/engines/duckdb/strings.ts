import duckdb from '@duckdb/node-bindings'

const inlineLength = 12
const cacheSize = 4096
const maxRunBytes = 1 << 20
/** Two strings of a heap lie at most this far apart; both ends are then on mapped pages, and so is all between. */
const maxGap = 64

/**
 * Reads DuckDB's 16-byte string headers (length, then either the text itself or a prefix and a pointer). Short strings
 * go through a cache keyed by the header, so that a category column decodes each value once; long ones are fetched from
 * native memory in runs of neighbours.
 */
export class StringReader {
  private readonly cachedWords = new Int32Array(cacheSize * 4).fill(-1)
  private readonly cached: string[] = []

  /** Writes strings `from` … `from + count` of the vector's headers to `out` at `at`; `valid` leaves out missing rows. */
  read(
    headers: Uint8Array,
    from: number,
    count: number,
    valid: (row: number) => boolean,
    out: (string | null)[],
    at: number,
  ): void {
    const words = new Int32Array(headers.buffer, headers.byteOffset, headers.byteLength / 4)
    const bytes = Buffer.from(headers.buffer, headers.byteOffset, headers.byteLength)
    let run: Buffer | undefined
    let runStart = 0
    let runEnd = 0
    for (let i = 0; i < count; i++) {
      const row = from + i
      if (!valid(row)) {
        out[at + i] = null
        continue
      }
      const length = words[row * 4]! >>> 0
      if (length <= inlineLength) {
        out[at + i] = this.short(words, bytes, row, length)
        continue
      }
      const start = pointer(words, row)
      if (run === undefined || start < runStart || start + length > runEnd) {
        runStart = start
        runEnd = runOf(words, row, from + count, valid)
        const data = duckdb.get_data_from_pointer(
          headers.buffer as ArrayBuffer,
          headers.byteOffset + row * 16 + 8,
          runEnd - runStart,
        )
        run = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      }
      out[at + i] = run.toString('utf8', start - runStart, start - runStart + length)
    }
  }

  private short(words: Int32Array, bytes: Buffer, row: number, length: number): string {
    if (length === 0) return ''
    const w = row * 4
    const a = words[w]!
    const b = words[w + 1]!
    const c = words[w + 2]!
    const d = words[w + 3]!
    let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f)
    hash = (hash ^ (hash >>> 15)) & (cacheSize - 1)
    const slot = hash * 4
    const cache = this.cachedWords
    if (cache[slot] === a && cache[slot + 1] === b && cache[slot + 2] === c && cache[slot + 3] === d) {
      return this.cached[hash]!
    }
    const text = bytes.toString('utf8', row * 16 + 4, row * 16 + 4 + length)
    cache[slot] = a
    cache[slot + 1] = b
    cache[slot + 2] = c
    cache[slot + 3] = d
    this.cached[hash] = text
    return text
  }
}

function pointer(words: Int32Array, row: number): number {
  return (words[row * 4 + 3]! >>> 0) * 2 ** 32 + (words[row * 4 + 2]! >>> 0)
}

/** The end address of the neighbours in memory that begin with this row's string. */
function runOf(words: Int32Array, row: number, end: number, valid: (row: number) => boolean): number {
  const start = pointer(words, row)
  let stop = start + (words[row * 4]! >>> 0)
  for (let next = row + 1; next < end; next++) {
    const length = words[next * 4]! >>> 0
    if (length <= inlineLength || !valid(next)) continue
    const at = pointer(words, next)
    if (at < stop || at - stop > maxGap || at + length - start > maxRunBytes) break
    stop = at + length
  }
  return stop
}
