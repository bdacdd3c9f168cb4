import { exportBundle, type ExportFormat } from '../../tasks/index.ts'
import { type CommandContext, given } from '../context.ts'
import { bytes, printJson, say } from '../terminal.ts'

/** `fathom export`. */
export async function run({ flags }: CommandContext, bundle: string): Promise<number> {
  const result = await exportBundle({
    ...given(flags, ['output', 'force']),
    bundle,
    format: flags['format'] as ExportFormat,
  })
  if (flags['json'] === true) printJson(result)
  for (const file of result.files) say(`${file.path}: ${bytes(file.bytes)}`)
  return 0
}
