import { bytesOf, compressionOf } from './bytes.ts'

/** The lines, from 1, on which the given bytes of a (decompressed) file lie, newlines inside quotes counted. */
export async function physicalLines(path: string, positions: readonly number[]): Promise<number[]> {
  if (positions.length === 0) return []
  const order = positions.map((position, index) => ({ position, index })).sort((a, b) => a.position - b.position)
  const lines: number[] = Array.from({ length: positions.length })
  let line = 1
  let offset = 0
  let next = 0
  let returned = false
  for await (const piece of bytesOf(path, await compressionOf(path))) {
    for (let i = 0; i < piece.length; i++) {
      while (next < order.length && order[next]!.position <= offset + i) lines[order[next++]!.index] = line
      const byte = piece[i]
      if (byte === 10) {
        if (!returned) line++
        returned = false
      } else {
        returned = byte === 13
        if (returned) line++
      }
    }
    offset += piece.length
    if (next >= order.length) break
  }
  while (next < order.length) lines[order[next++]!.index] = line
  return lines
}
