import type { Tensor } from '../../core/index.ts'
import type { OpDefinition } from '../definition.ts'
import { expectInputs, shapeError, typeClasses } from '../checks.ts'
import { dimText, shapeText } from '../dims.ts'
import type { OpName } from '../attributes.ts'
import type { Shape, TensorType } from '../types.ts'
import { onnxType } from './onnx.ts'

/** Values that come from outside the graph, and counts. */
export const sourceOps = {
  input: {
    name: 'input',
    doc: 'A value fed on each run. Its dimensions may be symbolic.',
    infer: (inputs, { dtype, shape }) => source('input', inputs, { dtype, shape }),
    gradient: 'none',
    onnx: 'source',
    flops: () => 0,
  } satisfies OpDefinition<'input'>,
  state: {
    name: 'state',
    doc: 'A value that persists between runs and may be updated: weights, moments, counters. Its shape is static.',
    infer: (inputs, { dtype, shape }) => source('state', inputs, { dtype, shape }),
    gradient: 'none',
    onnx: 'source',
    flops: () => 0,
  } satisfies OpDefinition<'state'>,
  constant: {
    name: 'constant',
    doc: 'A fixed tensor.',
    infer: (inputs, { value }: { readonly value: Tensor }) =>
      source('constant', inputs, { dtype: value.dtype, shape: value.shape }),
    gradient: 'none',
    onnx: (emitter, node) => [emitter.tensor(node.attributes.value)],
    flops: () => 0,
  } satisfies OpDefinition<'constant'>,
  iota: {
    name: 'iota',
    doc: '0, 1, … length-1.',
    infer(inputs, { length, dtype }) {
      if (dtype === 'bool') throw shapeError('iota', typeClasses.numeric.join(', '), dtype)
      return source('iota', inputs, { dtype, shape: [length] })
    },
    gradient: 'none',
    onnx(emitter, { attributes: { length, dtype } }) {
      const axes = emitter.int64([0])
      const [limit] = emitter.node('Squeeze', [emitter.shape([length]), axes])
      const range = emitter.node('Range', [emitter.int64([0], []), limit!, emitter.int64([1], [])])
      return dtype === 'int64' ? range : emitter.node('Cast', range, { to: onnxType[dtype] })
    },
    flops: () => 0,
  } satisfies OpDefinition<'iota'>,
  dimension: {
    name: 'dimension',
    doc: 'The size of a symbolic dimension in this run, as a scalar: the count behind a mean over the batch.',
    infer(inputs, { size, dtype }) {
      if (dtype === 'bool') throw shapeError('dimension', typeClasses.numeric.join(', '), dtype)
      if (typeof size === 'number' && size < 0) throw shapeError('dimension', 'a size of at least 0', dimText(size))
      return source('dimension', inputs, { dtype, shape: [] })
    },
    gradient: 'none',
    onnx(emitter, { attributes: { size, dtype } }) {
      const scalar = emitter.node('Squeeze', [emitter.shape([size]), emitter.int64([0])])
      return dtype === 'int64' ? scalar : emitter.node('Cast', scalar, { to: onnxType[dtype] })
    },
    flops: () => 0,
  } satisfies OpDefinition<'dimension'>,
}

function source(op: OpName, inputs: readonly TensorType[], type: TensorType): readonly TensorType[] {
  expectInputs(op, inputs, [])
  checkShape(op, type.shape)
  return [type]
}

function checkShape(op: OpName, shape: Shape): void {
  if (shape.some((dim) => typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0)))
    throw shapeError(op, 'sizes that are whole numbers of at least 0', shapeText(shape))
}
