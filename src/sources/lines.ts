import { basename, extname } from 'node:path'
import { DataError } from '../core/index.ts'
import type { Engine } from '../engines/index.ts'
import { col, type Expr, lit, type Plan, when } from '../plan/index.ts'
import { openText, withPlainLineEnds } from './encoding.ts'
import { emptyFile } from './files.ts'
import type { Opened, ReadOptions } from './options.ts'
import { plainReport } from './report.ts'

const labelPattern = '^(?:__label__)?([^\\s:]+)(?::(\\S+))?\\s+(.*)$'

/**
 * One document a line. Several files are several classes: a column `label` then holds what tells their names apart.
 * Columns: `text`, and `label`. Blank lines are left out.
 */
export async function readLines(engine: Engine, paths: readonly string[], options: ReadOptions): Promise<Opened> {
  const labels = paths.length > 1 ? distinguishing(paths) : undefined
  const { inputs, bytes, encoding } = await lineScans(engine, paths, options)
  const labelled = inputs.map((input, i): Plan => {
    const columns: [string, Expr][] = [['text', col('line').trim()]]
    if (labels !== undefined) columns.push(['label', lit(labels[i]!)])
    return project(input, columns)
  })
  const plan: Plan = labelled.length === 1 ? labelled[0]! : { kind: 'union', inputs: labelled, byName: false }
  return finish(engine, paths, plan, 'lines', bytes, encoding, options)
}

/**
 * Lines that begin with their label: "LABEL:finer text", "LABEL text" or "__label__LABEL text". Columns: `label`,
 * `detail` where labels have a finer part, and `text`.
 */
export async function readLabeledLines(
  engine: Engine,
  paths: readonly string[],
  options: ReadOptions,
): Promise<Opened> {
  const { inputs, bytes, encoding, samples } = await lineScans(engine, paths, options)
  const detailed = samples.some((sample) => /^[^\s:]+:\S+\s/m.test(sample))
  const part = (group: number): Expr => col('line').extract(labelPattern, group)
  const plan: Plan = project(inputs.length === 1 ? inputs[0]! : { kind: 'union', inputs, byName: false }, [
    ['label', part(1)],
    ...(detailed ? [['detail', when(part(2).notEqual(''), part(2)).end()] satisfies [string, Expr]] : []),
    ['text', part(3).trim()],
  ])
  return finish(engine, paths, plan, 'labeledLines', bytes, encoding, options)
}

/** Whether the lines of a text begin with labels: few different first words, each often. */
export function looksLabeled(sample: string): boolean {
  const lines = sample.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '')
  if (lines.length < 10) return false
  const labels = new Map<string, number>()
  for (const line of lines) {
    const label = /^(?:__label__\S+|[A-Za-z][\w-]*:[\w-]+)(?=\s+\S)/.exec(line)?.[0]
    if (label === undefined) return false
    labels.set(label, (labels.get(label) ?? 0) + 1)
  }
  return labels.size <= Math.max(2, lines.length / 10)
}

function project(input: Plan, columns: readonly [string, Expr][]): Plan {
  return {
    kind: 'project',
    input: { kind: 'filter', input, condition: col('line').isNotNull().and(col('line').trim().notEqual('')).node },
    columns: columns.map(([name, { node }]) => ({ name, expression: node })),
  }
}

async function lineScans(
  engine: Engine,
  paths: readonly string[],
  options: ReadOptions,
): Promise<{ inputs: Plan[]; bytes: number; encoding: string; samples: string[] }> {
  const inputs: Plan[] = []
  const found = new Set<string>()
  const samples: string[] = []
  let bytes = 0
  for (const path of paths) {
    const file = await openText(path, { encoding: options.encoding, scratch: () => engine.scratch() })
    if (file.sample.trim() === '') throw emptyFile(path)
    found.add(file.encoding)
    samples.push(file.sample)
    bytes += file.bytes
    const mixed = /[^\r]\n/.test(file.sample) && file.sample.includes('\r')
    const readable = mixed ? await withPlainLineEnds(file, '', await engine.scratch()) : file.path
    inputs.push({ kind: 'scan', source: { format: 'lines', paths: [readable] }, schema: undefined })
  }
  return { inputs, bytes, encoding: [...found].join(', '), samples }
}

async function finish(
  engine: Engine,
  paths: readonly string[],
  plan: Plan,
  format: string,
  bytes: number,
  encoding: string,
  options: ReadOptions,
): Promise<Opened> {
  const operation = `read ${paths[0]}`
  const stored = await engine.store(plan, { ...options, bytes, operation })
  const schema = stored.scan.schema ?? []
  return { plan: stored.scan, report: { ...plainReport(format, paths, schema, stored.rows), encoding } }
}

/** The extensions where the stems agree ("pos" and "neg" of reviews.pos and reviews.neg), else the stems. */
export function distinguishing(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path).replace(/\.(gz|zst)$/i, ''))
  const stems = names.map((name) => name.slice(0, name.length - extname(name).length))
  const extensions = names.map((name) => extname(name).slice(1))
  const labels = new Set(stems).size === 1 ? extensions : stems
  if (new Set(labels).size === labels.length) return labels
  throw new DataError({
    operation: 'read lines',
    expected: 'files whose names tell the classes apart',
    received: names.join(', '),
  })
}
