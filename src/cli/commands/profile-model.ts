import { profileText } from '../../runtime/index.ts'
import { profileModel } from '../../tasks/index.ts'
import { type CommandContext, given } from '../context.ts'
import { printJson, say } from '../terminal.ts'

/** `fathom profile` of a bundle. */
export async function run({ flags }: CommandContext, bundle: string): Promise<number> {
  const options = given(flags, ['step', 'batchSize', 'runs', 'threads', 'trace', 'force'])
  const profile = await profileModel({ ...options, bundle })
  if (flags['json'] === true) printJson(profile)
  else say(profileText(profile))
  if (typeof flags['trace'] === 'string') say(`${flags['trace']}: open it in chrome://tracing or ui.perfetto.dev`)
  return 0
}
