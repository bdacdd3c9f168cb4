import { basename, dirname, join } from 'node:path'
import { DataError, type DType, FileError, Tensor, type TypedArrays } from '../core/index.ts'
import { bytesOf, compressionOf } from './bytes.ts'
import { filesUnder, statusOf } from './files.ts'

/** Pictures and their labels as an IDX pair holds them (LeCun's MNIST format). */
export interface IdxSet {
  /** uint8 [n, height, width] for the usual files. */
  readonly images: Tensor
  /** int32 [n]. */
  readonly labels: Tensor<'int32'>
  readonly files: readonly [images: string, labels: string]
}

export interface IdxFolder {
  readonly train: IdxSet
  /** The folder's own test set. */
  readonly test: IdxSet | undefined
}

interface ElementType {
  readonly dtype: DType
  readonly bytes: number
  readonly read: (data: DataView, offset: number) => number
}

const elementTypes: Readonly<Record<number, ElementType>> = {
  0x08: { dtype: 'uint8', bytes: 1, read: (data, offset) => data.getUint8(offset) },
  0x09: { dtype: 'int32', bytes: 1, read: (data, offset) => data.getInt8(offset) },
  0x0b: { dtype: 'int32', bytes: 2, read: (data, offset) => data.getInt16(offset) },
  0x0c: { dtype: 'int32', bytes: 4, read: (data, offset) => data.getInt32(offset) },
  0x0d: { dtype: 'float32', bytes: 4, read: (data, offset) => data.getFloat32(offset) },
  0x0e: { dtype: 'float64', bytes: 8, read: (data, offset) => data.getFloat64(offset) },
}
/** More than any machine here holds: what a damaged header would ask for. */
const mostBytes = 64 * 2 ** 30

/** Whether bytes begin like an IDX file. */
export function isIdx(start: Uint8Array): boolean {
  return (
    start.length >= 4 &&
    start[0] === 0 &&
    start[1] === 0 &&
    elementTypes[start[2]!] !== undefined &&
    start[3]! >= 1 &&
    start[3]! <= 8
  )
}

/**
 * One IDX file, gzipped or not.
 * @throws DataError when it is no IDX file, too short or too long.
 */
export async function readIdx(path: string): Promise<Tensor> {
  const operation = `read ${path}`
  let header = Buffer.alloc(0)
  let shape: number[] | undefined
  let type: ElementType | undefined
  let data: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  let filled = 0
  let size = 0
  for await (const piece of bytesOf(path, await compressionOf(path))) {
    let rest: Uint8Array = piece
    if (shape === undefined) {
      header = Buffer.concat([header, piece])
      if (header.length < 4) continue
      if (!isIdx(header)) break
      const rank = header[3]!
      const start = 4 + 4 * rank
      if (header.length < start) continue
      const dimensions = Array.from({ length: rank }, (_, i) => header.readUInt32BE(4 + 4 * i))
      shape = dimensions
      type = elementTypes[header[2]!]!
      size = dimensions.reduce((product, dimension) => product * dimension, type.bytes)
      if (size > mostBytes) break
      data = new Uint8Array(size)
      rest = header.subarray(start)
    }
    if (filled + rest.length > size) {
      throw new DataError({ operation, expected: `${size} bytes of data for [${shape.join(', ')}]`, received: 'more' })
    }
    data.set(rest, filled)
    filled += rest.length
  }
  if (shape === undefined || type === undefined) {
    throw new DataError({
      operation,
      expected: 'an IDX file',
      received: header.length === 0 ? 'an empty file' : 'something else',
    })
  }
  if (filled !== size) {
    throw new DataError({
      operation,
      expected: `${size} bytes of data for [${shape.join(', ')}]`,
      received: `${filled}: the file is cut off`,
      hint: 'Fetch the file again',
    })
  }
  if (type.dtype === 'uint8') return new Tensor('uint8', shape, data)
  const out = new Tensor(type.dtype, shape)
  const view = new DataView(data.buffer)
  const values = out.data as TypedArrays['float64' | 'float32' | 'int32']
  for (let i = 0; i < values.length; i++) values[i] = type.read(view, i * type.bytes)
  return out
}

const imagesName = /images?/i
const testName = /(?:^|[^a-z])(?:t10k|test)/i

function labelsOf(images: string): string {
  return images.replace(imagesName, 'labels').replace(/idx3/i, 'idx1')
}

/**
 * Pictures with their labels: from a folder (`train-images…` and `train-labels…`, `t10k-…` or `test-…` for its test set)
 * or from a file of pictures, whose labels lie beside it.
 * @throws DataError when a file is damaged or the numbers of pictures and labels differ, FileError when one is missing.
 */
export async function readIdxFolder(path: string): Promise<IdxFolder> {
  if ((await statusOf(path)) === 'file') {
    return { train: await readPair(dirname(path), basename(path)), test: undefined }
  }
  const files = (await filesUnder(path, 1)).filter(
    (name) => imagesName.test(basename(name)) && /idx|ubyte/i.test(basename(name)),
  )
  const test = files.find((name) => testName.test(basename(name)))
  const train = files.find((name) => name !== test)
  if (train === undefined) {
    throw new FileError({
      operation: `read ${path}`,
      problem: 'there is no file of training pictures',
      hint: 'MNIST calls it train-images-idx3-ubyte, with .gz or without',
    })
  }
  return { train: await readPair(path, train), test: test === undefined ? undefined : await readPair(path, test) }
}

async function readPair(folder: string, images: string): Promise<IdxSet> {
  const paths = [join(folder, images), await labelsPath(folder, images)] as const
  const [pictures, labels] = await Promise.all(paths.map(readIdx))
  if (
    pictures === undefined ||
    labels === undefined ||
    labels.shape.length !== 1 ||
    labels.shape[0] !== pictures.shape[0]
  ) {
    throw new DataError({
      operation: `read ${paths[1]}`,
      expected: `${pictures?.shape[0]} labels, one for each picture`,
      received: `[${labels?.shape.join(', ')}]`,
    })
  }
  return {
    images: pictures,
    labels: new Tensor('int32', labels.shape, Int32Array.from(labels.data as Uint8Array)),
    files: paths,
  }
}

async function labelsPath(folder: string, images: string): Promise<string> {
  const wanted = join(folder, labelsOf(images))
  for (const candidate of [wanted, `${wanted}.gz`, wanted.replace(/\.gz$/, '')]) {
    if ((await statusOf(candidate)) === 'file') return candidate
  }
  throw new FileError({ operation: `read ${join(folder, images)}`, problem: `its labels, ${wanted}, are not there` })
}
