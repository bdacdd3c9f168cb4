import { DataError, FathomError } from '../core/index.ts'
import type { Engine } from '../engines/index.ts'
import type { JsonScan, Plan } from '../plan/index.ts'
import { tail } from './bytes.ts'
import { openText, type TextFile } from './encoding.ts'
import { emptyFile } from './files.ts'
import { foreignText } from './foreign.ts'
import type { Opened, ReadOptions } from './options.ts'
import { plainReport } from './report.ts'

/**
 * Reads JSON: one object a line, or one array of objects (told apart by the first character). Types are found over all
 * of it, and it is stored once.
 * @throws DataError with the place where the text is not JSON.
 */
export async function readJson(engine: Engine, paths: readonly string[], options: ReadOptions): Promise<Opened> {
  const groups = new Map<JsonScan['layout'], string[]>()
  let bytes = 0
  let largest = 0
  for (const path of paths) {
    const file = await openText(path, { encoding: options.encoding, scratch: () => engine.scratch() })
    const start = file.sample.trimStart()
    if (start === '') throw emptyFile(path)
    foreignText(path, start)
    bytes += file.bytes
    largest = Math.max(largest, file.bytes)
    const layout = options.format === 'ndjson' ? 'lines' : layoutOf(start)
    if (layout === 'array') await closed(path, file)
    groups.set(layout, [...(groups.get(layout) ?? []), file.path])
  }
  // No object is longer than its file: DuckDB reserves twice this for each thread.
  const maxObjectBytes = Math.min(2 ** 26, Math.max(2 ** 20, largest + 1024))
  const inputs = [...groups].map(([layout, files]): Plan => ({
    kind: 'scan',
    source: { format: 'json', paths: files, layout, maxObjectBytes },
    schema: undefined,
  }))
  const plan: Plan = inputs.length === 1 ? inputs[0]! : { kind: 'union', inputs, byName: true }
  const operation = `read ${paths[0]}`
  try {
    const stored = await engine.store(plan, { ...options, bytes, operation })
    return { plan: stored.scan, report: plainReport('json', paths, stored.scan.schema ?? [], stored.rows) }
  } catch (error) {
    if (!(error instanceof FathomError) || error.code !== 'QUERY') throw error
    throw new DataError({
      operation,
      expected: 'JSON objects, one a line or in one array',
      received: error.message
        .replace(/^[^:]*: /, '')
        .replace(/\s+/g, ' ')
        .replace(/ Try .*$/, '')
        .slice(0, 300),
      cause: error,
    })
  }
}

/** @throws DataError where the array's end is missing: DuckDB would take what there is. */
async function closed(source: string, { path, compression }: TextFile): Promise<void> {
  const end = (await tail(path, path === source ? compression : 'none', 200)).toString('latin1')
  if (end.trimEnd().endsWith(']')) return
  throw new DataError({
    operation: `read ${source}`,
    expected: 'an array of JSON that ends with "]"',
    received: `an end of ${JSON.stringify(end.trimEnd().slice(-20))}`,
    hint: 'The file may have been cut off: fetch it again',
  })
}

/** An array by its first character; lines where the first line is a whole object. */
function layoutOf(start: string): JsonScan['layout'] {
  if (start.startsWith('[')) return 'array'
  try {
    JSON.parse(/^[^\n]*/.exec(start)?.[0] ?? '')
    return 'lines'
  } catch {
    return /^\{[^\n]*\}\s*(?:\n|$)/.test(start) ? 'lines' : 'objects'
  }
}
