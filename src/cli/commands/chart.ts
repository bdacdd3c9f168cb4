import { runChart } from '../../tasks/index.ts'
import { type CommandContext, given } from '../context.ts'
import { printJson, say, showProgress } from '../terminal.ts'

export const pictureFlags = [
  'output', 'force', 'x', 'y', 'by', 'aggregate', 'title', 'xLabel', 'yLabel', 'width', 'height', 'theme',
] // prettier-ignore

/** `fathom chart`: a picture in the terminal, or a file. */
export async function run({ flags, signal }: CommandContext, ...input: string[]): Promise<number> {
  const { text, ...result } = await runChart(
    { ...given(flags, [...pictureFlags, 'kind', 'threads', 'limitMemory', 'on']), input },
    { signal, onProgress: showProgress },
  )
  if (flags['json'] === true) printJson(result)
  else if (result.output === undefined) process.stdout.write(`${text}\n`)
  if (result.output !== undefined) say(`${result.output}: ${result.title}`)
  return 0
}
