import type { CommandContext } from '../context.ts'
import { runQuery } from '../../tasks/index.ts'
import { given } from '../context.ts'
import { pictureFlags } from './chart.ts'
import { printJson, say } from '../terminal.ts'

/** `fathom query`: a table in the terminal, a picture there, or a file. */
export async function run({ flags, signal }: CommandContext, sql: string): Promise<number> {
  const result = await runQuery(
    { ...given(flags, [...pictureFlags, 'chart', 'threads', 'limitMemory', 'on']), sql },
    { signal },
  )
  if (flags['json'] === true)
    printJson({ rows: result.rows, columns: result.columns, output: result.output, data: result.data })
  else if (result.text !== undefined) process.stdout.write(`${result.text}\n`)
  if (result.output !== undefined) say(`${result.output}: ${result.rows} rows`)
  return 0
}
