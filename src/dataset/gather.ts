import { DataError, Tensor, type TypedArray, sizeOf, typedArray } from '../core/index.ts'
import type { FieldSpec } from './dataset.ts'
import type { BagField, DenseField, ExampleField, Examples } from './examples.ts'

/** A row no wider than this is copied element by element: a `subarray` object costs more than the copy. */
const smallRow = 24

/** The rows of `examples` at `positions`, in that order, as new arrays. */
export function gatherExamples(examples: Examples, positions: Uint32Array): Examples {
  const fields: Record<string, ExampleField> = {}
  for (const [name, field] of Object.entries(examples.fields)) {
    fields[name] = field.kind === 'dense' ? gatherDense(field, positions) : gatherBag(field, positions)
  }
  return { size: positions.length, fields }
}

function gatherDense({ tensor }: DenseField, positions: Uint32Array): DenseField {
  const exampleShape = tensor.shape.slice(1)
  const width = sizeOf(exampleShape)
  const data: TypedArray = typedArray(tensor.dtype, positions.length * width)
  if (!(data instanceof BigInt64Array)) {
    copyRows(data, tensor.data as Exclude<TypedArray, BigInt64Array>, positions, width)
  } else {
    const source = tensor.data as BigInt64Array
    for (let i = 0; i < positions.length; i++) {
      const from = positions[i]! * width
      data.set(source.subarray(from, from + width), i * width)
    }
  }
  return { kind: 'dense', tensor: new Tensor(tensor.dtype, [positions.length, ...exampleShape], data) }
}

function copyRows(
  data: Exclude<TypedArray, BigInt64Array>,
  source: Exclude<TypedArray, BigInt64Array>,
  positions: Uint32Array,
  width: number,
): void {
  if (isRun(positions)) {
    const from = (positions[0] ?? 0) * width
    data.set(source.subarray(from, from + data.length))
  } else if (width === 1) {
    for (let i = 0; i < positions.length; i++) data[i] = source[positions[i]!]!
  } else if (width <= smallRow) {
    for (let i = 0, to = 0; i < positions.length; i++) {
      const from = positions[i]! * width
      for (let j = 0; j < width; j++) data[to++] = source[from + j]!
    }
  } else {
    for (let i = 0; i < positions.length; i++) {
      const from = positions[i]! * width
      data.set(source.subarray(from, from + width), i * width)
    }
  }
}

function isRun(positions: Uint32Array): boolean {
  const first = positions[0] ?? 0
  for (let i = 1; i < positions.length; i++) if (positions[i] !== first + i) return false
  return true
}

function gatherBag(bag: BagField, positions: Uint32Array): BagField {
  const offsets = new Int32Array(positions.length + 1)
  let total = 0
  for (let i = 0; i < positions.length; i++) {
    const row = positions[i]!
    total += bag.offsets[row + 1]! - bag.offsets[row]!
    offsets[i + 1] = total
  }
  const ids = new Int32Array(total)
  const weights = new Float32Array(total)
  for (let i = 0; i < positions.length; i++) {
    const begin = bag.offsets[positions[i]!]!
    const end = bag.offsets[positions[i]! + 1]!
    const to = offsets[i]!
    if (end - begin <= smallRow) {
      for (let j = begin; j < end; j++) {
        ids[to + j - begin] = bag.ids[j]!
        weights[to + j - begin] = bag.weights[j]!
      }
    } else {
      ids.set(bag.ids.subarray(begin, end), to)
      weights.set(bag.weights.subarray(begin, end), to)
    }
  }
  return { kind: 'bag', offsets, ids, weights }
}

/** Rows [begin, end) of `examples`, as views where that is possible. */
export function sliceExamples(examples: Examples, begin: number, end: number): Examples {
  const fields: Record<string, ExampleField> = {}
  for (const [name, field] of Object.entries(examples.fields)) {
    if (field.kind === 'dense') {
      const { dtype, shape, data } = field.tensor
      const width = sizeOf(shape.slice(1))
      const part = data.subarray(begin * width, end * width)
      fields[name] = { kind: 'dense', tensor: new Tensor(dtype, [end - begin, ...shape.slice(1)], part) }
    } else {
      const from = field.offsets[begin]!
      const to = field.offsets[end]!
      fields[name] = {
        kind: 'bag',
        offsets: field.offsets.slice(begin, end + 1).map((offset) => offset - from),
        ids: field.ids.subarray(from, to),
        weights: field.weights.subarray(from, to),
      }
    }
  }
  return { size: end - begin, fields }
}

/** Several runs of examples with the same fields as one. */
export function concatExamples(parts: readonly Examples[]): Examples {
  const first = parts[0]
  if (first === undefined) throw new DataError({ operation: 'dataset', problem: 'there are no examples' })
  if (parts.length === 1) return first
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const fields: Record<string, ExampleField> = {}
  for (const [name, field] of Object.entries(first.fields)) {
    const all = parts.map((part) => part.fields[name])
    fields[name] = field.kind === 'dense' ? concatDense(all as DenseField[], size) : concatBags(all as BagField[], size)
  }
  return { size, fields }
}

function concatDense(parts: readonly DenseField[], size: number): DenseField {
  const { dtype, shape } = parts[0]!.tensor
  const tensor = new Tensor(dtype, [size, ...shape.slice(1)])
  let to = 0
  for (const part of parts) {
    // The same dtype throughout, which the type of a general typed array cannot say.
    ;(tensor.data as Float32Array).set(part.tensor.data as Float32Array, to)
    to += part.tensor.data.length
  }
  return { kind: 'dense', tensor }
}

function concatBags(parts: readonly BagField[], size: number): BagField {
  const total = parts.reduce((sum, part) => sum + part.ids.length, 0)
  const offsets = new Int32Array(size + 1)
  const ids = new Int32Array(total)
  const weights = new Float32Array(total)
  let row = 0
  let at = 0
  for (const part of parts) {
    for (let i = 1; i < part.offsets.length; i++) offsets[++row] = at + part.offsets[i]!
    ids.set(part.ids, at)
    weights.set(part.weights, at)
    at += part.ids.length
  }
  return { kind: 'bag', offsets, ids, weights }
}

/** The examples as a program's feeds. */
export function toFeeds(examples: Examples): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [name, field] of Object.entries(examples.fields)) {
    if (field.kind === 'dense') feeds[name] = field.tensor
    else {
      feeds[`${name}.ids`] = new Tensor('int32', [field.ids.length], field.ids)
      feeds[`${name}.offsets`] = new Tensor('int32', [field.offsets.length], field.offsets)
      feeds[`${name}.weights`] = new Tensor('float32', [field.weights.length], field.weights)
    }
  }
  return feeds
}

/** What one example of each field is. */
export function specsOf(examples: Examples): Record<string, FieldSpec> {
  const specs: Record<string, FieldSpec> = {}
  for (const [name, field] of Object.entries(examples.fields)) {
    specs[name] =
      field.kind === 'dense'
        ? { kind: 'dense', dtype: field.tensor.dtype, shape: field.tensor.shape.slice(1) }
        : { kind: 'bag' }
  }
  return specs
}

/** Two specs as text when they differ, undefined when they agree. */
export function specDifference(
  expected: Readonly<Record<string, FieldSpec>>,
  received: Readonly<Record<string, FieldSpec>>,
): { expected: string; received: string } | undefined {
  const a = describe(expected)
  const b = describe(received)
  return a === b ? undefined : { expected: a, received: b }
}

function describe(specs: Readonly<Record<string, FieldSpec>>): string {
  return Object.entries(specs)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => `${name}: ${spec.kind === 'bag' ? 'bag' : `${spec.dtype}[${spec.shape.join(', ')}]`}`)
    .join(', ')
}

/** @throws DataError when a field does not hold `size` examples or a bag's offsets do not fit its ids. */
export function checkExamples(operation: string, examples: Examples): void {
  for (const [name, field] of Object.entries(examples.fields)) {
    const rows = field.kind === 'dense' ? field.tensor.shape[0] : field.offsets.length - 1
    if (rows !== examples.size) {
      throw new DataError({
        operation,
        expected: `${examples.size} examples in field "${name}"`,
        received: `${rows ?? 'a scalar'}`,
      })
    }
    if (field.kind === 'bag') checkBag(operation, name, field)
  }
}

function checkBag(operation: string, name: string, { offsets, ids, weights }: BagField): void {
  let rising = offsets[0] === 0
  for (let i = 1; i < offsets.length && rising; i++) rising = offsets[i]! >= offsets[i - 1]!
  if (!rising || offsets.at(-1) !== ids.length || ids.length !== weights.length) {
    throw new DataError({
      operation,
      expected: `bag "${name}" with offsets rising from 0 to its number of ids, and a weight an id`,
      received: `offsets ${offsets[0]} … ${offsets.at(-1)}, ${ids.length} ids, ${weights.length} weights`,
    })
  }
}
