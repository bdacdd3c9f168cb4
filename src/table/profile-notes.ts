import type { Association } from './associations.ts'
import { figure, percentage, plural } from './contracts/words.ts'
import type { ColumnProfile, Comparison, TableProfile } from './profile-types.ts'

/** An association so strong that a column may be the target under another name. */
const leakage = 0.98
const strong = 0.95

/** What one should know of a table before working with it: sentences, the gravest first. */
export function notesOf(profile: Omit<TableProfile, 'notes'>): string[] {
  const { rows, columns, duplicates = 0, associations = [], target } = profile
  const notes: string[] = []
  if (target !== undefined) notes.push(...leaks(associations, target))
  if (duplicates > 0) notes.push(`${figure(duplicates)} rows (${percentage(duplicates / rows)}) repeat another row`)
  for (const column of columns) notes.push(...ofColumn(column, rows))
  for (const { a, b, value } of associations) {
    if (Math.abs(value) < strong || a === target || b === target) continue
    notes.push(`${a} and ${b} say nearly the same (${value.toFixed(3)})`)
  }
  if (profile.comparison !== undefined) notes.push(...moved(profile.comparison))
  return notes
}

function leaks(associations: readonly Association[], target: string): string[] {
  return associations
    .filter(({ a, b, value }) => (a === target || b === target) && Math.abs(value) >= leakage)
    .map(
      ({ a, b, value }) =>
        `${a === target ? b : a} all but gives ${target} away (${value.toFixed(3)}): is it known when ${target} is to be predicted?`,
    )
}

function ofColumn(column: ColumnProfile, rows: number): string[] {
  const { name, role, missing, numbers, outliers } = column
  if (role === 'empty') return [`${name} holds no value`]
  if (role === 'constant') return [`${name} is the same in every row`]
  const notes: string[] = []
  if (missing > rows / 2) notes.push(`${name} is missing in ${percentage(missing / rows)} of rows`)
  if (role === 'identifier') notes.push(`${name} tells rows apart (${column.reason})`)
  else if (role === 'category' && column.distinct > 0.5 * (rows - missing) && rows > 100) {
    notes.push(`${name} is nearly unique: ${figure(column.distinct)} different values`)
  }
  const far = outliers === undefined ? 0 : (outliers.far ?? 0)
  if (far > 0 && far < rows * 0.01 && numbers !== undefined) {
    const { '0.5': middle } = numbers.quantiles
    notes.push(
      `${name} has ${plural(far, 'value')} far from its median of ${figure(middle)} (${figure(numbers.min)} to ${figure(numbers.max)})`,
    )
  }
  if (column.fewValues) notes.push(`${name} may be a code: ${figure(column.distinct)} different whole numbers`)
  return notes
}

function moved({ added, removed, retyped, drifts }: Comparison): string[] {
  const far = drifts.filter(({ drift }) => drift.psi > 0.25)
  return [
    ...(added.length > 0 ? [`columns that were not there: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`columns that are gone: ${removed.join(', ')}`] : []),
    ...retyped.map(({ column, before, now }) => `${column} was ${before} and is ${now}`),
    ...far.map(({ column, drift }) => {
      const most =
        drift.most === undefined
          ? ''
          : `: ${drift.most.label} ${percentage(drift.most.before)} before, ${percentage(drift.most.now)} now`
      return `${column} is distributed otherwise (PSI ${drift.psi.toFixed(2)})${most}`
    }),
  ]
}
