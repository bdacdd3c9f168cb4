import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { CancelledError, DataError, FileError, bytesPerElement, sizeOf } from '../core/index.ts'
import { type BlockEntry, type FileIndex, decodeBlock, encodeBlock, parseIndex, serializeIndex } from './codec.ts'
import type { Dataset, FieldSpec } from './dataset.ts'
import type { Examples } from './examples.ts'
import { checkExamples, concatExamples, gatherExamples, sliceExamples, specDifference, specsOf } from './gather.ts'
import { RowDataset } from './rows.ts'
import type { Loaded, Store } from './store.ts'

export interface WriteExamplesOptions {
  /** Bytes a block aims at: what is read together. Default 1 MiB. */
  readonly blockBytes?: number
  readonly signal?: AbortSignal
}

/**
 * Writes encoded examples to `path` as they come, never holding more than a block and one piece of `source`. The file
 * appears under its name when it is whole. Returns the number of examples.
 * @throws ShapeError when the pieces' fields differ; DataError when there are none; FileError; CancelledError.
 */
export async function writeExamples(
  path: string,
  source: AsyncIterable<Examples> | Iterable<Examples>,
  { blockBytes = 2 ** 20, signal }: WriteExamplesOptions = {},
): Promise<number> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx')
    let size: number
    try {
      size = await writeBlocks(handle, source, blockBytes, signal)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    return size
  } catch (error) {
    await rm(temporary, { force: true })
    throw fileError('write examples', path, error)
  }
}

async function writeBlocks(
  handle: FileHandle,
  source: AsyncIterable<Examples> | Iterable<Examples>,
  blockBytes: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let fields: Readonly<Record<string, FieldSpec>> | undefined
  let blockSize = 0
  let rest: Examples | undefined
  let position = 0
  const blocks: BlockEntry[] = []
  const write = async (examples: Examples, specs: Readonly<Record<string, FieldSpec>>) => {
    const { entry, bytes } = encodeBlock(examples, specs, position)
    await handle.write(bytes, 0, bytes.length, position)
    position += bytes.length
    blocks.push(entry)
  }
  for await (const piece of source) {
    if (signal?.aborted === true)
      throw new CancelledError({ operation: 'write examples', problem: 'writing was cancelled' })
    if (piece.size === 0) continue
    checkExamples('write examples', piece)
    fields ??= specsOf(piece)
    const difference = specDifference(fields, specsOf(piece))
    if (difference !== undefined) throw new DataError({ operation: 'write examples', ...difference })
    if (blockSize === 0) blockSize = Math.max(1, Math.min(65_536, Math.round(blockBytes / bytesAnExample(piece))))
    let all: Examples = rest === undefined ? piece : concatExamples([rest, piece])
    let begin = 0
    while (all.size - begin >= blockSize) {
      await write(sliceExamples(all, begin, begin + blockSize), fields)
      begin += blockSize
    }
    // A copy, so that a short rest does not keep the whole piece alive.
    all = sliceExamples(all, begin, all.size)
    rest =
      all.size === 0
        ? undefined
        : gatherExamples(
            all,
            Uint32Array.from({ length: all.size }, (_, i) => i),
          )
  }
  if (fields === undefined) throw new DataError({ operation: 'write examples', problem: 'there are no examples' })
  if (rest !== undefined) await write(rest, fields)
  const size = blocks.reduce((sum, block) => sum + block.size, 0)
  const bytes = serializeIndex({ size, blockSize, fields, blocks })
  await handle.write(bytes, 0, bytes.length, position)
  return size
}

function bytesAnExample(examples: Examples): number {
  let bytes = 0
  for (const field of Object.values(examples.fields)) {
    bytes +=
      field.kind === 'bag'
        ? 4 + (8 * field.ids.length) / examples.size
        : bytesPerElement[field.tensor.dtype] * sizeOf(field.tensor.shape.slice(1))
  }
  return Math.max(1, bytes)
}

export interface FromFileOptions {
  /** Bytes of examples held while reading: half in use, half being read ahead. Default 128 MiB. */
  readonly bufferBytes?: number
}

/**
 * The dataset in a file that `writeExamples` made, read window by window: shuffling mixes blocks over the whole file
 * and examples within a window.
 * @throws FileError when it cannot be read; DataError when it is truncated or something else.
 */
export async function fromFile(path: string, { bufferBytes = 2 ** 27 }: FromFileOptions = {}): Promise<Dataset> {
  try {
    const handle = await open(path, 'r')
    try {
      const index = await parseIndex(handle, path)
      return new RowDataset(new FileStore(path, index, bufferBytes))
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw fileError('read examples', path, error)
  }
}

class FileStore implements Store {
  readonly size: number
  readonly fields: Readonly<Record<string, FieldSpec>>
  readonly blockSize: number
  readonly windowSize: number
  private readonly path: string
  private readonly index: FileIndex

  constructor(path: string, index: FileIndex, bufferBytes: number) {
    this.path = path
    this.index = index
    this.size = index.size
    this.fields = index.fields
    this.blockSize = index.blockSize
    const bytes = index.blocks.reduce((sum, block) => sum + block.bytes, 0)
    const perExample = bytes / Math.max(1, index.size)
    this.windowSize = Math.max(1, Math.floor(bufferBytes / 2 / Math.max(1, perExample)))
  }

  async load(rows: Uint32Array, signal?: AbortSignal): Promise<Loaded> {
    const { blockSize, blocks } = this.index
    // Rows of one block are taken from one reading of it, wherever they stand in the order asked for.
    const order = Uint32Array.from({ length: rows.length }, (_, i) => i)
    if (!rows.every((row, i) => i === 0 || row > rows[i - 1]!)) order.sort((a, b) => rows[a]! - rows[b]!)
    const pieces: Examples[] = []
    const positions = new Uint32Array(rows.length)
    try {
      const handle = await open(this.path, 'r')
      try {
        for (let begin = 0; begin < order.length;) {
          if (signal?.aborted === true)
            throw new CancelledError({ operation: 'read examples', problem: 'reading was cancelled' })
          const block = Math.floor(rows[order[begin]!]! / blockSize)
          let end = begin
          while (end < order.length && Math.floor(rows[order[end]!]! / blockSize) === block) end++
          const local = Uint32Array.from(order.subarray(begin, end), (i) => rows[i]! - block * blockSize)
          const whole = await decodeBlock(handle, this.path, this.fields, blocks[block]!)
          pieces.push(
            local.length === whole.size && end > begin && isIdentity(local) ? whole : gatherExamples(whole, local),
          )
          for (let i = begin; i < end; i++) positions[order[i]!] = i
          begin = end
        }
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw fileError('read examples', this.path, error)
    }
    return { examples: concatExamples(pieces), positions }
  }
}

function isIdentity(rows: Uint32Array): boolean {
  return rows.every((row, i) => row === i)
}

/** System errors as FileError; everything else as it is. */
function fileError(operation: string, path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!/^E[A-Z]+$/.test(code)) return error
  return new FileError({ operation, problem: `${path}: ${(error as Error).message}`, cause: error })
}
