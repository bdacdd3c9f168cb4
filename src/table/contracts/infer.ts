import { isNumeric } from '../../plan/index.ts'
import type { ColumnProfile, TableProfile } from '../profile-types.ts'
import { nameOfType } from './column-types.ts'
import type { Check, ColumnReference, Contract } from './types.ts'

/** Values of a category that are listed; beyond, new ones are to be expected. */
const listedValues = 20

/**
 * The promises that a table keeps today, to be read and changed by people: types and presence hold strictly; what more
 * data may rightly stretch (ranges of numbers, number of rows, distributions) warns.
 */
export function inferContract(
  name: string,
  profile: TableProfile,
  references: ReadonlyMap<string, ColumnReference>,
): Contract {
  const checks: Check[] = [{ check: 'rows', min: Math.max(1, Math.floor(profile.rows / 2)), severity: 'warn' }]
  for (const column of profile.columns) checks.push(...checksOf(column, profile.rows, references.get(column.name)))
  return { fathom: 'contract', version: 1, name, checks }
}

function checksOf(profile: ColumnProfile, rows: number, reference: ColumnReference | undefined): Check[] {
  const { name: column, numbers, role } = profile
  const present = rows - profile.missing
  if (present === 0) return [{ check: 'column', column }]
  const checks: Check[] = [
    { check: 'type', column, type: nameOfType[profile.type] },
    { check: 'missing', column, max: profile.missing === 0 ? 0 : roundUp((profile.missing / rows) * 1.5) },
  ]
  if (role === 'identifier' && profile.distinctExact && profile.distinct === present) {
    return [...checks, { check: 'unique', columns: [column] }]
  }
  if (numbers !== undefined && isNumeric(profile.type)) {
    if (numbers.min >= 0) checks.push({ check: 'range', column, min: 0 })
    const reach = (numbers.max - numbers.min) * 0.1
    const min = numbers.min - reach
    const whole = profile.type !== 'float64'
    checks.push({
      check: 'range',
      column,
      ...(numbers.min >= 0 && min <= 0 ? {} : { min: whole ? Math.floor(min) : rounded(min) }),
      max: whole ? Math.ceil(numbers.max + reach) : rounded(numbers.max + reach),
      severity: 'warn',
    })
  }
  const values = profile.top.map(({ value }) => value)
  const closed =
    role === 'category' &&
    profile.distinct <= listedValues &&
    values.length === profile.distinct &&
    present >= profile.distinct * 10
  if (closed && profile.type === 'string') checks.push({ check: 'oneOf', column, values: values.toSorted() })
  const varies = role === 'numeric' || role === 'category' || role === 'boolean'
  if (varies && reference !== undefined && !spread(reference)) checks.push({ check: 'drift', column, reference })
  return checks
}

/** A category of so many values that most are none of those kept says nothing about drift. */
function spread(reference: ColumnReference): boolean {
  return reference.kind === 'category' && reference.other > 0.5
}

function roundUp(share: number): number {
  return Math.min(1, Math.ceil(share * 1000) / 1000)
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
