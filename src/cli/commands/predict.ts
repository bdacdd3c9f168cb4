import { CancelledError } from '../../core/index.ts'
import { predict } from '../../tasks/index.ts'
import { type CommandContext, given } from '../context.ts'
import { dim, duration, number, printJson, say, showProgress } from '../terminal.ts'

/** `fathom predict`: rows to a file, or as NDJSON on stdout; JSON rows come from stdin when no input is named. */
export async function run({ flags, signal }: CommandContext, bundle: string, ...input: string[]): Promise<number> {
  const json = flags['json'] === true
  const result = await predict(
    {
      ...given(flags, ['output', 'force', 'missingColumns', 'contract', 'onBadRows', 'threads', 'limitMemory']),
      bundle,
      ...(input.length > 0 ? { input } : { rows: await rowsFromStdin(signal) }),
    },
    { signal, observer: { progress: showProgress, note: (text) => say(dim(`  note: ${text}`)) } },
  )
  if (json) printJson(result)
  else for (const row of result.predictions ?? []) printJson(row)
  if (result.output !== undefined) say(`${result.output}: ${number(result.rows)} rows in ${duration(result.seconds)}`)
  return 0
}

async function rowsFromStdin(signal: AbortSignal): Promise<string> {
  if (process.stdin.isTTY) say('Reading JSON rows from the keyboard: one object a line, Ctrl-D at the end.')
  const stop = () => process.stdin.destroy(new CancelledError({ operation: 'predict', problem: 'it was cancelled' }))
  signal.addEventListener('abort', stop, { once: true })
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
