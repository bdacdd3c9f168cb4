import { resolve } from 'node:path'
import { type CsvScan, type JsonScan, refuse, type ScanSource, sparkDialect, sparkValues } from '../../plan/index.ts'
import { relation, sqlRelation } from '../../spark-connect/index.ts'

type Relation = ReturnType<typeof relation>

/** Whether a path names storage that a cluster reads (`hdfs://…`, `s3a://…`, `file:///…`), not a file of this machine. */
export function isClusterPath(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\//i.test(path)
}

/** A path as Hadoop's file systems take it. A plain one is a file of this machine, which is the cluster's too. */
export function hadoopPath(path: string): string {
  if (isClusterPath(path)) return path
  return `file://${resolve(path).replace(/[\\{}[\]*?]/g, '\\$&')}`
}

/** The column that holds the text of a row which does not fit. */
export const corruptColumn = '__corrupt'

const scans: { readonly [F in ScanSource['format']]: (source: Extract<ScanSource, { format: F }>) => Relation } = {
  csv: (source) => {
    const columns = [...source.columns, corruptColumn].map((name) => `${sparkDialect.identifier(name)} STRING`)
    const read = dataSource('csv', source.paths, csvOptions(source), columns.join(', '))
    return read
  },
  json: (source) => dataSource('json', source.paths, jsonOptions(source)),
  parquet: (source) => dataSource('parquet', source.paths, { mergeSchema: 'true' }),
  lines: (source) => dataSource('text', source.paths, {}, 'line STRING'),
  stored: (source) => sqlRelation(`SELECT * FROM ${source.name}`),
  values: (source) => sqlRelation(sparkValues(source)),
}

/** The relation that a scan's view is made of. @throws UnsupportedError for what Spark's readers cannot say. */
export function scanRelation(source: ScanSource): Relation {
  return (scans[source.format] as (source: ScanSource) => Relation)(source)
}

function dataSource(
  format: string,
  paths: readonly string[],
  options: Readonly<Record<string, string>>,
  schema?: string,
): Relation {
  const value = { format, paths: paths.map(hadoopPath), options, ...(schema === undefined ? {} : { schema }) }
  return relation({ relType: { case: 'read', value: { readType: { case: 'dataSource', value } } } })
}

function csvOptions(source: CsvScan): Record<string, string> {
  if (source.skipLines > 1) {
    refuse('read CSV', `${source.skipLines} lines before the rows: Spark's reader skips a header of one line`)
  }
  return {
    sep: source.delimiter,
    // U+0000 turns quotes off.
    quote: source.quote === '' ? '\0' : source.quote,
    escape: source.escape === '' ? '\\' : source.escape,
    ...(source.comment === '' ? {} : { comment: source.comment }),
    header: String(source.skipLines === 1),
    enforceSchema: 'true',
    multiLine: String(source.quote !== ''),
    mode: 'PERMISSIVE',
    columnNameOfCorruptRecord: corruptColumn,
    maxCharsPerColumn: String(source.maxLineBytes),
    maxColumns: String(Math.max(20_480, 2 * source.columns.length)),
    // A text that is empty is that; one that is not there is missing.
    nullValue: '',
    emptyValue: '',
    encoding: 'UTF-8',
  }
}

function jsonOptions({ layout }: JsonScan): Record<string, string> {
  if (layout === 'objects') {
    refuse('read JSON', 'objects written one after another over several lines', 'Write one object a line, or one array')
  }
  return { multiLine: String(layout === 'array'), mode: 'FAILFAST' }
}
