import { stat } from 'node:fs/promises'

import { writeFileAtomically } from '../bundle/index.ts'
import { exportOnnx, exportSafetensors } from '../formats/index.ts'
import { readTrained } from './bundle.ts'
import type { ExportFormat, ExportResult } from './results.ts'

export interface ExportOptions {
  readonly bundle: string
  readonly format: ExportFormat
  /** Default: the bundle's name with the format's extension. */
  readonly output?: string
  readonly force?: boolean
}

/**
 * Writes a bundle's network for others to run: ONNX (opset 18) or its weights as safetensors. The fitted features, which turn
 * columns into the network's inputs, lie beside it as JSON.
 * @throws BundleError, FileError.
 */
export async function exportBundle({
  bundle: path,
  format,
  output,
  force = false,
}: ExportOptions): Promise<ExportResult> {
  const { model, features, task } = await readTrained(path)
  const stem = (output ?? path).replace(/\.(fathom|onnx|safetensors)$/, '')
  const target = output ?? `${stem}.${format}`
  const weights = model.getWeights()
  if (format === 'onnx') await exportOnnx(target, model.toGraph({ batchSize: 256 }), weights, { force })
  else await exportSafetensors(target, weights, { force })
  const beside = `${stem}.features.json`
  const packed = features.toJSON()
  const tensors = Object.fromEntries(
    Object.entries(packed.tensors).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: Array.from(data as Float32Array) },
    ]),
  )
  const content = {
    format: 'fathom-features',
    inputs: features.fields,
    outputs: task.task === 'classification' ? 'probabilities' : 'standardised numbers',
    features: packed.json,
    tensors,
  }
  await writeFileAtomically(beside, (file) => file.writeFile(JSON.stringify(content)), { force })
  const files = [target, beside]
  return {
    bundle: path,
    format,
    files: await Promise.all(files.map(async (file) => ({ path: file, bytes: (await stat(file)).size }))),
  }
}
