import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BundleError, Tensor, bytesPerElement, dtypes, sizeOf, typedArray } from '../core/index.ts'
import { readSafetensors, writeSafetensors } from './index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-safetensors-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A file with this header over `data` bytes of zeros. */
async function file(header: unknown, data: number): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(json.length))
  const path = join(folder, 'made.safetensors')
  await writeFile(path, Buffer.concat([prefix, json, Buffer.alloc(data)]))
  return path
}

const f32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
})

test('any tensors come back as they were', async () => {
  const path = join(folder, 'any.safetensors')
  const tensor = fc
    .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(4), { maxLength: 3 }), seed: fc.nat(255) })
    .map(({ dtype, shape, seed }) => {
      const data = typedArray(dtype, sizeOf(shape))
      const bytes = new Uint8Array(data.buffer)
      for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === 'bool' ? i % 2 : (seed + i * 37) % 256
      return new Tensor(dtype, shape, data)
    })
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.string({ maxLength: 9 }).filter((s) => s !== '__metadata__'),
        tensor,
      ),
      async (tensors) => {
        await writeSafetensors(path, tensors, { force: true, metadata: { by: 'test' } })
        const read = await readSafetensors(path)
        expect(read.metadata).toEqual({ by: 'test' })
        expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort())
        for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
          const other = read.tensors[name]!
          expect([other.dtype, other.shape]).toEqual([dtype, shape])
          expect(Buffer.compare(Buffer.from(other.data.buffer), Buffer.from(data.buffer))).toBe(0)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('tensors are aligned to their elements and begin at a multiple of 64', async () => {
  const path = join(folder, 'aligned.safetensors')
  await writeSafetensors(path, {
    a: new Tensor('uint8', [3]),
    b: new Tensor('float64', [1]),
    c: new Tensor('float32', [5]),
    d: new Tensor('bfloat16', [1]),
  })
  const bytes = await readFile(path)
  const length = Number(bytes.readBigUInt64LE())
  expect((8 + length) % 64).toBe(0)
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, { data_offsets: number[] }>
  const widths = { a: 1, b: 8, c: 4, d: 2 }
  for (const [name, width] of Object.entries(widths)) expect(header[name]!.data_offsets[0]! % width).toBe(0)
  expect(bytes.length).toBe(8 + length + 3 + 8 + 20 + 2)
})

test('a header as other programs write it is read', async () => {
  const path = await file({ __metadata__: { format: 'pt' }, w: f32(0, 8, [2, 1]), s: f32(8, 12, []) }, 12)
  const { tensors, metadata } = await readSafetensors(path)
  expect(metadata).toEqual({ format: 'pt' })
  expect(tensors['w']!.shape).toEqual([2, 1])
  expect(tensors['s']!.shape).toEqual([])
})

test.each([
  ['tensors that overlap', { a: f32(0, 8), b: f32(4, 12) }, 12, /one after another.*overlapping/],
  ['a hole', { a: f32(0, 4), b: f32(8, 12) }, 12, /hole/],
  ['bytes that no tensor takes', { a: f32(0, 4) }, 8, /4 bytes of tensors; received 8/],
  ['a tensor past the end', { a: f32(0, 400) }, 8, /400 bytes of tensors; received 8/],
  ['offsets that fall', { a: f32(8, 0, [2]) }, 8, /rising data_offsets/],
  ['an offset that is not whole', { a: { dtype: 'F32', shape: [1], data_offsets: [0.5, 4.5] } }, 8, /data_offsets/],
  ['a shape of another size', { a: f32(0, 8, [3]) }, 8, /12 bytes for tensor "a"/],
  ['a shape that overflows', { a: f32(0, 8, [2 ** 50, 2 ** 50]) }, 8, /received 8 bytes/],
  ['a negative dimension', { a: f32(0, 8, [-1, -2]) }, 8, /whole numbers/],
  ['an element type Fathom has not', { a: { ...f32(0, 4), dtype: 'F8_E4M3' } }, 4, /one of F32.*F8_E4M3/],
  ['a tensor that is a list', { a: [] }, 0, /an object for tensor "a"/],
  ['metadata that is not text', { __metadata__: { a: 1 } }, 0, /__metadata__/],
  ['a list as header', [], 0, /JSON object/],
  ['text that is not JSON', '{"a":', 0, /JSON header/],
] as const)('%s is refused', async (_name, header, data, message) => {
  const error: unknown = await readSafetensors(await file(header, data)).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(BundleError)
  expect((error as BundleError).message).toMatch(message)
})

test('a header length past the end, or absurd, is refused before memory is taken', async () => {
  const path = join(folder, 'length.safetensors')
  for (const length of [1n, 100n, 2n ** 40n, 2n ** 64n - 1n]) {
    const prefix = Buffer.alloc(8)
    prefix.writeBigUInt64LE(length)
    await writeFile(path, prefix)
    await expect(readSafetensors(path)).rejects.toThrow(/a header within the file's 8 bytes/)
  }
  await writeFile(path, '1234')
  await expect(readSafetensors(path)).rejects.toThrow(/at least 8 bytes/)
})

test('the name that the format keeps for itself is refused', async () => {
  const write = writeSafetensors(join(folder, 'name'), { __metadata__: new Tensor('float32', [1]) })
  await expect(write).rejects.toThrow(/another tensor name/)
})

test('booleans other than 0 and 1 are refused', async () => {
  const path = join(folder, 'bool.safetensors')
  await writeSafetensors(path, { b: new Tensor('bool', [2], Uint8Array.of(1, 2)) })
  await expect(readSafetensors(path)).rejects.toThrow(/0 or 1 in the boolean tensor "b"/)
  expect(bytesPerElement.bool).toBe(1)
})
