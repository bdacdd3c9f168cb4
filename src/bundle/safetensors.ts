import { open, stat } from 'node:fs/promises'
import { BundleError, type DType, OptionError, Tensor, bytesPerElement, sizeOf, typedArray } from '../core/index.ts'
import { type OutputOptions, fileError, writeFileAtomically } from './output.ts'
import { FileReader, FileWriter, type SequentialReader } from './stream.ts'

/**
 * The safetensors format (https://huggingface.co/docs/safetensors): eight bytes with the header's length, the header as
 * JSON (name → dtype, shape, byte range), then the tensors' bytes, little-endian, without holes.
 */
export type Tensors = Readonly<Record<string, Tensor>>

const names = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
  int64: 'I64',
  bfloat16: 'BF16',
} as const satisfies Record<DType, string>
const dtypeOf = new Map<string, DType>(Object.entries(names).map(([dtype, name]) => [name, dtype as DType]))

/** The reference implementation's own limit. */
const maxHeader = 100_000_000
/** The tensors begin at a multiple of this, so that a mapped file can be used in place. */
const alignment = 64
const metadataKey = '__metadata__'

export interface EncodedSafetensors {
  /** Bytes in all. */
  readonly size: number
  /** The file's bytes in order, as views of the tensors: nothing is copied. */
  readonly chunks: () => Iterable<Uint8Array>
}

/** Lays tensors out: wider elements first, so that each is aligned to its own size, then by name. */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): EncodedSafetensors {
  const entries = Object.entries(tensors).sort(
    ([a, x], [b, y]) => bytesPerElement[y.dtype] - bytesPerElement[x.dtype] || (a < b ? -1 : a > b ? 1 : 0),
  )
  if (Object.hasOwn(tensors, metadataKey)) {
    throw new OptionError({ operation: 'write safetensors', expected: 'another tensor name', received: metadataKey })
  }
  const header: [string, unknown][] = []
  if (Object.keys(metadata).length > 0) header.push([metadataKey, metadata])
  let offset = 0
  for (const [name, { dtype, shape, data }] of entries) {
    header.push([name, { dtype: names[dtype], shape, data_offsets: [offset, offset + data.byteLength] }])
    offset += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const length = Math.ceil((8 + json.length) / alignment) * alignment - 8
  const head = new Uint8Array(8 + length).fill(0x20)
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true)
  head.set(json, 8)
  return {
    size: head.length + offset,
    *chunks() {
      yield head
      for (const [, { data }] of entries) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    },
  }
}

/**
 * Writes tensors to a safetensors file, atomically. They must not change until it is done.
 * @throws FileError when the output exists (without `force`) or cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: Tensors,
  options: OutputOptions & { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const encoded = encodeSafetensors(tensors, options.metadata)
  await writeFileAtomically(
    path,
    async (file) => {
      const writer = new FileWriter(file)
      for (const chunk of encoded.chunks()) await writer.write(chunk)
      await writer.flush()
    },
    options,
  )
}

/** Reads a safetensors file. @throws BundleError when it is malformed, FileError when it cannot be read. */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Record<string, Tensor>; metadata: Record<string, string> }> {
  const operation = `read ${path}`
  try {
    const { size } = await stat(path)
    const file = await open(path, 'r')
    try {
      return await decodeSafetensors(new FileReader(file, 0, size, operation), operation)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw fileError(operation, cause)
  }
}

interface Entry {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** Reads tensors one after another: beside the result, memory holds one chunk. Nothing is allocated before it is checked. */
export async function decodeSafetensors(
  reader: SequentialReader,
  operation: string,
): Promise<{ tensors: Record<string, Tensor>; metadata: Record<string, string> }> {
  if (reader.size < 8) throw malformed(operation, 'at least 8 bytes', `${reader.size} bytes`)
  const prefix = new Uint8Array(8)
  await reader.pull(prefix)
  const length = new DataView(prefix.buffer).getBigUint64(0, true)
  if (length > BigInt(Math.min(maxHeader, reader.size - 8))) {
    throw malformed(operation, `a header within the file's ${reader.size} bytes`, `a header of ${length} bytes`)
  }
  const header = new Uint8Array(Number(length))
  await reader.pull(header)
  const { entries, metadata } = parseHeader(header, reader.size - 8 - header.length, operation)
  const tensors: [string, Tensor][] = []
  for (const { name, dtype, shape } of entries) {
    const data = typedArray(dtype, sizeOf(shape))
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    await reader.pull(bytes)
    if (dtype === 'bool' && bytes.some((byte) => byte > 1)) {
      throw malformed(operation, `0 or 1 in the boolean tensor "${name}"`, 'another byte')
    }
    tensors.push([name, new Tensor(dtype, shape, data)])
  }
  return { tensors: Object.fromEntries(tensors), metadata }
}

function parseHeader(
  header: Uint8Array,
  dataSize: number,
  operation: string,
): { entries: Entry[]; metadata: Record<string, string> } {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header))
  } catch {
    throw malformed(operation, 'a JSON header', 'other bytes')
  }
  if (!isRecord(parsed)) throw malformed(operation, 'a JSON object as header', typeof parsed)
  const entries: Entry[] = []
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(parsed)) {
    if (name !== metadataKey) entries.push(parseEntry(name, value, operation))
    else if (isStringRecord(value)) metadata = value
    else throw malformed(operation, 'strings in __metadata__', 'something else')
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let position = 0
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const what = begin < position ? 'overlapping' : 'with a hole before it, '
      throw malformed(operation, `tensors one after another`, `"${name}" ${what} at byte ${begin}`)
    }
    position = end
  }
  if (position !== dataSize) throw malformed(operation, `${position} bytes of tensors`, `${dataSize} bytes`)
  return { entries, metadata }
}

function parseEntry(name: string, value: unknown, operation: string): Entry {
  const of = `for tensor "${name}"`
  if (!isRecord(value)) throw malformed(operation, `an object ${of}`, typeof value)
  const dtype = typeof value['dtype'] === 'string' ? dtypeOf.get(value['dtype']) : undefined
  if (dtype === undefined) {
    throw malformed(
      operation,
      `one of ${[...dtypeOf.keys()].join(', ')} ${of}`,
      `dtype ${JSON.stringify(value['dtype'])}`,
    )
  }
  const { shape, data_offsets: offsets } = value
  if (!isSizes(shape)) throw malformed(operation, `a shape of whole numbers ${of}`, brief(shape))
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw malformed(operation, `two rising data_offsets ${of}`, brief(offsets))
  }
  const [begin, end] = offsets as [number, number]
  const bytes = sizeOf(shape) * bytesPerElement[dtype]
  if (!Number.isSafeInteger(bytes) || bytes !== end - begin) {
    throw malformed(operation, `${bytes} bytes ${of} of shape [${shape.join(', ')}]`, `${end - begin} bytes`)
  }
  return { name, dtype, shape, begin, end }
}

function malformed(operation: string, expected: string, received: string): BundleError {
  return new BundleError({
    operation,
    problem: 'the safetensors data is malformed',
    expected,
    received,
    hint: 'Copy the file again from where it came from, or make it again',
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === 'string')
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80)
}
