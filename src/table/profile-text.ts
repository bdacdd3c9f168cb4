import { displayWidth } from '../charts/format.ts'
import { figure, percentage, plural } from './contracts/words.ts'
import type { ColumnProfile, TableProfile } from './profile-types.ts'

export interface ProfileTextOptions {
  /** Characters across. Default 100. */
  readonly width?: number
  /** How a heading and what is less important are written. Default: plain. */
  readonly paint?: (text: string, as: 'strong' | 'muted' | 'warn') => string
}

/** A profile for a terminal: a line a column, then what one should know. */
export function formatProfile(profile: TableProfile, options: ProfileTextOptions = {}): string {
  const { width = 100, paint = (text) => text } = options
  const { rows, columns, duplicates, associations = [], target, notes } = profile
  const head = ['column', 'role', 'missing', 'distinct', 'distribution', 'values']
  const cells = columns.map((column) => [
    clip(plain(column.name), 28),
    column.role,
    column.missing === 0 ? '' : percentage(column.missing / rows),
    `${column.distinctExact ? '' : '~'}${figure(column.distinct)}`,
    spark(column),
    clip(plain(summary(column)), 200),
  ])
  const widths = head.map((name, i) => Math.max(displayWidth(name), ...cells.map((row) => displayWidth(row[i]!))))
  const line = (row: readonly string[]): string => {
    const padded = row.map((cell, i) => {
      const space = ' '.repeat(Math.max(0, widths[i]! - displayWidth(cell)))
      return i === 2 || i === 3 ? space + cell : i === row.length - 1 ? cell : cell + space
    })
    return clip(`  ${padded.join('  ')}`, width).trimEnd()
  }
  const out = [
    `${plural(rows, 'row')}, ${plural(columns.length, 'column')}${duplicates === undefined ? '' : `, ${duplicates === 0 ? 'no' : figure(duplicates)} duplicates`}`,
    '',
    paint(line(head), 'muted'),
    ...cells.map(line),
  ]
  const own = associations.filter(({ a, b }) => target === undefined || a === target || b === target)
  const strongest = own.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 8)
  if (strongest.length > 0) {
    const sampled =
      (profile.associationRows ?? rows) < rows ? ` (on a sample of ${figure(profile.associationRows ?? 0)} rows)` : ''
    out.push(
      '',
      paint(target === undefined ? `what goes together${sampled}` : `what goes with ${target}${sampled}`, 'strong'),
    )
    for (const { a, b, measure, value, spearman } of strongest) {
      const names = target === undefined ? `${a} – ${b}` : a === target ? b : a
      const ranks = spearman === undefined ? '' : `, ranks ${spearman.toFixed(2)}`
      out.push(`  ${value.toFixed(2).padStart(5)}  ${names} ${paint(`${measureNames[measure]}${ranks}`, 'muted')}`)
    }
  }
  if (notes.length > 0)
    out.push('', paint('to know', 'strong'), ...notes.map((note) => `  ${paint('!', 'warn')} ${note}`))
  return out.join('\n')
}

export const measureNames = { pearson: 'Pearson', cramersV: 'Cramér’s V', correlationRatio: 'η' } as const

/** The least a person wants of a column's values. */
function summary({ numbers, dates, text, top, role }: ColumnProfile): string {
  if (numbers !== undefined) {
    return `${figure(numbers.min)} … ${figure(numbers.quantiles['0.5'])} … ${figure(numbers.max)}, mean ${figure(rounded(numbers.mean))}`
  }
  if (dates !== undefined) return `${day(dates.first)} … ${day(dates.last)}`
  if (role === 'text' && text !== undefined) return `${text.meanWords.toFixed(1)} words on average`
  return top
    .slice(0, 4)
    .map(({ value, count }) => `${value} (${figure(count)})`)
    .join(', ')
}

const blocks = '▁▂▃▄▅▆▇█'

function spark({ histogram }: ColumnProfile): string {
  if (histogram === undefined) return ''
  // Ten bars say the shape.
  const size = Math.ceil(histogram.counts.length / 10)
  const counts = Array.from({ length: Math.ceil(histogram.counts.length / size) }, (_, i) =>
    histogram.counts.slice(i * size, (i + 1) * size).reduce((sum, count) => sum + count, 0),
  )
  const most = Math.max(...counts, 1)
  return counts.map((count) => (count === 0 ? ' ' : blocks[Math.min(7, Math.floor((count / most) * 8))]!)).join('')
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function day(date: Date): string {
  return date
    .toISOString()
    .replace(/T00:00:00\.000Z$/, '')
    .replace(/\.000Z$/, '')
}

function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}

function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  const characters = Array.from(text)
  let [out, used] = ['', 0]
  for (const character of characters) {
    used += displayWidth(character)
    if (used > width - 1) break
    out += character
  }
  return `${out}…`
}
