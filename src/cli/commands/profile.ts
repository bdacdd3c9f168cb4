import { OptionError } from '../../core/index.ts'
import { formatProfile } from '../../table/index.ts'
import { runProfile } from '../../tasks/index.ts'
import { type CommandContext, given } from '../context.ts'
import { bold, dim, printJson, say, showProgress, yellow } from '../terminal.ts'

const paints = { strong: bold, muted: dim, warn: yellow } as const

/** `fathom profile`: of data, or of a bundle's network. */
export async function run(context: CommandContext, ...input: string[]): Promise<number> {
  const { flags, signal } = context
  const [first] = input
  if (first?.endsWith('.fathom') === true) {
    refuse(flags, ['target', 'compare', 'report'], 'data')
    return (await import('./profile-model.ts')).run(context, first)
  }
  refuse(flags, ['step', 'batchSize', 'runs', 'trace'], 'a bundle')
  const result = await runProfile(
    { ...given(flags, ['target', 'compare', 'report', 'force', 'threads', 'limitMemory', 'on']), input },
    { signal, onProgress: showProgress },
  )
  if (flags['json'] === true) printJson(result.profile)
  else {
    const width = process.stdout.isTTY ? process.stdout.columns : 120
    const paint = process.stdout.isTTY ? (text: string, as: keyof typeof paints) => paints[as](text) : undefined
    process.stdout.write(`${formatProfile(result.profile, { width, ...(paint === undefined ? {} : { paint }) })}\n`)
  }
  if (result.report !== undefined) say(`  report: ${result.report}`)
  return 0
}

function refuse(flags: Readonly<Record<string, unknown>>, names: readonly string[], of: string): void {
  const odd = names.find((name) => flags[name] !== undefined)
  if (odd === undefined) return
  throw new OptionError({
    operation: 'profile',
    expected: `options of ${of === 'data' ? 'a bundle' : 'data'}`,
    received: `--${odd.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}, which is for ${of}`,
  })
}
