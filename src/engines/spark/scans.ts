import { type CsvScan, type JsonScan, refuse, type ScanSource, sparkDialect, sparkValues } from '../../plan/index.ts'
import { relation, sqlRelation } from '../../spark-connect/index.ts'
import { hadoopPath } from '../paths.ts'

type Relation = ReturnType<typeof relation>

/** The column that holds the text of a row which does not fit. */
export const corruptColumn = '__corrupt'

const scans: { readonly [F in ScanSource['format']]: (source: Extract<ScanSource, { format: F }>) => Relation } = {
  csv: (source) => {
    const columns = [...source.columns, corruptColumn].map((name) => `${sparkDialect.identifier(name)} STRING`)
    return dataSource('csv', source.paths, csvOptions(source), columns.join(', '))
  },
  json: (source) => dataSource('json', source.paths, jsonOptions(source)),
  parquet: (source) => dataSource('parquet', source.paths, { mergeSchema: 'true' }),
  lines: (source) => dataSource('text', source.paths, {}, 'line STRING'),
  table: (source) => sqlRelation(`SELECT * FROM ${source.name.map(sparkDialect.identifier).join('.')}`),
  stored: (source) => sqlRelation(`SELECT * FROM ${source.name}`),
  values: (source) => sqlRelation(sparkValues(source)),
}

/**
 * What of a view's rows a scan gives, where that is not all: of CSV the rows that fit. Rows that do not are found by
 * `corruptRows`.
 */
export function scanRows(source: ScanSource, view: string): string | undefined {
  if (source.format !== 'csv') return undefined
  const columns = source.columns.map(sparkDialect.identifier).join(', ')
  if (source.ignoreErrors) return `SELECT ${columns} FROM ${view} WHERE ${corruptColumn} IS NULL`
  const failure = `raise_error(concat('a row does not fit the columns: ', ${corruptColumn}))`
  return `SELECT ${columns} FROM ${view} WHERE CASE WHEN ${corruptColumn} IS NULL THEN true ELSE ${failure} END`
}

/** The text of the rows that do not fit, with the file that each lies in. Spark wants another column to be asked for, too. */
export function corruptRows({ columns }: CsvScan, view: string): string {
  const first = sparkDialect.identifier(columns[0]!)
  return `SELECT ${corruptColumn} AS text, ${first} AS first, input_file_name() AS path FROM ${view} WHERE ${corruptColumn} IS NOT NULL`
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
