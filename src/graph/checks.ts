import { type DType, ShapeError, Tensor, TypeMismatchError } from '../core/index.ts'
import type { OpName } from './attributes.ts'
import { equalDims, equalShapes, shapeText } from './dims.ts'
import { operationName } from './scope.ts'
import type { Dim, Shape, TensorType } from './types.ts'

/** Classes of element types that rules accept. */
export const typeClasses = {
  floating: ['float32', 'float64', 'bfloat16'],
  /** Arithmetic: no uint8, whose results would wrap. */
  signed: ['float32', 'float64', 'bfloat16', 'int32', 'int64'],
  numeric: ['float32', 'float64', 'bfloat16', 'int32', 'int64', 'uint8'],
  any: ['float32', 'float64', 'bfloat16', 'int32', 'int64', 'uint8', 'bool'],
  bool: ['bool'],
  int32: ['int32'],
} as const satisfies Record<string, readonly DType[]>
export type TypeClass = keyof typeof typeClasses

/** Unlike `instanceof`, narrows to a tensor of any of our types and not of `any`. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor
}

export function typeText({ dtype, shape }: TensorType): string {
  return `${dtype}${shapeText(shape)}`
}

export function shapeError(op: OpName, expected: string, received: string, hint?: string): ShapeError {
  return new ShapeError({ operation: operationName(op), expected, received, ...(hint === undefined ? {} : { hint }) })
}

/**
 * Checks the number of inputs and the class of each input's element type; floating inputs must all be the same type.
 * The inputs come back as a tuple.
 */
export function expectInputs<const C extends readonly TypeClass[]>(
  op: OpName,
  inputs: readonly TensorType[],
  classes: C,
): { readonly [I in keyof C]: TensorType } {
  if (inputs.length !== classes.length)
    throw shapeError(op, `${classes.length} input${classes.length === 1 ? '' : 's'}`, String(inputs.length))
  for (let i = 0; i < inputs.length; i++) {
    const allowed: readonly DType[] = typeClasses[classes[i]!]
    const { dtype } = inputs[i]!
    if (allowed.includes(dtype)) continue
    throw new TypeMismatchError({
      operation: operationName(op),
      expected: `${allowed.join(', ')}${inputs.length === 1 ? '' : ` as input ${i + 1}`}`,
      received: typeText(inputs[i]!),
      hint: 'Convert it with cast',
    })
  }
  const floating = inputs.filter((_, i) => classes[i] === 'floating')
  if (floating.length > 1) expectSameType(op, floating)
  return inputs as unknown as { readonly [I in keyof C]: TensorType }
}

export function expectSameType(op: OpName, inputs: readonly TensorType[]): DType {
  const { dtype } = inputs[0]!
  if (inputs.some((input) => input.dtype !== dtype))
    throw new TypeMismatchError({
      operation: operationName(op),
      expected: 'inputs of one element type',
      received: inputs.map(typeText).join(' and '),
      hint: 'Convert one of them with cast',
    })
  return dtype
}

export function expectRank(op: OpName, what: string, { shape }: TensorType, rank: number, atLeast = false): void {
  if (atLeast ? shape.length >= rank : shape.length === rank) return
  throw shapeError(op, `${what} of rank ${atLeast ? 'at least ' : ''}${rank}`, shapeText(shape))
}

export function expectShape(op: OpName, what: string, { shape }: TensorType, expected: Shape): void {
  if (!equalShapes(shape, expected)) throw shapeError(op, `${what} of shape ${shapeText(expected)}`, shapeText(shape))
}

export function expectDim(op: OpName, what: string, dim: Dim, expected: Dim): void {
  if (!equalDims(dim, expected)) throw shapeError(op, `${what} of ${shapeText([expected])}`, shapeText([dim]))
}

export function expectAxis(op: OpName, axis: number, rank: number): void {
  if (Number.isInteger(axis) && axis >= 0 && axis < rank) return
  throw shapeError(op, rank === 0 ? 'no axis: the input is a scalar' : `an axis from 0 to ${rank - 1}`, String(axis))
}

/** Axes must be in range, ascending and distinct: attributes are canonical so that equal nodes compare equal. */
export function expectAxes(op: OpName, axes: readonly number[], rank: number): void {
  for (let i = 0; i < axes.length; i++) {
    expectAxis(op, axes[i]!, rank)
    if (i > 0 && axes[i]! <= axes[i - 1]!) throw shapeError(op, 'ascending, distinct axes', `[${axes.join(', ')}]`)
  }
}

/** NumPy's broadcasting. A symbolic dimension fits itself and 1. */
export function broadcastShapes(op: OpName, ...shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  const out: Dim[] = Array.from({ length: rank }, () => 1)
  for (const shape of shapes) {
    const skip = rank - shape.length
    for (let i = 0; i < shape.length; i++) {
      const dim = shape[i]!
      const current = out[skip + i]!
      if (current === 1) out[skip + i] = dim
      else if (dim !== 1 && !equalDims(dim, current))
        throw shapeError(op, 'shapes that broadcast together', shapes.map(shapeText).join(' and '))
    }
  }
  return out
}

/** The shape without `axes`, or with 1 in their place. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i))
}
