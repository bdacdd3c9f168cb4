import type { FileHandle } from 'node:fs/promises'
import { DataError, Tensor, bytesPerElement, sizeOf, typedArray } from '../core/index.ts'
import type { FieldSpec } from './dataset.ts'
import type { ExampleField, Examples } from './examples.ts'

/**
 * The file of examples: blocks of `blockSize` examples one after the other (the last one shorter), then the index as
 * JSON, then its length as 8 bytes little-endian and 8 bytes of mark. Within a block the fields follow in the index's
 * order, each array padded to 8 bytes; a bag is its offsets, ids and weights. Numbers are in the machine's order
 * (little-endian everywhere Node.js runs): the file is a spill, not a format to exchange.
 */
const mark = Buffer.from('FATHOMX1', 'latin1')

/** Where a block is, and how many ids each of its bags holds. */
export interface BlockEntry {
  readonly position: number
  readonly bytes: number
  readonly size: number
  readonly bagIds: Readonly<Record<string, number>>
}

export interface FileIndex {
  readonly size: number
  readonly blockSize: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  readonly blocks: readonly BlockEntry[]
}

const padded = (bytes: number) => Math.ceil(bytes / 8) * 8

/** The bytes of a block, its fields in the order of `fields`. */
export function encodeBlock(
  examples: Examples,
  fields: Readonly<Record<string, FieldSpec>>,
  position: number,
): { entry: BlockEntry; bytes: Uint8Array } {
  const arrays: ArrayBufferView[] = []
  const bagIds: Record<string, number> = {}
  for (const name of Object.keys(fields)) {
    const field = examples.fields[name]!
    if (field.kind === 'dense') arrays.push(field.tensor.data)
    else {
      arrays.push(field.offsets, field.ids, field.weights)
      bagIds[name] = field.ids.length
    }
  }
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + padded(array.byteLength), 0))
  let at = 0
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
    at += padded(array.byteLength)
  }
  return { entry: { position, bytes: bytes.length, size: examples.size, bagIds }, bytes }
}

/** Reads a block. @throws DataError when the file ends inside it. */
export async function decodeBlock(
  handle: FileHandle,
  path: string,
  fields: Readonly<Record<string, FieldSpec>>,
  { position, bytes, size, bagIds }: BlockEntry,
): Promise<Examples> {
  const buffer = new ArrayBuffer(bytes)
  await readExactly(handle, path, new Uint8Array(buffer), position)
  const decoded: Record<string, ExampleField> = {}
  let at = 0
  const next = <T>(bytes: number, make: (offset: number) => T): T => {
    const made = make(at)
    at += padded(bytes)
    return made
  }
  for (const [name, spec] of Object.entries(fields)) {
    if (spec.kind === 'dense') {
      const shape = [size, ...spec.shape]
      const length = sizeOf(shape)
      const data = next(length * bytesPerElement[spec.dtype], (offset) =>
        typedArray(spec.dtype, length, buffer, offset),
      )
      decoded[name] = { kind: 'dense', tensor: new Tensor(spec.dtype, shape, data) }
    } else {
      const count = bagIds[name] ?? 0
      const offsets = next((size + 1) * 4, (offset) => new Int32Array(buffer, offset, size + 1))
      const ids = next(count * 4, (offset) => new Int32Array(buffer, offset, count))
      const weights = next(count * 4, (offset) => new Float32Array(buffer, offset, count))
      decoded[name] = { kind: 'bag', offsets, ids, weights }
    }
  }
  return { size, fields: decoded }
}

export function serializeIndex(index: FileIndex): Uint8Array {
  const json = Buffer.from(JSON.stringify(index), 'utf8')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([json, length, mark])
}

/** @throws DataError when the file is not whole or not of examples. */
export async function parseIndex(handle: FileHandle, path: string): Promise<FileIndex> {
  const { size } = await handle.stat()
  const tail = Buffer.alloc(16)
  if (size >= 16) await readExactly(handle, path, tail, size - 16)
  const length = Number(tail.readBigUInt64LE(0))
  if (size < 16 || !tail.subarray(8).equals(mark) || length > size - 16) {
    throw new DataError({
      operation: 'read examples',
      expected: `${path} to be a whole file of encoded examples`,
      received: size < 16 ? `${size} bytes` : 'another ending',
      hint: 'It is truncated or something else; encode the data again',
    })
  }
  const json = Buffer.alloc(length)
  await readExactly(handle, path, json, size - 16 - length)
  try {
    return JSON.parse(json.toString('utf8')) as FileIndex
  } catch (cause) {
    throw new DataError({ operation: 'read examples', problem: `the index of ${path} is damaged`, cause })
  }
}

async function readExactly(handle: FileHandle, path: string, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) {
      throw new DataError({ operation: 'read examples', problem: `${path} ends before its data does` })
    }
    done += bytesRead
  }
}
