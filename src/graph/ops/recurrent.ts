import { OptionError } from '../../core/index.ts'
import type { Recurrent } from '../attributes.ts'
import { applyMany, outputOf } from '../build.ts'
import { type TypeClass, expectInputs, expectRank, expectShape, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { addDims, boundOf, boundOfShape, shapeText } from '../dims.ts'
import { matmul } from '../functions/neural.ts'
import { concat, expandDims, reshape, sliceAxis, split } from '../functions/shape.ts'
import { full, zerosLike } from '../functions/sources.ts'
import type { Node, Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Dim, Shape, TensorType } from '../types.ts'
import { cells } from './recurrent-cells.ts'
import { recurrentOnnx } from './recurrent-onnx.ts'
import { unroll, unrollGradient } from './recurrent-steps.ts'

/** Whether the fused kernel and its gradient do it; else it is a composition of the ops below. */
export function isFusedRecurrent({ cell, activation, recurrentActivation, resetAfter, dropout }: Recurrent): boolean {
  return (
    !dropout &&
    activation === 'tanh' &&
    (cell === 'simpleRnn' || recurrentActivation === 'sigmoid') &&
    (cell !== 'gru' || resetAfter)
  )
}

/** The inputs by name, in the order of `attributes.ts`. */
export function recurrentInputs<V>(inputs: readonly V[], attributes: Recurrent) {
  const [x, kernel, recurrentKernel, bias, h0, ...rest] = inputs as readonly [V, V, V, V, V, ...V[]]
  const next = (present: boolean) => (present ? rest.shift()! : undefined)
  const c0 = next(cells[attributes.cell].hasCarry)
  return { x, kernel, recurrentKernel, bias, h0, c0, mask: next(attributes.masked), dropout: next(attributes.dropout) }
}

/** The same of `recurrentGradient`. */
export function recurrentGradientInputs<V>(inputs: readonly V[], attributes: Recurrent & { sequences: boolean }) {
  const { hasCarry, kept } = cells[attributes.cell]
  const rest = [...inputs]
  const next = (present = true) => (present ? rest.shift() : undefined)
  return {
    recurrentKernel: next()!,
    h0: next()!,
    c0: next(hasCarry),
    mask: next(attributes.masked),
    y: next()!,
    gates: next(kept > 0),
    cells: next(hasCarry),
    dy: next(attributes.sequences),
    dh: next()!,
    dc: next(hasCarry),
  }
}

function classesOf(names: Readonly<Record<string, unknown>>): TypeClass[] {
  return Object.entries(names).flatMap(([name, value]): TypeClass[] =>
    value === undefined ? [] : [name === 'mask' ? 'bool' : 'floating'],
  )
}

type RecurrentOp = 'recurrent' | 'recurrentGradient'

function unitsOf(op: RecurrentOp, kernel: TensorType, { cell }: Recurrent): { units: number; columns: number } {
  expectRank(op, 'a recurrent kernel', kernel, 2)
  const [units, columns] = kernel.shape
  const { gates } = cells[cell]
  if (typeof units !== 'number' || units < 1 || columns !== gates * units)
    throw shapeError(op, `a recurrent kernel [units, ${gates}·units]`, shapeText(kernel.shape))
  return { units, columns }
}

function present(inputs: readonly TensorType[], at: number): readonly unknown[] {
  return Array.from({ length: at }, (_, i) => inputs[i] ?? null)
}

export const recurrent: OpDefinition<'recurrent'> = {
  name: 'recurrent',
  doc: '(x[B,T,I], kernel[I,G·U], recurrentKernel[U,G·U], bias, h₀[B,U], LSTM: c₀, masked: mask bool[B,T], dropout: scale[G,B,U]) → (y[B,T,U], h[B,U], LSTM: c[B,U], LSTM and GRU: gates[B,T,4·U], LSTM: cells[B,T,U]): a simple RNN, LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014) over whole sequences with the gates in Keras’ order. Steps that the mask leaves out keep the state.',
  infer(inputs, attributes) {
    const op = 'recurrent'
    const { cell, masked, dropout, resetAfter } = attributes
    const rules = cells[cell]
    if (resetAfter && cell !== 'gru')
      throw new OptionError({ operation: operationName(op), expected: 'resetAfter for a gru only', received: cell })
    const count = 5 + Number(rules.hasCarry) + Number(masked) + Number(dropout)
    const named = recurrentInputs(present(inputs, count), attributes)
    expectInputs(op, inputs, classesOf(named))
    const given = recurrentInputs(inputs, attributes)
    expectRank(op, 'an input [batch, time, features]', given.x, 3)
    const [batch, time, features] = given.x.shape as readonly [Dim, Dim, Dim]
    const { units, columns } = unitsOf(op, given.recurrentKernel, attributes)
    expectShape(op, 'a kernel', given.kernel, [features, columns])
    expectShape(op, 'a bias', given.bias, rules.biasShape(units, columns, attributes))
    expectShape(op, 'an initial state', given.h0, [batch, units])
    if (given.c0 !== undefined) expectShape(op, 'an initial carry', given.c0, [batch, units])
    if (given.mask !== undefined) expectShape(op, 'a mask', given.mask, [batch, time])
    if (given.dropout !== undefined) expectShape(op, 'a dropout scale', given.dropout, [rules.gates, batch, units])
    const typed = (shape: Shape): TensorType => ({ dtype: given.x.dtype, shape })
    const carry = rules.hasCarry ? [typed([batch, units])] : []
    const gates = rules.kept > 0 ? [typed([batch, time, rules.kept * units])] : []
    const kept = rules.hasCarry ? [typed([batch, time, units])] : []
    return [typed([batch, time, units]), typed([batch, units]), ...carry, ...gates, ...kept]
  },
  gradient(node, incoming) {
    const { attributes } = node
    const { hasCarry, kept } = cells[attributes.cell]
    const [dy, dh, dc] = incoming
    const fusedOutputs = hasCarry ? 3 : 2
    // The fused gradient knows the gates as what the kernel kept, but not of other uses of them.
    if (!isFusedRecurrent(attributes) || incoming.slice(fusedOutputs).some((each) => each !== undefined))
      return 'decompose'
    const { x, kernel, recurrentKernel, h0, c0, mask } = recurrentInputs(node.inputs, attributes)
    const y = outputOf(node)
    const reserve = node.outputs.slice(fusedOutputs).map((_, i) => outputOf(node, fusedOutputs + i))
    const found = applyMany(
      'recurrentGradient',
      [
        recurrentKernel,
        h0,
        ...(c0 === undefined ? [] : [c0]),
        ...(mask === undefined ? [] : [mask]),
        y,
        ...reserve,
        ...(dy === undefined ? [] : [dy]),
        dh ?? zerosLike(h0),
        ...(c0 === undefined ? [] : [dc ?? zerosLike(c0)]),
      ],
      { ...attributes, sequences: dy !== undefined },
    )
    const [dProjected, dh0] = found as readonly [Value, Value]
    const dRecurrent = kept > 0 && !hasCarry ? found[2]! : dProjected
    const previous = previousStates(h0, y, attributes.goBackwards)
    const [dkernel, drecurrentKernel, dbias] =
      dRecurrent === dProjected ? shared(x, previous, dProjected) : separate(x, previous, dProjected, dRecurrent)
    return [
      matmul(dProjected, kernel, { transposeB: true }),
      dkernel,
      drecurrentKernel,
      dbias,
      dh0,
      ...(hasCarry ? [found[2]!] : []),
      undefined,
    ]
  },
  decompose: (node) => unroll(recurrentInputs(node.inputs, node.attributes), node.attributes),
  onnx: recurrentOnnx,
  flops: ([x, kernel, recurrentKernel]) =>
    2 *
    boundOf(x!.shape[0]!) *
    boundOf(x!.shape[1]!) *
    (boundOfShape(kernel!.shape) + boundOfShape(recurrentKernel!.shape)),
}

type WeightGradients = readonly [kernel: Value, recurrentKernel: Value, bias: Value]

/** What was multiplied, [state | input | 1], transposed, times the sums' gradients: all three in one product. */
function shared(x: Value, previous: Value, dsums: Value): WeightGradients {
  const [units, features] = [previous.shape[2] as number, x.shape[2] as number]
  const all = product(concat([previous, x, ones(x)], 2), dsums)
  const [recurrentKernel, kernel, bias] = split(all, [units, features, 1], 0) as [Value, Value, Value]
  return [kernel, recurrentKernel, reshape(bias, [bias.shape[1]!])]
}

/** The same where input and state meet different sums. */
function separate(x: Value, previous: Value, dx: Value, dh: Value): WeightGradients {
  const [kernel, inputBias] = split(product(concat([x, ones(x)], 2), dx), [x.shape[2]!, 1], 0) as [Value, Value]
  const products = product(concat([previous, ones(x)], 2), dh)
  const [recurrentKernel, recurrentBias] = split(products, [previous.shape[2]!, 1], 0) as [Value, Value]
  return [kernel, recurrentKernel, concat([inputBias, recurrentBias], 0)]
}

function ones({ dtype, shape }: Value): Value {
  return full([...shape.slice(0, 2), 1], 1, dtype)
}

/** aᵀ · b over all sequences and steps. */
function product(a: Value, b: Value): Value {
  const rows = (value: Value) => reshape(value, [-1, value.shape[2]!])
  return matmul(rows(a), rows(b), { transposeA: true })
}

/** [B,T,U]: the state before each step. */
export function previousStates(h0: Value, y: Value, goBackwards: boolean): Value {
  const time = y.shape[1]!
  if (time === 0) return y
  const rest = sliceAxis(y, 1, goBackwards ? 1 : 0, addDims(time, -1))
  const first = expandDims(h0, 1)
  return concat(goBackwards ? [rest, first] : [first, rest], 1)
}

export const recurrentGradient: OpDefinition<'recurrentGradient'> = {
  name: 'recurrentGradient',
  doc: '(recurrentKernel, h₀, LSTM: c₀, masked: mask, y, LSTM and GRU: gates, LSTM: cells, sequences: dy, dh, LSTM: dc) → (gradient of the projected input [B,T,G·U], dh₀, LSTM: dc₀, GRU: gradient of the recurrent products [B,T,G·U]): back through time, tanh and sigmoid only.',
  infer(inputs, attributes) {
    const op = 'recurrentGradient'
    const { cell, masked, sequences } = attributes
    const { hasCarry, kept, gates } = cells[cell]
    if (!isFusedRecurrent(attributes))
      throw new OptionError({
        operation: operationName(op),
        expected: 'tanh and sigmoid, no dropout, a gru with resetAfter',
        received: JSON.stringify(attributes),
      })
    const count = 4 + 3 * Number(hasCarry) + Number(kept > 0) + Number(masked) + Number(sequences)
    const named = recurrentGradientInputs(present(inputs, count), attributes)
    expectInputs(op, inputs, classesOf(named))
    const given = recurrentGradientInputs(inputs, attributes)
    const { units } = unitsOf(op, given.recurrentKernel, attributes)
    expectRank(op, 'states [batch, time, units]', given.y, 3)
    const [batch, time] = given.y.shape as readonly [Dim, Dim]
    expectShape(op, 'states', given.y, [batch, time, units])
    for (const state of [given.h0, given.c0, given.dh, given.dc])
      if (state !== undefined) expectShape(op, 'a state', state, [batch, units])
    for (const sequence of [given.cells, given.dy])
      if (sequence !== undefined) expectShape(op, 'states', sequence, [batch, time, units])
    if (given.gates !== undefined) expectShape(op, 'gates', given.gates, [batch, time, kept * units])
    if (given.mask !== undefined) expectShape(op, 'a mask', given.mask, [batch, time])
    const typed = (shape: Shape): TensorType => ({ dtype: given.y.dtype, shape })
    const projected = typed([batch, time, gates * units])
    const state = typed([batch, units])
    return [projected, state, ...(hasCarry ? [state] : []), ...(kept > 0 && !hasCarry ? [projected] : [])]
  },
  gradient: 'decompose',
  decompose: (node: Node<'recurrentGradient'>) =>
    unrollGradient(recurrentGradientInputs(node.inputs, node.attributes), node.attributes),
  onnx: { unsupported: 'It occurs in training only.' },
  flops: (inputs, [projected]) =>
    2 * boundOfShape(projected!.shape) * boundOf(inputs[0]!.shape[0]!) + 12 * boundOfShape(projected!.shape),
}
