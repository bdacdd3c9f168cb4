import * as g from '../../graph/index.ts'
import type { Network } from './network.ts'

export interface ParameterCounts {
  readonly total: number
  readonly trainable: number
}

export function countParameters(network: Network): ParameterCounts {
  let total = 0
  let trainable = 0
  for (const entry of network.variables) {
    total += entry.variable.size
    if (entry.trainable) trainable += entry.variable.size
  }
  return { total, trainable }
}

/** A table of layers, output shapes, parameters and what each layer reads. */
export function summaryOf(name: string, network: Network): string {
  const { inputs, calls } = network.topology
  const names = new Map(inputs.map(({ name, tensor }) => [tensor, name]))
  const rows = inputs.map(({ name, tensor }) => [
    `${name} (input)`,
    tensor.kind === 'bag' ? `bag of ${tensor.vocabularySize}` : `${tensor.dtype}${g.shapeText(tensor.shape)}`,
    '0',
    '',
  ])
  for (const { layer, call, inputs, outputs } of calls) {
    for (const output of outputs) names.set(output, layer.layerName!)
    const parameters = Array.from(layer.variables?.values() ?? []).reduce((sum, { size }) => sum + size, 0)
    rows.push([
      `${layer.layerName} (${layer.type})`,
      outputs.map(({ shape }) => g.shapeText(shape)).join(' '),
      call > 0 ? 'shared' : parameters.toLocaleString('en'),
      inputs.map((tensor) => names.get(tensor)).join(', '),
    ])
  }
  const table = [['layer', 'output', 'parameters', 'reads'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[2]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  const { total, trainable } = countParameters(network)
  const rule = '─'.repeat(Math.max(...lines.map(({ length }) => length)))
  return [
    name,
    rule,
    lines[0],
    rule,
    ...lines.slice(1),
    rule,
    `${total.toLocaleString('en')} parameters, ${trainable.toLocaleString('en')} of them trained`,
  ].join('\n')
}
