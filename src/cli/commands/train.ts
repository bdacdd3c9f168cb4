import { readFileSync } from 'node:fs'

import { FileError, OptionError } from '../../core/index.ts'
import { train, type TaskObserver, type TrainPlan } from '../../tasks/index.ts'
import { type CommandContext, given, parseAssignments } from '../context.ts'
import { bold, bytes, dim, duration, green, number, printJson, say, showProgress, table } from '../terminal.ts'

/** `fathom train`: options from the config file, then the flags over it. */
export async function run({ flags, signal }: CommandContext, ...input: string[]): Promise<number> {
  const config = configFile(flags['config'] as string | undefined)
  const named = input.length === 0 ? config['input'] : input.length === 1 ? input[0]! : input
  if (named === undefined) {
    throw new OptionError({
      operation: 'train',
      expected: 'files, a folder or a glob to train on',
      received: 'none',
      hint: 'For example: fathom train churn.csv --target churned',
    })
  }
  const result = await train(
    { ...config, ...optionsFromFlags(flags), input: named as string | string[] },
    { signal, observer: trainObserver },
  )
  if (flags['json'] === true) printJson(result)
  say()
  say(bold(`${green('✓')} ${result.bundle}`) + dim(` · ${duration(result.seconds)}`))
  say(table(Object.entries(result.metrics).map(([name, value]) => [name, number(value)])))
  say(dim(`  on ${number(result.rows)} rows that training never saw`))
  say()
  say(`  fathom inspect ${result.bundle}`)
  say(`  fathom predict ${result.bundle} ${String(Array.isArray(named) ? named[0] : named)}`)
  return 0
}

function optionsFromFlags(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const same = [
    'target', 'output', 'test', 'task', 'preset', 'model', 'drop', 'testFraction', 'validationFraction', 'epochs', 'batchSize',
    'learningRate', 'imageSize', 'flip', 'seed', 'threads', 'limitMemory', 'force', 'resume', 'checkpointSeconds', 'onBadRows', 'contract',
    'on',
  ] // prettier-ignore
  const options = given(flags, same)
  const columns = parseAssignments('--column', flags['column'])
  if (Object.keys(columns).length > 0) options['columns'] = columns
  if (flags['splitTime'] !== undefined) options['split'] = { time: flags['splitTime'] }
  if (flags['splitGroup'] !== undefined) options['split'] = { group: flags['splitGroup'] }
  if (flags['augment'] === false) options['augment'] = false
  return options
}

function configFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {}
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new FileError({
      operation: `read ${path}`,
      problem: 'the configuration file cannot be read',
      hint: 'Check the path',
      cause,
    })
  }
  const refused = (received: string, cause?: unknown) =>
    new OptionError({
      operation: `read ${path}`,
      expected: 'a JSON object of options',
      received,
      hint: 'For example: { "target": "churned", "preset": "fast", "columns": { "id": "drop" } }',
      cause,
    })
  let options: unknown
  try {
    options = JSON.parse(text)
  } catch (cause) {
    throw refused((cause as Error).message, cause)
  }
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) {
    return options as Record<string, unknown>
  }
  throw refused(Array.isArray(options) ? 'an array' : JSON.stringify(options))
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
        `${number(plan.rows.train)} to train on (${plan.stopping}), ${number(plan.rows.test)} to test on (${plan.split})`,
      ],
      ['training', `at most ${plan.epochs} epochs, ${plan.batchSize} examples a step`],
      ['peak memory', bytes(plan.peakMemory)],
    ]),
  )
  say()
}
