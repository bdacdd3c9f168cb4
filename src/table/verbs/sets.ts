import { OptionError } from '../../core/index.ts'
import { columnNames, type Plan } from '../../plan/index.ts'
import { checkColumns } from './check.ts'

export interface UnionOptions {
  /** Match columns by name, absent ones missing. Default true; else by position. */
  readonly byName?: boolean | undefined
  /** Equal rows once. Default false. */
  readonly distinct?: boolean | undefined
}

export interface SetOptions {
  /** Match columns by name. Default true; else by position. */
  readonly byName?: boolean | undefined
  /** Count equal rows instead of giving each row once. Default false. */
  readonly all?: boolean | undefined
}

export function union(inputs: readonly Plan[], options: UnionOptions): Plan {
  const { byName = true, distinct = false } = options
  if (!byName) for (const input of inputs.slice(1)) checkCount('union', inputs[0]!, input)
  return { kind: 'union', inputs, byName, distinct }
}

export function setOperation(operation: 'intersect' | 'except', left: Plan, right: Plan, options: SetOptions): Plan {
  const { byName = true, all = false } = options
  checkCount(operation, left, right)
  if (byName) checkColumns(right, operation, columnNames(left) ?? [])
  return { kind: 'setOperation', operation, left, right, byName, all }
}

function checkCount(operation: string, left: Plan, right: Plan): void {
  const [own, others] = [columnNames(left), columnNames(right)]
  if (own === undefined || others === undefined || own.length === others.length) return
  throw new OptionError({
    operation,
    expected: `the same columns in both tables (${own.join(', ')})`,
    received: others.join(', '),
    hint: 'Select them first',
  })
}
