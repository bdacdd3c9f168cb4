import { evaluate } from '../../tasks/index.ts'
import { type CommandContext, given } from '../context.ts'
import { bold, dim, duration, number, printJson, say, showProgress, table } from '../terminal.ts'

/** `fathom evaluate`. */
export async function run({ flags, signal }: CommandContext, bundle: string, ...input: string[]): Promise<number> {
  const result = await evaluate(
    { ...given(flags, ['report', 'force', 'seed', 'onBadRows', 'threads', 'limitMemory']), bundle, input },
    { signal, observer: { progress: showProgress, note: (text) => say(dim(`  note: ${text}`)) } },
  )
  if (flags['json'] === true) printJson(result)
  say(bold(`${bundle} on ${number(result.rows)} rows`) + dim(` · ${duration(result.seconds)}`))
  say(table(Object.entries(result.metrics).map(([name, value]) => [name, number(value)])))
  if (result.report !== undefined) say(`  report: ${result.report}`)
  return 0
}
