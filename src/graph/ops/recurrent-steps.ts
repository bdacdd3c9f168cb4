// A recurrent layer written out step by step: what the fused kernel must equal, and what is differentiated where it has no
// gradient. A varying number of steps is written out to its bound, the steps that are too many masked.
import type { Recurrent } from '../attributes.ts'
import { boundOf, equalDims, multiplyDims, subtractDims } from '../dims.ts'
import { add, and, less, where } from '../functions/elementwise.ts'
import { matmul } from '../functions/neural.ts'
import { expandDims, flip, pad, reshape, sliceAxis, stack, take } from '../functions/shape.ts'
import { dimension, full, iota, zerosLike } from '../functions/sources.ts'
import type { Value } from '../graph.ts'
import type { Dim } from '../types.ts'
import { type CellWeights, cells } from './recurrent-cells.ts'

export interface UnrollInputs {
  readonly x: Value
  readonly kernel: Value
  readonly recurrentKernel: Value
  readonly bias: Value
  readonly h0: Value
  readonly c0: Value | undefined
  readonly mask: Value | undefined
  readonly dropout: Value | undefined
}

/** Sequences cut into steps in the order in which they are worked on, and put together again. */
class Timeline {
  readonly steps: number
  private readonly time: Dim
  private readonly goBackwards: boolean
  private readonly mask: Value | undefined

  constructor(time: Dim, { goBackwards }: Recurrent, mask: Value | undefined) {
    this.time = time
    this.steps = boundOf(time)
    this.goBackwards = goBackwards
    if (equalDims(time, this.steps)) {
      this.mask = mask === undefined ? undefined : this.ordered(mask)
      return
    }
    const within = expandDims(less(iota(this.steps), dimension(time)), 0)
    this.mask = mask === undefined ? within : and(this.ordered(mask), within)
  }

  /** [B,T,…] as steps [B,…] in order. */
  cut(sequence: Value): (step: number) => Value {
    const ordered = this.ordered(sequence)
    return (step) => take(ordered, step, 1)
  }

  /** The values of each step as [B,T,…]; `like` is one of them. */
  join(values: readonly Value[], like: Value): Value {
    if (values.length === 0) return full([like.shape[0]!, 0, ...like.shape.slice(1)], 0, like.dtype)
    const whole = sliceAxis(stack(values, 1), 1, 0, this.time)
    return this.goBackwards ? flip(whole, 1) : whole
  }

  /** `ran` where the step counts for a row, else `skipped`. */
  choose(step: number, ran: Value, skipped: Value): Value {
    return this.mask === undefined ? ran : where(expandDims(take(this.mask, step, 1), 1), ran, skipped)
  }

  private ordered(sequence: Value): Value {
    const inOrder = this.goBackwards ? flip(sequence, 1) : sequence
    const missing = subtractDims(this.steps, this.time)
    return pad(inOrder, { after: sequence.shape.map((_, axis) => (axis === 1 ? missing : 0)) })
  }
}

export function unroll(
  { x, kernel, recurrentKernel, bias, h0, c0, mask, dropout }: UnrollInputs,
  attributes: Recurrent,
): Value[] {
  const cell = cells[attributes.cell]
  const timeline = new Timeline(x.shape[1]!, attributes, mask)
  const [inputBias, recurrentBias] = attributes.resetAfter ? [take(bias, 0), take(bias, 1)] : [bias, undefined]
  const leading = multiplyDims(x.shape[0]!, x.shape[1]!)
  const columns = kernel.shape[1]!
  const products = matmul(reshape(x, [leading, x.shape[2]!]), kernel)
  const projected = timeline.cut(reshape(add(products, inputBias), [x.shape[0]!, x.shape[1]!, columns]))
  const weights: CellWeights = { recurrentKernel, recurrentBias, dropout }
  let [h, c] = [h0, c0]
  const ys: Value[] = []
  const gates: Value[] = []
  const carries: Value[] = []
  for (let t = 0; t < timeline.steps; t++) {
    const next = cell.step(projected(t), h, c, weights, attributes)
    h = timeline.choose(t, next.h, h)
    ys.push(h)
    if (next.gates !== undefined) gates.push(timeline.choose(t, next.gates, zerosLike(next.gates)))
    if (next.c !== undefined) {
      c = timeline.choose(t, next.c, c!)
      carries.push(c)
    }
  }
  const outputs = [timeline.join(ys, h0), h]
  if (c !== undefined) outputs.push(c)
  if (cell.kept > 0)
    outputs.push(timeline.join(gates, full([h0.shape[0]!, cell.kept * (h0.shape[1] as number)], 0, h0.dtype)))
  if (c !== undefined) outputs.push(timeline.join(carries, c))
  return outputs
}

export interface UnrollGradientInputs {
  readonly recurrentKernel: Value
  readonly h0: Value
  readonly c0: Value | undefined
  readonly mask: Value | undefined
  readonly y: Value
  readonly gates: Value | undefined
  readonly cells: Value | undefined
  readonly dy: Value | undefined
  readonly dh: Value
  readonly dc: Value | undefined
}

export function unrollGradient(given: UnrollGradientInputs, attributes: Recurrent): Value[] {
  const { recurrentKernel, h0, c0 } = given
  const cell = cells[attributes.cell]
  const timeline = new Timeline(given.y.shape[1]!, attributes, given.mask)
  const cut = (sequence: Value | undefined) => (sequence === undefined ? () => undefined : timeline.cut(sequence))
  const [y, gates, carries, dy] = [timeline.cut(given.y), cut(given.gates), cut(given.cells), cut(given.dy)]
  let [dh, dc] = [given.dh, given.dc]
  const projected: Value[] = []
  const recurrent: Value[] = []
  for (let t = timeline.steps - 1; t >= 0; t--) {
    const incoming = dy(t)
    if (incoming !== undefined) dh = add(dh, incoming)
    const known = {
      h: y(t),
      previous: t === 0 ? h0 : y(t - 1),
      c: carries(t),
      previousC: t === 0 ? c0 : carries(t - 1),
      gates: gates(t),
    }
    const found = cell.gradient(known, dh, dc, recurrentKernel)
    dh = timeline.choose(t, found.h, dh)
    if (found.c !== undefined) dc = timeline.choose(t, found.c, dc!)
    projected.unshift(timeline.choose(t, found.projected, zerosLike(found.projected)))
    if (found.recurrent !== undefined)
      recurrent.unshift(timeline.choose(t, found.recurrent, zerosLike(found.recurrent)))
  }
  const sums = full([h0.shape[0]!, recurrentKernel.shape[1]!], 0, h0.dtype)
  const outputs = [timeline.join(projected, sums), dh]
  if (dc !== undefined) outputs.push(dc)
  if (cell.kept > 0 && !cell.hasCarry) outputs.push(timeline.join(recurrent, sums))
  return outputs
}
