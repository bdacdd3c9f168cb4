import { columnNames } from '../names.ts'
import { type ExplodeNode, type Plan, type SampleNode, type UnnestNode, unresolved } from '../nodes.ts'
import { orderColumn } from './spark-aggregates.ts'
import type { Compiling } from './spark-joins.ts'
import { sparkIdentifier as identifier } from './spark-literals.ts'

export function namesOf(plan: Plan): readonly string[] {
  const names = columnNames(plan)
  if (names === undefined) throw unresolved(plan.kind)
  return names
}

export function identifiers(names: readonly string[]): string {
  return names.map(identifier).join(', ')
}

/** The input with the place of each row in it. */
export function numbered(input: Plan, compiling: Compiling): string {
  const rows = `${compiling.relation(input)} AS ${compiling.fresh('t')}`
  return `(SELECT *, monotonically_increasing_id() AS ${orderColumn} FROM ${rows}) AS ${compiling.fresh('t')}`
}

/** Whether a row is taken depends on its place and the seed alone. The rows are others than the embedded engine's. */
export function sample({ input, size, seed, by }: SampleNode, compiling: Compiling): string {
  const columns = identifiers(namesOf(input))
  const hash = `xxhash64(${orderColumn}, CAST(${seed} AS BIGINT))`
  const rows = numbered(input, compiling)
  if (by !== undefined) {
    const groups = `PARTITION BY ${identifiers(by)}`
    const most = 'rows' in size ? String(size.rows) : `round(${size.fraction}D * count(*) OVER (${groups}), 0)`
    const ranked = `(SELECT *, row_number() OVER (${groups} ORDER BY ${hash}, ${orderColumn}) AS __place, ${most} AS __most FROM ${rows})`
    return `SELECT ${columns} FROM ${ranked} AS ${compiling.fresh('t')} WHERE __place <= __most ORDER BY ${orderColumn}`
  }
  if ('fraction' in size) {
    const bound = BigInt(Math.round(size.fraction * 2 ** 32))
    return `SELECT ${columns} FROM ${rows} WHERE pmod(${hash}, 4294967296L) < ${bound}L`
  }
  const chosen = `(SELECT * FROM ${rows} ORDER BY ${hash}, ${orderColumn} LIMIT ${size.rows})`
  return `SELECT ${columns} FROM ${chosen} AS ${compiling.fresh('t')} ORDER BY ${orderColumn}`
}

export function explode({ input, columns, outer, position }: ExplodeNode, compiling: Compiling): string {
  const single = columns.length === 1
  // Of a list that is missing nothing would be left of the others.
  const lists = columns.map((name) => (single ? identifier(name) : `coalesce(${identifier(name)}, array())`))
  const zipped = single ? lists[0]! : `arrays_zip(${lists.join(', ')})`
  const view = compiling.fresh('e')
  const element = (name: string): string => {
    const index = columns.indexOf(name)
    if (index < 0) return identifier(name)
    return `${single ? '__element' : `__element.\`${index}\``} AS ${identifier(name)}`
  }
  const list = namesOf(input).map(element)
  if (position !== undefined) list.push(`CAST(__position + 1 AS BIGINT) AS ${identifier(position)}`)
  const rows = `${compiling.relation(input)} AS ${compiling.fresh('t')}`
  return `SELECT ${list.join(', ')} FROM ${rows} LATERAL VIEW ${outer ? 'OUTER ' : ''}posexplode(${zipped}) ${view} AS __position, __element`
}

export function unnest({ input, column, prefix, fields }: UnnestNode, compiling: Compiling): string {
  if (fields === undefined) throw unresolved('unnest')
  const rows = `${compiling.relation(input)} AS ${compiling.fresh('t')}`
  if (fields === 'all') return `SELECT ${identifier(column)}.* FROM ${rows}`
  const list = namesOf(input).flatMap((name) => {
    if (name !== column) return [identifier(name)]
    return fields.map((field) => `${identifier(column)}.${identifier(field)} AS ${identifier(prefix + field)}`)
  })
  return `SELECT ${list.join(', ')} FROM ${rows}`
}
