const magic = 0x184d2204

/**
 * Decompresses an LZ4 frame whose size is known, into exactly that many bytes: a damaged frame can neither write past them
 * nor ask for more. Checksums are skipped. Format: LZ4 frame 1.6.4 and block descriptions.
 * @throws RangeError
 */
export function lz4Decompress(source: Uint8Array, size: number): Uint8Array {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  if (view.getUint32(0, true) !== magic) throw new RangeError('not an LZ4 frame')
  const flags = view.getUint8(4)
  if (flags >> 6 !== 1) throw new RangeError('an LZ4 frame of another version')
  const blockChecksum = (flags & 0x10) !== 0
  // Magic, flags, block descriptor, optional content size and dictionary id, header checksum.
  let at = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1
  const out = new Uint8Array(size)
  let written = 0
  for (;;) {
    const header = view.getUint32(at, true)
    at += 4
    if (header === 0) break
    const length = header & 0x7fffffff
    if (at + length > source.length) throw new RangeError('an LZ4 block that ends too early')
    if (header >>> 31 === 1) {
      if (written + length > size) throw new RangeError('more data than was said')
      out.set(source.subarray(at, at + length), written)
      written += length
    } else {
      written = block(source, at, at + length, out, written)
    }
    at += length + (blockChecksum ? 4 : 0)
  }
  if (written !== size) throw new RangeError(`${written} bytes where ${size} were said`)
  return out
}

/** Sequences of literals and a copy of what was written before. Returns where writing stopped. */
function block(source: Uint8Array, from: number, end: number, out: Uint8Array, start: number): number {
  let at = from
  let to = start
  const more = (base: number): number => {
    let length = base
    if (base < 15) return length
    for (;;) {
      if (at >= end) throw new RangeError('an LZ4 block that ends too early')
      const byte = source[at++]!
      length += byte
      if (byte !== 255) return length
    }
  }
  while (at < end) {
    const token = source[at++]!
    const literals = more(token >> 4)
    if (at + literals > end || to + literals > out.length) throw new RangeError('more data than was said')
    out.set(source.subarray(at, at + literals), to)
    at += literals
    to += literals
    if (at === end) break
    if (at + 2 > end) throw new RangeError('an LZ4 block that ends too early')
    const distance = source[at]! | (source[at + 1]! << 8)
    at += 2
    const length = more(token & 15) + 4
    if (distance === 0 || distance > to || to + length > out.length) throw new RangeError('a copy from outside')
    // Copies may overlap what they write: in that case byte by byte.
    if (distance >= length) out.copyWithin(to, to - distance, to - distance + length)
    else for (let i = 0; i < length; i++) out[to + i] = out[to + i - distance]!
    to += length
  }
  return to
}
