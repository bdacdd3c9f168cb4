import { OptionError, ShapeError } from '../../core/index.ts'
import { equalDims, multiplyDims, shapeText } from '../dims.ts'
import type { Value } from '../graph.ts'
import { operationName } from '../scope.ts'
import type { Dim, Shape } from '../types.ts'
import { equal, where } from './elementwise.ts'
import { matmul } from './neural.ts'
import { sum } from './reduce.ts'
import { expandDims, reshape, transpose } from './shape.ts'
import { iota } from './sources.ts'

interface Labelled {
  readonly value: Value
  readonly labels: string
}

/**
 * Einstein's summation, as NumPy's `einsum`: `einsum('bqd,bkd->bqk', q, k)`. Letters name axes; those that the result leaves
 * out are summed over; a letter twice in one operand takes its diagonal. Without `->` the result has the letters that occur
 * once, in alphabetical order. Lowered to matrix products, pair by pair from the left.
 * @throws OptionError for an equation that is none; ShapeError where sizes differ.
 */
export function einsum(equation: string, ...operands: readonly Value[]): Value {
  const { inputs, output } = parse(equation, operands)
  const wantedBy = (rest: readonly string[]) => new Set(letters(output + rest.join('')))
  let result = reduced({ value: operands[0]!, labels: inputs[0]! }, wantedBy(inputs.slice(1)))
  for (let i = 1; i < operands.length; i++) {
    const wanted = wantedBy(inputs.slice(i + 1))
    const next = reduced({ value: operands[i]!, labels: inputs[i]! }, new Set([...wanted, ...letters(result.labels)]))
    result = product(result, next, wanted)
  }
  return arranged(result, output)
}

function parse(equation: string, operands: readonly Value[]): { inputs: readonly string[]; output: string } {
  const text = equation.replaceAll(/\s/g, '')
  const [left, right, ...more] = text.split('->')
  const inputs = left!.split(',')
  const all = left!.replaceAll(',', '')
  const once = [...new Set(letters(all))].filter((label) => all.indexOf(label) === all.lastIndexOf(label))
  const output = right ?? once.toSorted().join('')
  const fail = (received: string) => {
    throw new OptionError({ operation: 'einsum', expected: `an equation like 'ij,jk->ik' for ${operands.length} operands`, received }) // prettier-ignore
  }
  if (!/^[a-zA-Z,]*$/.test(left!) || !/^[a-zA-Z]*$/.test(output) || more.length > 0) fail(`"${equation}"`)
  if (inputs.length !== operands.length || operands.length === 0) fail(`"${equation}", which has ${inputs.length}`)
  if (new Set(letters(output)).size !== output.length) fail(`"${equation}", whose result names an axis twice`)
  for (const label of letters(output))
    if (!all.includes(label)) fail(`"${equation}", whose result has ${label} out of nothing`)
  const sizes = new Map<string, Dim>()
  inputs.forEach((labels, i) => {
    const { shape } = operands[i]!
    if (labels.length !== shape.length)
      throw new ShapeError({ operation: operationName('einsum'), expected: `${labels.length} axes for "${labels}"`, received: shapeText(shape) }) // prettier-ignore
    letters(labels).forEach((label, axis) => {
      const known = sizes.get(label)
      if (known !== undefined && !equalDims(known, shape[axis]!))
        throw new ShapeError({ operation: operationName('einsum'), expected: `${shapeText([known])} along "${label}"`, received: shapeText([shape[axis]!]) }) // prettier-ignore
      sizes.set(label, shape[axis]!)
    })
  })
  return { inputs, output }
}

/** Diagonals taken, and axes that nothing wants any more summed over. */
function reduced({ value, labels }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const repeated = letters(labels).findIndex((label, i) => labels.indexOf(label) < i)
  if (repeated >= 0) {
    const first = labels.indexOf(labels[repeated]!)
    const size = value.shape[first]!
    const along = (axis: number) =>
      reshape(iota(size), value.shape.map((_, i): Dim => (i === axis ? size : 1))) // prettier-ignore
    const diagonal = sum(where(equal(along(first), along(repeated)), value, 0), { axes: [repeated] })
    return reduced({ value: diagonal, labels: labels.slice(0, repeated) + labels.slice(repeated + 1) }, wanted)
  }
  const axes = letters(labels).flatMap((label, i) => (wanted.has(label) ? [] : [i]))
  if (axes.length === 0) return { value, labels }
  return {
    value: sum(value, { axes }),
    labels: letters(labels)
      .filter((label) => wanted.has(label))
      .join(''),
  }
}

/** Both as batched matrices: shared labels that are wanted first, then those of one side, contracted ones inside. */
function product(left: Labelled, right: Labelled, wanted: ReadonlySet<string>): Labelled {
  const shared = letters(left.labels).filter((label) => right.labels.includes(label))
  const batch = shared.filter((label) => wanted.has(label)).join('')
  const inner = shared.filter((label) => !wanted.has(label)).join('')
  const rest = ({ labels }: Labelled) =>
    letters(labels)
      .filter((label) => !shared.includes(label))
      .join('')
  const size = ({ value, labels }: Labelled, of: string): Dim =>
    letters(of).reduce((total: Dim, label) => multiplyDims(total, value.shape[labels.indexOf(label)]!), 1)
  const shapeOf = (side: Labelled, of: string): Shape =>
    letters(of).map((label) => side.value.shape[side.labels.indexOf(label)]!)
  const a = reshape(arranged(left, batch + rest(left) + inner), [
    size(left, batch),
    size(left, rest(left)),
    size(left, inner),
  ])
  const b = reshape(arranged(right, batch + inner + rest(right)), [
    size(right, batch),
    size(right, inner),
    size(right, rest(right)),
  ])
  const shape = [...shapeOf(left, batch), ...shapeOf(left, rest(left)), ...shapeOf(right, rest(right))]
  return { value: reshape(matmul(a, b), shape), labels: batch + rest(left) + rest(right) }
}

function arranged({ value, labels }: Labelled, order: string): Value {
  if (labels === order) return value
  return transpose(
    value,
    letters(order).map((label) => labels.indexOf(label)),
  )
}

const letters = (text: string) => text.split('')

/** Products of every element of a vector with every one of another: [N], [M] → [N, M]. */
export function outer(a: Value, b: Value): Value {
  return matmul(expandDims(a, 1), expandDims(b, 0))
}
