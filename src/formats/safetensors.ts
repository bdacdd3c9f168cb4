import { type OutputOptions, type Tensors, writeSafetensors } from '../bundle/index.ts'

/**
 * Writes weights as one safetensors file, atomically.
 * @throws FileError when the output exists (without `force`) or cannot be written.
 */
export async function exportSafetensors(
  path: string,
  weights: Tensors,
  options: OutputOptions & { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  await writeSafetensors(path, weights, options)
}
