import { DataError, type Schema } from '../core/index.ts'

/** @throws DataError naming the column that differs, and how. */
export function sameColumns(firstPath: string, first: Schema, path: string, own: Schema): void {
  const lacking = first.filter((field) => !own.some((other) => other.name === field.name))
  const extra = own.filter((field) => !first.some((other) => other.name === field.name))
  const changed = first.flatMap((field) => {
    const other = own.find(({ name }) => name === field.name)
    return other === undefined || comparable(field, other)
      ? []
      : [`"${field.name}" as ${other.sqlType}, not ${field.sqlType}`]
  })
  if (lacking.length + extra.length + changed.length === 0) return
  const names = (fields: Schema): string => {
    const shown = fields.slice(0, 8).map(({ name }) => `"${name}"`)
    return `${shown.join(', ')}${fields.length > 8 ? ` and ${fields.length - 8} more` : ''}`
  }
  throw new DataError({
    operation: `read ${path}`,
    expected: `the columns of ${firstPath}`,
    received: [
      ...(lacking.length > 0 ? [`none named ${names(lacking)}`] : []),
      ...(extra.length > 0 ? [`also ${names(extra)}`] : []),
      ...changed.slice(0, 8),
    ].join(' and '),
    hint:
      changed.length > 0
        ? 'Read the files one by one, cast the column, and join them with union'
        : 'Read the files one by one and join them with union',
  })
}

const numeric = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/
const temporal = /^TIMESTAMP|^DATE$/

/** Types of one kind hold each other's values: numbers, or times. A zone or none is a difference. */
function comparable(a: Schema[number], b: Schema[number]): boolean {
  if (a.sqlType === b.sqlType) return true
  if (numeric.test(a.sqlType) && numeric.test(b.sqlType)) return true
  if (/WITH TIME ZONE/.test(a.sqlType) !== /WITH TIME ZONE/.test(b.sqlType)) return false
  return temporal.test(a.sqlType) && temporal.test(b.sqlType)
}
