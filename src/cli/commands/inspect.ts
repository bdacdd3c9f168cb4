import { inspect } from '../../tasks/index.ts'
import type { CommandContext } from '../context.ts'
import { bold, bytes, number, printJson, say, table } from '../terminal.ts'

/** `fathom inspect`. */
export async function run({ flags }: CommandContext, bundle: string): Promise<number> {
  const inspection = await inspect(bundle)
  if (flags['json'] === true) {
    printJson(inspection)
    return 0
  }
  const section = (title: string, rows: readonly (readonly string[])[]) => {
    if (rows.length === 0) return
    say(bold(title))
    say(table(rows))
    say()
  }
  say(bold(`${bundle}: ${inspection.task}`))
  say()
  section(
    'inputs',
    inspection.inputs.map(({ name, role, detail }) => [name, role, detail]),
  )
  section('output', [[inspection.target.name, inspection.target.detail]])
  section(
    'layers',
    inspection.layers.map(({ name, type, outputShape, parameters }) => [name, type, outputShape, number(parameters)]),
  )
  section('size', [
    ['parameters', number(inspection.parameters)],
    ['file', bytes(inspection.bytes)],
  ])
  section(
    'metrics',
    Object.entries(inspection.metrics).map(([name, value]) => [name, number(value)]),
  )
  section(
    'lineage',
    Object.entries(inspection.lineage).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
  return 0
}
