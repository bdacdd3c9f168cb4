/**
 * The one zip layout that bundles have: entries stored (never compressed) one after another, contents aligned to 64
 * bytes, fixed dates, no comments, ZIP64 records where sizes need them. Any unzip reads it. Since the layout is a pure
 * function of the entries, a reader checks every byte of it by laying it out again; overlapping, hidden, compressed or
 * encrypted entries (zip bombs among them) cannot exist in it.
 */
export interface ZipEntry {
  readonly name: string
  readonly size: number
  readonly crc: number
  /** Where the entry's local header begins. */
  readonly offset: number
}

const localSignature = 0x04034b50
const centralSignature = 0x02014b50
const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locator64Signature = 0x07064b50
const max32 = 0xffffffff
const max16 = 0xffff
/** 1980-01-01, the format's zero: equal contents give equal files. */
const date = 0x0021
const alignment = 64
/** The extra field that zip aligners use for padding. */
const paddingId = 0xd935
export const endSize = 22
const end64Size = 56
const locator64Size = 20

class Bytes {
  private readonly parts: number[] = []
  u16(value: number): this {
    this.parts.push(value & 0xff, (value >>> 8) & 0xff)
    return this
  }
  u32(value: number): this {
    return this.u16(value & max16).u16(value >>> 16)
  }
  u64(value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32))
  }
  ascii(text: string): this {
    for (let i = 0; i < text.length; i++) this.parts.push(text.charCodeAt(i))
    return this
  }
  zeros(count: number): this {
    for (let i = 0; i < count; i++) this.parts.push(0)
    return this
  }
  get length(): number {
    return this.parts.length
  }
  done(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.parts)
  }
}

function isLarge({ size, offset }: ZipEntry): boolean {
  return size >= max32 || offset >= max32
}

/** The header before an entry's contents. Its length depends on name, size and offset only, not on the checksum. */
export function localHeader(entry: ZipEntry): Uint8Array<ArrayBuffer> {
  const large = isLarge(entry)
  const fixed = 30 + entry.name.length + (large ? 20 : 0) + 6
  const padding = (alignment - ((entry.offset + fixed) % alignment)) % alignment
  const bytes = new Bytes()
    .u32(localSignature)
    .u16(large ? 45 : 10)
    .u16(0) // flags
    .u16(0) // stored
    .u16(0) // time
    .u16(date)
    .u32(entry.crc)
    .u32(large ? max32 : entry.size)
    .u32(large ? max32 : entry.size)
    .u16(entry.name.length)
    .u16(fixed - 30 - entry.name.length + padding)
    .ascii(entry.name)
  if (large) bytes.u16(1).u16(16).u64(entry.size).u64(entry.size)
  return bytes
    .u16(paddingId)
    .u16(2 + padding)
    .u16(alignment)
    .zeros(padding)
    .done()
}

/** Central directory and end records of an archive whose entries end at `start`. */
export function centralDirectory(entries: readonly ZipEntry[], start: number): Uint8Array<ArrayBuffer> {
  const bytes = new Bytes()
  for (const entry of entries) {
    const large = isLarge(entry)
    bytes
      .u32(centralSignature)
      .u16((3 << 8) | (large ? 45 : 10)) // made on Unix
      .u16(large ? 45 : 10)
      .u16(0)
      .u16(0)
      .u16(0)
      .u16(date)
      .u32(entry.crc)
      .u32(large ? max32 : entry.size)
      .u32(large ? max32 : entry.size)
      .u16(entry.name.length)
      .u16(large ? 28 : 0)
      .u16(0) // comment
      .u16(0) // disk
      .u16(0) // internal attributes
      .u32((0o100644 << 16) >>> 0)
      .u32(large ? max32 : entry.offset)
      .ascii(entry.name)
    if (large) bytes.u16(1).u16(24).u64(entry.size).u64(entry.size).u64(entry.offset)
  }
  const size = bytes.length
  const large = start >= max32 || size >= max32 || entries.length >= max16
  if (large) {
    bytes
      .u32(end64Signature)
      .u64(end64Size - 12)
      .u16((3 << 8) | 45)
      .u16(45)
      .u32(0)
      .u32(0)
      .u64(entries.length)
      .u64(entries.length)
      .u64(size)
      .u64(start)
    bytes
      .u32(locator64Signature)
      .u32(0)
      .u64(start + size)
      .u32(1)
  }
  return bytes
    .u32(endSignature)
    .u16(0)
    .u16(0)
    .u16(large ? max16 : entries.length)
    .u16(large ? max16 : entries.length)
    .u32(large ? max32 : size)
    .u32(large ? max32 : start)
    .u16(0)
    .done()
}

/** Where the central directory begins, from the file's last bytes (at least `endSize + 76` of them, or all). */
export function directoryStart(tail: Uint8Array): number | undefined {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const end = tail.length - endSize
  if (end < 0 || view.getUint32(end, true) !== endSignature) return undefined
  const start = view.getUint32(end + 16, true)
  if (start !== max32 && view.getUint16(end + 10, true) !== max16) return start
  const end64 = end - locator64Size - end64Size
  if (end64 < 0 || view.getUint32(end64, true) !== end64Signature) return start
  return Number(view.getBigUint64(end64 + 48, true))
}

/** The entries that a central directory lists. Undefined where its bytes are not one. */
export function parseDirectory(bytes: Uint8Array): ZipEntry[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: ZipEntry[] = []
  let position = 0
  while (position + 46 <= bytes.length && view.getUint32(position, true) === centralSignature) {
    const nameLength = view.getUint16(position + 28, true)
    const extraLength = view.getUint16(position + 30, true)
    const extra = position + 46 + nameLength
    if (extra + extraLength > bytes.length) return undefined
    const name = String.fromCharCode(...bytes.subarray(position + 46, extra))
    const crc = view.getUint32(position + 16, true)
    let size = view.getUint32(position + 24, true)
    let offset = view.getUint32(position + 42, true)
    if (size === max32 && extraLength === 28) {
      size = Number(view.getBigUint64(extra + 4, true))
      offset = Number(view.getBigUint64(extra + 20, true))
    }
    if (!Number.isSafeInteger(size) || !Number.isSafeInteger(offset)) return undefined
    entries.push({ name, size, crc, offset })
    position = extra + extraLength + view.getUint16(position + 32, true)
  }
  return entries
}
