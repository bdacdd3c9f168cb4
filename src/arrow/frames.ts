import { DataError, FathomError } from '../core/index.ts'
import { FlatTable } from './flat.ts'

/** Bytes that can be read from any place: a file, or a buffer. */
export interface ByteSource {
  readonly size: number
  /** Exactly `length` bytes; callers stay within `size`. */
  read(offset: number, length: number): Promise<Uint8Array>
}

export const magic = 'ARROW1'
const continuation = 0xffffffff
/** Metadata describes columns and buffers: past this it is damaged, not large. */
const mostMetadata = 256 * 2 ** 20
/** A message holds one batch. Past this it could not be held in one buffer. */
const mostBody = 2 ** 31

const kinds = ['none', 'schema', 'dictionary', 'batch', 'tensor', 'sparseTensor'] as const

/** One message as a decoder takes it: prefix, metadata and body together. */
export interface ArrowMessage {
  readonly kind: 'schema' | 'dictionary' | 'batch'
  readonly bytes: Uint8Array
  /** Byte of the source at which it begins. */
  readonly offset: number
  /** Rows that a batch says it has. */
  readonly rows: number
  /** Of dictionaries: which, and whether it adds to what was there. */
  readonly dictionary: { readonly id: number; readonly delta: boolean } | undefined
}

export function fromBytes(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)) }
}

export function damaged(operation: string, received: string, cause?: unknown): DataError {
  return new DataError({
    operation,
    expected: 'a whole Arrow file or stream',
    received,
    hint: 'Fetch the file again, or check what wrote it',
    cause,
  })
}

/**
 * The messages of an Arrow IPC file or stream, one in memory at a time. A file is its stream between two marks, so both are
 * read in the same way; lengths are checked against what there is before anything is taken.
 * @throws DataError with the byte at which it is damaged.
 */
export async function* arrowMessages(source: ByteSource, operation: string): AsyncGenerator<ArrowMessage, void, void> {
  let offset = 0
  let end = source.size
  if ((await text(source, 0, magic.length)) === magic) {
    if ((await text(source, source.size - magic.length, magic.length)) !== magic) {
      throw damaged(operation, `a file without its end (${source.size} bytes, no mark after them)`)
    }
    const footer = source.size >= 18 ? await uint32(source, source.size - 10) : 0
    end = source.size - 10 - footer
    offset = 8
    if (footer <= 0 || end < offset) throw damaged(operation, 'a file whose footer does not fit into it')
  }
  let first = true
  while (offset + 4 <= end) {
    const message = await messageAt(source, offset, end, operation)
    if (message === undefined) return
    if (first && message.kind !== 'schema') throw damaged(operation, `a ${message.kind} before the schema`)
    first = false
    yield message
    offset += message.bytes.length
  }
  if (first) throw damaged(operation, source.size === 0 ? 'an empty one' : 'no schema')
  if (offset < end) throw damaged(operation, `${end - offset} bytes after the last message, at byte ${offset}`)
}

async function messageAt(
  source: ByteSource,
  offset: number,
  end: number,
  operation: string,
): Promise<ArrowMessage | undefined> {
  let prefix = 4
  let length = await uint32(source, offset)
  if (length === continuation) {
    if (offset + 8 > end) throw damaged(operation, `a message that ends too early, at byte ${offset}`)
    prefix = 8
    length = await uint32(source, offset + 4)
  }
  if (length === 0) return undefined
  if (length > mostMetadata || offset + prefix + length > end) {
    throw damaged(
      operation,
      `a message of ${length} bytes of metadata where ${end - offset - prefix} are left, at byte ${offset}`,
    )
  }
  const metadata = await source.read(offset + prefix, length)
  try {
    const message = FlatTable.root(metadata)
    const kind = kinds[message.byte(1)] ?? 'none'
    const header = message.table(2)
    const body = message.long(3)
    if (body < 0 || body > mostBody || offset + prefix + length + body > end) {
      throw damaged(
        operation,
        `a message of ${body} bytes where ${end - offset - prefix - length} are left, at byte ${offset}`,
      )
    }
    if (header === undefined || (kind !== 'schema' && kind !== 'dictionary' && kind !== 'batch')) {
      throw damaged(operation, `a message of kind "${kind}", at byte ${offset}`)
    }
    if (kind === 'schema' && header.short(0) === 1) {
      throw new DataError({
        operation,
        expected: 'little-endian values',
        received: 'an Arrow schema that says big-endian',
        hint: 'Write the file again on a little-endian machine',
      })
    }
    return {
      kind,
      bytes: await source.read(offset, prefix + length + body),
      offset,
      rows: kind === 'batch' ? header.long(0) : 0,
      dictionary: kind === 'dictionary' ? { id: header.long(0), delta: header.byte(2) !== 0 } : undefined,
    }
  } catch (cause) {
    if (cause instanceof FathomError) throw cause
    throw damaged(operation, `metadata that cannot be read, at byte ${offset}`, cause)
  }
}

async function uint32(source: ByteSource, offset: number): Promise<number> {
  const bytes = await source.read(offset, 4)
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
}

async function text(source: ByteSource, offset: number, length: number): Promise<string> {
  if (offset < 0 || offset + length > source.size) return ''
  return Buffer.from(await source.read(offset, length)).toString('latin1')
}
