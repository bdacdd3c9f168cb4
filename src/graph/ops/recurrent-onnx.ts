import type { CellActivation, Recurrent } from '../attributes.ts'
import type { OnnxEmitter, OnnxRule } from '../definition.ts'
import type { Value } from '../graph.ts'

/** ONNX' names of what a cell may apply; the others are written out step by step. */
const onnxActivations: Partial<Readonly<Record<CellActivation, string>>> = {
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  relu: 'Relu',
  softsign: 'Softsign',
  softplus: 'Softplus',
}

const opTypes = { simpleRnn: 'RNN', lstm: 'LSTM', gru: 'GRU' } as const
/** Where ONNX has each of our gates: its LSTM has input, output, forget, candidate. */
const gateOrder = { simpleRnn: [0], lstm: [0, 3, 1, 2], gru: [0, 1, 2] } as const

/** The node's activations in ONNX, one for each function that it lists; undefined where ONNX has none of the name. */
function activationsOf({ cell, activation, recurrentActivation }: Recurrent): string[] | undefined {
  const [act, gate] = [onnxActivations[activation], onnxActivations[recurrentActivation]]
  if (act === undefined) return undefined
  if (cell === 'simpleRnn') return [act]
  if (gate === undefined) return undefined
  return cell === 'lstm' ? [gate, act, act] : [gate, act]
}

/**
 * RNN, LSTM or GRU, time first. What only a gradient reads has no name there. Masks and dropout are written out: ONNX knows
 * lengths alone.
 */
export const recurrentOnnx: OnnxRule<'recurrent'> = (emitter, { attributes, inputs: types }, inputs) => {
  const activations = activationsOf(attributes)
  // onnxruntime gives 0 as the last state of no steps, and divides by the number of sequences.
  const empty = types[0]!.shape.includes(0)
  if (attributes.masked || attributes.dropout || activations === undefined || empty) return undefined
  const { cell, goBackwards, resetAfter } = attributes
  const [x, kernel, recurrentKernel, bias, h0, c0] = inputs as readonly [
    string,
    string,
    string,
    string,
    string,
    string?,
  ]
  const units = types[2]!.shape[0] as number
  const sequence = emitter.node('Transpose', [x], { perm: [1, 0, 2] })[0]!
  const state = (name: string) => emitter.node('Unsqueeze', [name, emitter.int64([0])])[0]!
  const matrix = (name: string) => {
    const transposed = emitter.node('Transpose', [name], { perm: [1, 0] })[0]!
    return emitter.node('Unsqueeze', [reordered(emitter, transposed, cell, units, 0), emitter.int64([0])])[0]!
  }
  const outputs = emitter.node(
    opTypes[cell],
    [
      sequence,
      matrix(kernel),
      matrix(recurrentKernel),
      biases(emitter, bias, types[3]!, attributes, units),
      '',
      state(h0),
      ...(cell === 'lstm' ? [state(c0!)] : []),
    ],
    {
      hidden_size: units,
      direction: goBackwards ? 'reverse' : 'forward',
      activations,
      ...(cell === 'gru' ? { linear_before_reset: resetAfter ? 1 : 0 } : {}),
    },
    cell === 'lstm' ? 3 : 2,
  )
  // [T, directions, B, U] and [directions, B, U]
  const steps = emitter.node('Squeeze', [outputs[0]!, emitter.int64([1])])[0]!
  const y = emitter.node('Transpose', [steps], { perm: [1, 0, 2] })[0]!
  return [y, ...outputs.slice(1).map((name) => emitter.node('Squeeze', [name, emitter.int64([0])])[0]!)]
}

/** [1, 2·G·U]: of the input and of the recurrent products. */
function biases(
  emitter: OnnxEmitter,
  bias: string,
  type: Value,
  { cell, resetAfter }: Recurrent,
  units: number,
): string {
  const row = (name: string) => reordered(emitter, name, cell, units, 0)
  if (resetAfter) return emitter.node('Reshape', [bias, emitter.int64([1, -1])])[0]!
  const size = type.shape[0] as number
  const none = emitter.node('ConstantOfShape', [emitter.int64([size])])[0]!
  const zeros = type.dtype === 'float32' ? none : emitter.node('Cast', [none], { to: 11 })[0]!
  const both = emitter.node('Concat', [row(bias), zeros], { axis: 0 })
  return emitter.node('Unsqueeze', [both[0]!, emitter.int64([0])])[0]!
}

function reordered(emitter: OnnxEmitter, name: string, cell: Recurrent['cell'], units: number, axis: number): string {
  const order = gateOrder[cell]
  if (order.every((gate, i) => gate === i)) return name
  const parts = order.map(
    (gate) =>
      emitter.node('Slice', [
        name,
        emitter.int64([gate * units]),
        emitter.int64([(gate + 1) * units]),
        emitter.int64([axis]),
      ])[0]!,
  )
  return emitter.node('Concat', parts, { axis })[0]!
}
