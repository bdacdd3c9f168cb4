import { readFileSync } from 'node:fs'

import { FileError, OptionError } from '../../core/index.ts'
import { train, type TaskObserver, type TrainPlan } from '../../tasks/index.ts'
import { type CommandContext, given, parseAssignments } from '../context.ts'
import { bold, bytes, dim, duration, green, number, printJson, say, showProgress, table } from '../terminal.ts'

/** `fathom train`: options from the config file, then the flags over it. */
export async function run({ flags, signal }: CommandContext, ...input: string[]): Promise<number> {
  const result = await train(
    { ...configFile(flags['config']), ...optionsFromFlags(flags), input: input.length === 1 ? input[0]! : input },
    { signal, observer: trainObserver },
  )
  if (flags['json'] === true) printJson(result)
  say()
  say(bold(`${green('✓')} ${result.bundle}`) + dim(` · ${duration(result.seconds)}`))
  say(table(Object.entries(result.metrics).map(([name, value]) => [name, number(value)])))
  say(dim(`  on ${number(result.rows.test)} rows that training never saw`))
  say()
  say(`  fathom inspect ${result.bundle}`)
  say(`  fathom predict ${result.bundle} ${input[0]!}`)
  return 0
}

function optionsFromFlags(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const same = [
    'target', 'output', 'test', 'task', 'preset', 'model', 'drop', 'testFraction', 'validationFraction', 'epochs', 'batchSize',
    'learningRate', 'imageSize', 'flip', 'seed', 'threads', 'limitMemory', 'force', 'resume', 'onBadRows',
  ] // prettier-ignore
  const options = given(flags, same)
  const columns = parseAssignments('--column', flags['column'])
  if (Object.keys(columns).length > 0) options['columns'] = columns
  if (flags['splitTime'] !== undefined) options['split'] = { time: flags['splitTime'] }
  if (flags['splitGroup'] !== undefined) options['split'] = { group: flags['splitGroup'] }
  if (flags['augment'] === false) options['augment'] = false
  return options
}

function configFile(path: unknown): Record<string, unknown> {
  if (path === undefined) return {}
  let text: string
  try {
    text = readFileSync(String(path), 'utf8')
  } catch (cause) {
    throw new FileError({
      operation: `read ${String(path)}`,
      problem: 'the configuration file cannot be read',
      hint: 'Check the path',
      cause,
    })
  }
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new OptionError({
      operation: `read ${String(path)}`,
      expected: 'a JSON object of options',
      received: (cause as Error).message,
      cause,
    })
  }
}

const trainObserver: TaskObserver = {
  plan: printPlan,
  progress: showProgress,
  note: (text) => say(dim(`  note: ${text}`)),
  epoch({ epoch, epochs, figures, seconds, best }) {
    const shown = Object.entries(figures).map(([name, value]) => `${name} ${number(value)}`)
    say(
      `  epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  ${shown.join('  ')}  ${dim(duration(seconds))}${best ? green(' *') : ''}`,
    )
  },
}

function printPlan(plan: TrainPlan): void {
  say(table(plan.inferences.map(({ about, what, why }) => [about, bold(what), dim(why)])))
  const { parameters, flopsPerExample, summary } = plan.model
  say(
    table([
      [
        'model',
        `${summary}: ${number(parameters)} parameters, ${number(Math.round(flopsPerExample / 1000))} kFLOP an example`,
      ],
      [
        'rows',
        `${number(plan.rows.train)} to train on, ${number(plan.rows.validation)} to stop by, ${number(plan.rows.test)} to test on`,
      ],
      ['training', `at most ${plan.epochs} epochs, ${plan.batchSize} examples a step`],
      ['peak memory', bytes(plan.peakMemory)],
    ]),
  )
  say()
}
