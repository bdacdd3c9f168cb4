import { readFileSync } from 'node:fs'

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import type { CommandContext } from './context.ts'
import { CancelledError, FathomError, OptionError } from '../core/index.ts'
import { red, say } from './terminal.ts'

/** Exit codes: the command's contract with scripts. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** A command is described here and implemented in a module of its own, loaded when it runs: `--help` must start at once. */
type Load = () => Promise<{ run(context: CommandContext, ...positional: string[]): Promise<number> }>

/** What the first Ctrl-C does: asks the work to save and end, or ends it where there is nothing to save. */
type Stops = 'gently' | 'atOnce'

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('fathom')
    .description('From data to a trained, evaluated, reusable model, in one command.')
    .version(version(), '-v, --version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      '\nExample:\n  $ fathom train examples/data/wine-quality.csv --target quality\n\nfathom COMMAND --help tells more.',
    )
    .showSuggestionAfterError()

  let exit: number = exitCodes.ok
  const add = (usage: string, description: string, example: string, load: Load, stops: Stops = 'gently'): Command => {
    const command = program
      .command(usage)
      .description(description)
      .addHelpText('after', `\nExample:\n  $ ${example}`)
      .exitOverride()
      .option('--json', 'print one JSON object on stdout; human text stays on stderr')
    command.action(async (...received: unknown[]) => {
      const positional = received
        .slice(0, -2)
        .flat()
        .filter((each) => each !== undefined) as string[]
      const signal = interruptSignal(stops)
      exit = await (await load()).run({ flags: command.opts(), signal }, ...positional)
    })
    return command
  }

  on(
    resources(
      overwrite(
        add(
          'train [input...]',
          'Train a model on a table, pictures or texts and write a bundle.',
          'fathom train examples/data/wine-quality.csv --target quality -o wine.fathom',
          () => import('./commands/train.ts'),
        ),
      ),
    ),
  )
    .option('-t, --target <column>', 'column to predict (folders: the sub-folders are the classes)')
    .option('-o, --output <file>', "bundle to write (default: the input's name with .fathom)")
    .option('--test <path>', 'evaluate on this data instead of a held-back part')
    .option('--config <file>', 'JSON file with the same options; flags win')
    .addOption(new Option('--task <task>', 'what to do with the target').choices(['classification', 'regression']))
    .addOption(new Option('--preset <preset>', 'how much to invest').choices(['fast', 'default', 'best']))
    .addOption(new Option('--model <model>', 'architecture').choices(['mlp', 'residual', 'cnn', 'bag', 'attention']))
    .option('--column <name=role...>', 'role of a column: numeric, category, text, date or drop')
    .option('--drop <column...>', 'columns to leave out')
    .option('--split-time <column>', 'hold back the latest rows by this column')
    .option('--split-group <column>', 'hold back whole groups of this column')
    .option('--test-fraction <share>', 'share held back for the test (default: 0.2)', numeric)
    .option('--validation-fraction <share>', 'share of the rest that stops training early', numeric)
    .option('--epochs <n>', 'passes over the data at most', numeric)
    .option('--batch-size <n>', 'examples a step', numeric)
    .option('--learning-rate <x>', 'peak step size', numeric)
    .option('--image-size <pixels>', 'resize pictures to this height and width', numeric)
    .option('--flip', 'mirror pictures at random')
    .option('--no-flip', 'never mirror pictures')
    .option('--no-augment', 'show pictures as they are')
    .addOption(onBadRows())
    .option('--contract <file>', 'promises that the data must keep, now and when predicting (see fathom check)')
    .option('--checkpoint-seconds <n>', 'time between checkpoints while training (default: 20)', numeric)
    .option('--resume', 'continue an interrupted training to the result it would have had')

  resources(
    overwrite(
      add(
        'evaluate <bundle> <input...>',
        'Measure a bundle on labelled data.',
        'fathom evaluate wine.fathom examples/data/wine-quality.csv --report report.html',
        () => import('./commands/evaluate.ts'),
      ),
    ),
  )
    .option('--report <file>', 'write the report page')
    .addOption(onBadRows())
  resources(
    overwrite(
      add(
        'predict <bundle> [input...]',
        'Predict rows of a table, pictures, texts, or JSON rows from stdin.',
        'fathom predict wine.fathom examples/data/wine-quality.csv -o out.parquet',
        () => import('./commands/predict.ts'),
      ),
    ),
  )
    .option('-o, --output <file>', 'csv, tsv, ndjson or parquet (default: NDJSON on stdout)')
    .addOption(
      new Option('--missing-columns <what>', 'columns that the model wants and the data lacks').choices([
        'error',
        'impute',
      ]),
    )
    .addOption(
      new Option('--contract <what>', "rows that break the training's contract, and drift").choices([
        'error',
        'warn',
        'off',
      ]),
    )
    .addOption(onBadRows())
  add(
    'inspect <bundle>',
    'Show what a bundle holds: inputs, features, layers, metrics, lineage.',
    'fathom inspect wine.fathom',
    () => import('./commands/inspect.ts'),
    'atOnce',
  )
  overwrite(
    add(
      'export <bundle>',
      'Write the network in another format.',
      'fathom export wine.fathom --format onnx',
      () => import('./commands/export.ts'),
      'atOnce',
    ),
  )
    .addOption(new Option('--format <format>', 'what to write').choices(['onnx', 'safetensors']).makeOptionMandatory())
    .option('-o, --output <path>', "file to write (default: the bundle's name)")
  on(
    overwrite(
      add(
        'profile <input...>',
        'Look at data, column by column; of a bundle, where a step of its network spends its time.',
        'fathom profile examples/data/wine-quality.csv --target quality --report profile.html',
        () => import('./commands/profile.ts'),
        'atOnce',
      ),
    ),
  )
    .option('-t, --target <column>', 'data: the column that is to be predicted')
    .option('--compare <path>', 'data: earlier data to measure drift from')
    .option('--report <file>', 'data: write the page')
    .option('--limit-memory <size>', 'bytes for the whole process, such as 1GB')
    .addOption(
      new Option('--step <step>', 'bundle: what to time (default: training)').choices(['training', 'prediction']),
    )
    .option('--batch-size <n>', 'bundle: examples a step (default: 32)', numeric)
    .option('--runs <n>', 'bundle: timed steps (default: 10)', numeric)
    .option('--threads <n>', 'threads (default: the processors)', numeric)
    .option('--trace <file>', 'bundle: write a Chrome trace')
  on(
    picture(
      resources(
        overwrite(
          add(
            'chart <input...>',
            'Draw data: in the terminal, or as a picture.',
            'fathom chart examples/data/wine-quality.csv --x color --y alcohol --kind box',
            () => import('./commands/chart.ts'),
          ),
        ),
      ),
    ),
  )
    .option('-o, --output <file>', 'svg, png or html (default: the terminal)')
    .addOption(new Option('--kind <kind>', 'what to draw (default: chosen by the columns)').choices(kinds))
  on(
    picture(
      resources(
        overwrite(
          add(
            'query <sql>',
            'Ask SQL of files.',
            `fathom query "select color, avg(alcohol) from 'examples/data/wine-quality.csv' group by 1" --chart bar`,
            () => import('./commands/query.ts'),
          ),
        ),
      ),
    ),
  )
    .option('-o, --output <file>', 'csv, tsv, ndjson, parquet; with --chart svg, png or html')
    .addOption(new Option('--chart [kind]', 'draw the result').choices(kinds).preset('auto'))

  on(
    resources(
      overwrite(
        add(
          'check <input...>',
          'Check data against a contract, or infer one from data.',
          'fathom check examples/data/wine-quality.csv --infer wine.contract.json',
          () => import('./commands/check.ts'),
        ),
      ),
    ),
  )
    .option('--contract <file>', 'JSON file of the promises to check')
    .option('--infer <file>', 'write the contract that the data keeps today')
    .option('--reference <path>', 'data that drift is measured from')
    .option('--report <file>', 'write the report page')
    .option('--quiet', 'list only what is broken')

  const fail = (error: unknown) => process.exit(report(error))
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  // Whoever reads our output may have enough of it: `fathom predict … | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit() : fail(error)))
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    exit = report(error)
  }
  process.exitCode = exit
  // Sessions that were opened would keep the process.
  if (argv.some((each) => each.startsWith('--on'))) await (await import('../engines/index.ts')).closeClusters()
}

const kinds = ['auto', 'bar', 'line', 'area', 'scatter', 'histogram', 'box', 'heatmap', 'correlation']

function picture(command: Command): Command {
  return command
    .option('--x <column>', 'column across')
    .option('--y <column...>', 'columns upwards')
    .option('--by <column>', 'column whose values are told apart')
    .addOption(
      new Option('--aggregate <how>', 'how values of one place become one (default: mean)').choices([
        'mean',
        'sum',
        'count',
        'min',
        'max',
        'median',
      ]),
    )
    .option('--title <text>', 'what stands above the picture')
    .option('--x-label <text>', 'what stands at the axis across')
    .option('--y-label <text>', 'what stands at the axis upwards')
    .option('--width <n>', 'pixels, or characters in the terminal', numeric)
    .option('--height <n>', 'pixels', numeric)
    .addOption(new Option('--theme <theme>', 'of png').choices(['light', 'dark']))
}

function resources(command: Command): Command {
  return command
    .option('--seed <n>', 'seed of everything random (default: 0)', numeric)
    .option('--threads <n>', 'threads (default: the processors)', numeric)
    .option('--limit-memory <size>', 'bytes for the whole process, such as 1GB')
}

function on(command: Command): Command {
  return command.option('--on <address>', 'ask Spark instead of this process: sc://host:15002')
}

function numeric(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}

function onBadRows(): Option {
  const option = new Option('--on-bad-rows <what>', 'rows that do not fit the columns (collect: list them in a file)')
  return option.choices(['error', 'skip', 'collect'])
}

function overwrite(command: Command): Command {
  return command.option('--force', 'overwrite existing outputs')
}

/** Prints an error as a person wants it and gives the exit code. Only what Fathom did not foresee shows a stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof CancelledError) {
    say(error.message)
    return exitCodes.interrupted
  }
  if (error instanceof FathomError) {
    say(`${red('error')} ${error.message}`)
    return error instanceof OptionError ? exitCodes.usage : exitCodes.failed
  }
  const fault = error instanceof Error ? error : new Error(String(error))
  say(`${red('error')} ${fault.message}`)
  if (process.env['FATHOM_DEBUG'] === undefined)
    say('This should not have happened. FATHOM_DEBUG=1 shows where it did.')
  else say(fault.stack)
  return exitCodes.failed
}

/** Aborts at the first Ctrl-C (or SIGTERM), so that work can save; the second ends the process at once. */
function interruptSignal(stops: Stops): AbortSignal {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted || stops === 'atOnce') process.exit(exitCodes.interrupted)
    controller.abort()
    say('Stopping after this step; once more to stop at once.')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
