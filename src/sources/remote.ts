import { join } from 'node:path'
import { OptionError, type Schema } from '../core/index.ts'
import { defaultEngine, type Engine, isClusterPath, type RunOptions } from '../engines/index.ts'
import { col, count, type DataType, type JsonScan, type Plan, type ScanNode } from '../plan/index.ts'
import { readCsvSample } from './csv/read.ts'
import { formatExtension, hasGlob } from './files.ts'
import type { Opened, ReadFormat, ReadOptions } from './options.ts'
import { plainReport, type ReadReport } from './report.ts'

/** Lines of a file on a cluster that tell how it is written. */
const sampleLines = 2000
let handed = 0

/**
 * Opens files for an engine that is not in this process. Files of this machine are opened by the embedded engine, with
 * all that it finds out about them, and their typed rows go over: as a Parquet file where the engine runs on this machine,
 * else in messages, up to a limit.
 */
export async function handOver(engine: Engine, open: (engine: Engine) => Promise<Opened>): Promise<Opened> {
  if (engine.localFiles === 'read') return open(engine)
  const embedded = defaultEngine()
  const { plan, report } = await open(embedded)
  return { plan: await moved(embedded, plan, engine, `read ${report.files[0] ?? ''}`), report }
}

/** A plan's rows on another engine. */
export async function moved(
  from: Engine,
  plan: Plan,
  to: Engine,
  operation: string,
  { signal, onProgress }: RunOptions = {},
): Promise<Plan> {
  if (from === to) return plan
  if (from.localFiles === 'read' && to.localFiles === 'handed') {
    const schema = await from.schema(plan)
    const path = join(await to.scratch(), `handed-${++handed}.parquet`)
    await from.write(written(plan, schema), { path, format: 'parquet' }, { signal, onProgress })
    const scan: ScanNode = { kind: 'scan', source: { format: 'parquet', paths: [path] }, schema: undefined }
    return { ...scan, schema: await to.schema(scan) }
  }
  const schema = await from.schema(plan)
  return (await to.load(schema, from.batches(plan, { signal, onProgress }), { operation, signal })).scan
}

/** Types that Spark does not read from Parquet, as ones that it does. */
function written(plan: Plan, schema: Schema): Plan {
  const texts = /^(?:TIME|TIME_NS|TIME WITH TIME ZONE|INTERVAL|UUID|BIT|BIGNUM|ENUM.*)$/
  const wide = /^(?:HUGEINT|UHUGEINT|UBIGINT)$/
  const columns = schema.flatMap(({ name, sqlType }): { name: string; to: DataType }[] => {
    if (texts.test(sqlType)) return [{ name, to: 'string' }]
    return wide.test(sqlType) ? [{ name, to: 'int64' }] : []
  })
  return columns.length === 0 ? plan : { kind: 'cast', input: plan, columns, safe: false }
}

type ClusterReader = (engine: Engine, paths: readonly string[], options: ReadOptions) => Promise<Opened>

const readers: { readonly [F in ReadFormat]: ClusterReader } = {
  csv: (engine, paths, options) => readCsvOn(engine, paths, options),
  tsv: (engine, paths, options) => readCsvOn(engine, paths, { delimiter: '\t', ...options }),
  json: readJsonOn,
  ndjson: readJsonOn,
  parquet: (engine, paths) => opened(engine, 'parquet', paths, scan({ format: 'parquet', paths })),
  lines: async (engine, paths) => {
    const text = col('line').trim()
    return opened(engine, 'lines', paths, {
      kind: 'project',
      input: {
        kind: 'filter',
        input: scan({ format: 'lines', paths }),
        condition: text.notEqual('').node,
      },
      columns: [{ name: 'text', expression: text.node }],
    })
  },
  labeledLines: () => unread('labelled lines'),
  arrow: () => unread('Arrow files'),
}
const byExtension: Readonly<Record<string, ReadFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  pq: 'parquet',
  txt: 'lines',
}

/** Opens files on storage that only the engine reads: `hdfs://…`, `s3a://…`, `file:///…`. Patterns are the storage's own. */
export async function openOnCluster(engine: Engine, paths: readonly string[], options: ReadOptions): Promise<Opened> {
  const operation = `read ${paths[0]}`
  if (engine.localFiles === 'read') {
    throw new OptionError({
      operation,
      expected: 'a file of this machine',
      received: `"${paths[0]}"`,
      hint: "Say which cluster reads it: { on: 'sc://host:15002' }, --on sc://host:15002",
    })
  }
  const local = paths.find((path) => !isClusterPath(path))
  if (local !== undefined) {
    throw new OptionError({
      operation,
      expected: 'files of this machine or of the cluster, not both',
      received: `"${local}" and "${paths.find(isClusterPath)}"`,
      hint: 'Read them one by one and join them with union',
    })
  }
  const formats = new Set(paths.map((path) => options.format ?? byExtension[formatExtension(path)] ?? 'parquet'))
  const [format] = formats
  if (formats.size > 1 || format === undefined) {
    throw new OptionError({ operation, expected: 'files of one format', received: [...formats].join(' and ') })
  }
  return readers[format](engine, paths, options)
}

function unread(what: string): never {
  throw new OptionError({
    operation: 'read',
    expected: 'CSV, TSV, JSON, Parquet or lines of text on a cluster',
    received: what,
    hint: 'Read them on this machine',
  })
}

function scan(source: ScanNode['source']): ScanNode {
  return { kind: 'scan', source, schema: undefined }
}

async function opened(
  engine: Engine,
  format: string,
  paths: readonly string[],
  plan: Plan,
  rows?: number,
): Promise<Opened> {
  const schema = await engine.schema(plan)
  const known = plan.kind === 'scan' ? { ...plan, schema } : plan
  return { plan: known, report: plainReport(format, paths, schema, rows ?? (await rowsOf(engine, known))) }
}

async function rowsOf(engine: Engine, input: Plan): Promise<number> {
  const plan: Plan = { kind: 'aggregate', input, keys: [], aggregates: [{ name: 'rows', expression: count().node }] }
  for await (const batch of engine.batches(plan)) return Number(batch.columns[0]?.values[0] ?? 0)
  return 0
}

/** The first lines, of the first file where several are named. */
async function beginning(engine: Engine, paths: readonly string[]): Promise<string> {
  const lines: string[] = []
  const input = scan({ format: 'lines', paths: paths.slice(0, 1) })
  for await (const { columns } of engine.batches({ kind: 'limit', input, count: sampleLines, offset: 0 })) {
    for (const line of columns[0]!.values as readonly (string | null)[]) lines.push(line ?? '')
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

async function readJsonOn(engine: Engine, paths: readonly string[]): Promise<Opened> {
  const layout: JsonScan['layout'] = (await beginning(engine, paths)).trimStart().startsWith('[') ? 'array' : 'lines'
  return opened(engine, layout === 'array' ? 'json' : 'ndjson', paths, scan({ format: 'json', paths, layout }))
}

async function readCsvOn(engine: Engine, paths: readonly string[], options: ReadOptions): Promise<Opened> {
  const sample = await beginning(engine, paths)
  const read = await readCsvSample(engine, paths, sample, sample.split('\n').length <= sampleLines, options)
  const several = paths.length > 1 || paths.some(hasGlob)
  const notes = several ? ['columns and types are those of the first file that the cluster named'] : []
  const report: ReadReport = { ...read.report, notes: [...read.report.notes, ...notes] }
  return { ...read, report }
}
