import { shapeText } from '../graph/index.ts'
import type { Model } from '../nn/index.ts'

export interface LayerLine {
  readonly name: string
  readonly type: string
  readonly outputShape: string
  readonly parameters: number
}

/** A model's layers for people. */
export function layersOf(model: Model): LayerLine[] {
  const lines = model.inputs.map(({ name, tensor }) => ({
    name,
    type: 'input',
    outputShape: tensor.kind === 'bag' ? `bag of ${tensor.vocabularySize}` : shapeText(tensor.shape),
    parameters: 0,
  }))
  const layers = model.calls.map(({ layer, call, outputs }) => ({
    name: layer.layerName ?? layer.type,
    type: layer.type,
    outputShape: outputs.map(({ shape }) => shapeText(shape)).join(' '),
    parameters: call > 0 ? 0 : [...(layer.variables?.values() ?? [])].reduce((sum, { size }) => sum + size, 0),
  }))
  return [...lines, ...layers]
}
