import { runCheck } from '../../tasks/index.ts'
import { formatContractReport } from '../../table/index.ts'
import { type CommandContext, given } from '../context.ts'
import { bold, dim, green, printJson, red, say, showProgress, yellow } from '../terminal.ts'

const paints = { good: green, bad: red, warn: yellow, muted: dim, strong: bold } as const

/** `fathom check`: 0 where the contract is kept, 1 where it is broken. */
export async function run({ flags, signal }: CommandContext, ...input: string[]): Promise<number> {
  const result = await runCheck(
    { ...given(flags, ['contract', 'infer', 'reference', 'report', 'force', 'threads', 'limitMemory', 'on']), input },
    { signal, onProgress: showProgress },
  )
  if (flags['json'] === true) printJson(result.checked ?? result.inferred)
  if (result.checked !== undefined) {
    say(bold(`${result.checked.name ?? 'contract'} on ${input.join(', ')}`))
    say(
      formatContractReport(result.checked, { paint: (text, as) => paints[as](text), passed: flags['quiet'] !== true }),
    )
  }
  if (result.contract !== undefined)
    say(`${result.contract}: ${result.inferred!.checks.length} checks; read it and change what is not meant`)
  if (result.report !== undefined) say(`  report: ${result.report}`)
  return result.passed ? 0 : 1
}
