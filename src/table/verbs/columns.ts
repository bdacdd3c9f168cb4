import { OptionError } from '../../core/index.ts'
import { columnNames, type DataType, type Plan, type Value } from '../../plan/index.ts'
import {
  checkColumns,
  checkExpressions,
  checkPerRow,
  type ColumnInput,
  entries,
  namedColumns,
  unique,
} from './check.ts'

export function select(plan: Plan, columns: readonly ColumnInput[]): Plan {
  const named = unique('select', namedColumns(columns))
  if (named.length === 0) throw noColumns('select')
  checkExpressions(
    plan,
    'select',
    named.map(({ expression }) => expression),
  )
  checkPerRow('select', named)
  return { kind: 'project', input: plan, columns: named }
}

export function withColumns(plan: Plan, columns: Readonly<Record<string, Value>>): Plan {
  const named = entries(columns)
  checkExpressions(
    plan,
    'withColumns',
    named.map(({ expression }) => expression),
  )
  checkPerRow('withColumns', named)
  return named.length === 0 ? plan : { kind: 'withColumns', input: plan, columns: named }
}

export function rename(plan: Plan, names: Readonly<Record<string, string>>): Plan {
  checkColumns(plan, 'rename', Object.keys(names))
  const pairs = Object.entries(names).map(([from, to]) => ({ from, to }))
  return pairs.length === 0 ? plan : { kind: 'rename', input: plan, names: pairs }
}

export function drop(plan: Plan, columns: readonly string[]): Plan {
  checkColumns(plan, 'drop', columns)
  if (columnNames(plan)?.every((name) => columns.includes(name)) === true) throw noColumns('drop')
  return columns.length === 0 ? plan : { kind: 'drop', input: plan, columns }
}

export interface CastOptions {
  /** Missing instead of an error where a value does not convert. Default false. */
  readonly safe?: boolean | undefined
}

export function cast(plan: Plan, types: Readonly<Record<string, DataType>> | DataType, options: CastOptions): Plan {
  const safe = options.safe ?? false
  if (isType(types)) return { kind: 'castAll', input: plan, to: types, safe }
  checkColumns(plan, 'cast', Object.keys(types))
  const columns = Object.entries(types).map(([name, to]) => ({ name, to }))
  return columns.length === 0 ? plan : { kind: 'cast', input: plan, columns, safe }
}

function isType(types: Readonly<Record<string, DataType>> | DataType): types is DataType {
  return typeof types === 'string' || ('decimal' in types && Array.isArray(types.decimal))
}

function noColumns(operation: string): OptionError {
  return new OptionError({ operation, expected: 'a table with at least one column', received: 'none' })
}
