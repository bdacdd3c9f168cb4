import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { basename, join } from 'node:path'
import { DataError, FileError, OptionError } from '../core/index.ts'
import { bytesOf, type Compression, compressionOf } from './bytes.ts'
import { describe, errorCode, formatExtension } from './files.ts'
import { foreignBinary } from './foreign.ts'

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1'] as const
export type Encoding = (typeof encodings)[number]

/** A text file that an engine can read: UTF-8, its first part decoded for a look. */
export interface TextFile {
  /** What the user named. */
  readonly source: string
  /** What the engine reads: the same file, or a UTF-8 copy. */
  readonly path: string
  readonly encoding: Encoding
  readonly compression: Compression
  /** Bytes of text, decompressed. */
  readonly bytes: number
  /** The first part, without a byte order mark, cut at a line's end unless `whole`. */
  readonly sample: string
  readonly whole: boolean
}

export interface TextOptions {
  readonly encoding?: Encoding | undefined
  /** A folder for UTF-8 copies. */
  readonly scratch: () => Promise<string>
}

const sampleBytes = 1 << 20
const peekBytes = 1 << 16

/**
 * Finds the encoding by looking at the whole file (UTF-8 is proved, not guessed; what is not UTF-8 is Windows-1252, a
 * superset of ISO 8859-1's text) and makes a UTF-8 copy where the engine could not read the file itself.
 * @throws DataError for binary content, FileError when the copy cannot be written.
 */
export async function openText(source: string, options: TextOptions): Promise<TextFile> {
  const compression = await compressionOf(source)
  const { encoding, bytes, start } = await examine(source, compression, options.encoding)
  const text = decode(start, encoding)
  const whole = bytes <= start.length
  const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'))
  const sample = whole || end < 0 ? text : text.slice(0, end + 1)
  const readable = encoding === 'utf-8' && (compression === 'none' || suffixTells(source, compression))
  const path = readable ? source : await copy(source, compression, encoding, await options.scratch())
  return { source, path, encoding, compression, bytes, sample, whole }
}

/** The first part of a text, its encoding judged by that part alone. */
export async function peek(path: string, given?: Encoding): Promise<string> {
  const compression = await compressionOf(path)
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of bytesOf(path, compression)) {
    pieces.push(piece)
    length += piece.length
    if (length >= peekBytes) break
  }
  const start = Buffer.concat(pieces).subarray(0, peekBytes)
  const cut = length > peekBytes ? completeUtf8(start) : start.length
  const encoding = given ?? byMarkOrZeros(start) ?? (isUtf8(start.subarray(0, cut)) ? 'utf-8' : 'windows-1252')
  if (!encoding.startsWith('utf-16')) refuseBinary(path, start)
  const text = decode(start, encoding)
  return length > peekBytes ? text.slice(0, text.lastIndexOf('\n') + 1 || undefined) : text
}

function suffixTells(path: string, compression: Compression): boolean {
  return path.endsWith(compression === 'gzip' ? '.gz' : '.zst')
}

interface Examined {
  readonly encoding: Encoding
  readonly bytes: number
  readonly start: Buffer
}

async function examine(path: string, compression: Compression, given: Encoding | undefined): Promise<Examined> {
  if (given !== undefined && !encodings.includes(given)) {
    throw new OptionError({
      operation: `read ${path}`,
      expected: `an encoding of ${encodings.join(', ')}`,
      received: given,
    })
  }
  const first: Uint8Array[] = []
  let kept = 0
  let bytes = 0
  let valid = true
  let carry: Uint8Array = new Uint8Array(0)
  let encoding = given
  for await (const piece of bytesOf(path, compression)) {
    if (kept < sampleBytes) {
      first.push(piece)
      kept += piece.length
      if (encoding === undefined && kept >= 4) encoding = byMarkOrZeros(Buffer.concat(first))
    }
    bytes += piece.length
    if (valid && encoding === undefined) {
      const joined = carry.length === 0 ? piece : Buffer.concat([carry, piece])
      const cut = completeUtf8(joined)
      valid = isUtf8(joined.subarray(0, cut))
      carry = joined.slice(cut)
    }
  }
  if (carry.length > 0) valid = false
  const start = Buffer.concat(first).subarray(0, sampleBytes)
  const found = encoding ?? (valid ? 'utf-8' : 'windows-1252')
  if (!found.startsWith('utf-16')) refuseBinary(path, start)
  return { encoding: found, bytes, start }
}

/** How many bytes make whole UTF-8 sequences; at most three are left over. */
function completeUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function byMarkOrZeros(start: Buffer): Encoding | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le'
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be'
  const look = start.subarray(0, 4096)
  let even = 0
  let odd = 0
  for (let i = 0; i + 1 < look.length; i += 2) {
    if (look[i] === 0) even++
    if (look[i + 1] === 0) odd++
  }
  const pairs = look.length / 2
  if (odd > pairs * 0.7 && even < pairs * 0.1) return 'utf-16le'
  if (even > pairs * 0.7 && odd < pairs * 0.1) return 'utf-16be'
  return undefined
}

function refuseBinary(path: string, start: Buffer): void {
  let control = 0
  for (const byte of start) if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12) control++
  if (control <= start.length * 0.01) return
  foreignBinary(path, start)
  throw new DataError({
    operation: `read ${path}`,
    expected: 'text',
    received: 'binary data',
    hint: `Text, Parquet, Arrow, pictures and IDX files can be read; the name ends in ".${formatExtension(path)}"`,
  })
}

function decode(bytes: Buffer, encoding: Encoding): string {
  // `stream` leaves out an incomplete character at the cut.
  return new TextDecoder(encoding).decode(bytes, { stream: true })
}

async function copy(path: string, compression: Compression, encoding: Encoding, folder: string): Promise<string> {
  return rewrite(path, bytesOf(path, compression), encoding, folder, (text) => text)
}

/** The file again with every line end outside quotes as one "\n": what mixed line ends need. */
export async function withPlainLineEnds(file: TextFile, quote: string, folder: string): Promise<string> {
  let quoted = false
  let afterReturn = false
  const pattern = quote === '' ? /\r\n?|\n/g : new RegExp(`\\r\\n?|\\n|${quote === '|' ? '\\|' : quote}`, 'g')
  return rewrite(file.source, bytesOf(file.source, file.compression), file.encoding, folder, (text) => {
    const from = afterReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') afterReturn = text.endsWith('\r')
    return text.slice(from).replace(pattern, (match) => {
      if (match === quote) {
        quoted = !quoted
        return match
      }
      return quoted ? match : '\n'
    })
  })
}

let copies = 0

async function rewrite(
  source: string,
  bytes: AsyncIterable<Uint8Array>,
  encoding: Encoding,
  folder: string,
  change: (text: string) => string,
): Promise<string> {
  const target = join(folder, `${++copies}-${basename(source).replace(/\.(gz|zst)$/i, '')}`)
  const out = createWriteStream(target, { highWaterMark: 1 << 20 })
  const decoder = new TextDecoder(encoding)
  const failed = once(out, 'error').then(([error]: unknown[]) => {
    throw new FileError({
      operation: `read ${source}`,
      problem: `a UTF-8 copy in ${folder} failed: ${describe(errorCode(error))}`,
      hint: 'Free disk space, or choose another temporary directory',
      cause: error,
    })
  })
  failed.catch(() => undefined)
  try {
    for await (const piece of bytes) {
      if (!out.write(change(decoder.decode(piece, { stream: true })))) await Promise.race([once(out, 'drain'), failed])
    }
    out.end(change(decoder.decode()))
    await Promise.race([once(out, 'close'), failed])
  } finally {
    out.destroy()
  }
  return target
}
