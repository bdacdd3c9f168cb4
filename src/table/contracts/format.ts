import type { CheckResult, ContractReport, FailingRow } from './types.ts'
import { figure, plural } from './words.ts'

export interface FormatOptions {
  /** Also the checks that passed. Default true. */
  readonly passed?: boolean
  /** Marks and colours: how a word is written for its meaning. Default: plain. */
  readonly paint?: (text: string, as: 'good' | 'bad' | 'warn' | 'muted' | 'strong') => string
}

/** The report as text: a line a check, and under a broken one some of its rows. */
export function formatContractReport(report: ContractReport, options: FormatOptions = {}): string {
  const paint = options.paint ?? ((text) => text)
  const shown = report.results.filter(({ passed }) => !passed || options.passed !== false)
  const width = Math.min(64, Math.max(0, ...shown.map(({ expected }) => Array.from(expected).length)))
  const lines = shown.flatMap((result) => {
    const [mark, as] = markOf(result)
    const head = `  ${paint(mark, as)} ${clip(result.expected, width).padEnd(width)}  ${paint(result.found, result.passed ? 'muted' : as)}`
    const because =
      result.passed || result.because === undefined ? [] : [`      ${paint(`because ${result.because}`, 'muted')}`]
    return [head, ...because, ...result.examples.map((row) => `      ${paint(exampleText(row), 'muted')}`)]
  })
  return [...lines, '', `  ${summaryOf(report)}`].map((line) => line.trimEnd()).join('\n')
}

/** "14 of 16 checks passed on 9,994 rows: 1 error, 1 warning" */
export function summaryOf(report: ContractReport): string {
  const passed = report.results.filter((result) => result.passed).length
  const broken = [
    report.errors > 0 ? plural(report.errors, 'error') : '',
    report.warnings > 0 ? plural(report.warnings, 'warning') : '',
  ].filter((each) => each !== '')
  return `${figure(passed)} of ${plural(report.results.length, 'check')} passed on ${plural(report.rows, 'row')}${broken.length === 0 ? '' : `: ${broken.join(', ')}`}`
}

function markOf({ passed, severity }: CheckResult): readonly [string, 'good' | 'bad' | 'warn'] {
  if (passed) return ['✓', 'good']
  return severity === 'error' ? ['✗', 'bad'] : ['!', 'warn']
}

/** "line 12: Sales = -3" */
export function exampleText({ row, line, values }: FailingRow): string {
  const where = line !== undefined ? `line ${figure(line)}: ` : row !== undefined ? `row ${figure(row)}: ` : ''
  return (
    where +
    Object.entries(values)
      .map(([name, value]) => `${name} = ${valueText(value)}`)
      .join(', ')
  )
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'missing'
  if (value instanceof Date) return value.toISOString().replace(/T00:00:00\.000Z$/, '')
  if (typeof value === 'string') return JSON.stringify(clip(value, 60))
  if (typeof value === 'object') return clip(JSON.stringify(value), 60)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : ''
}

function clip(text: string, width: number): string {
  const characters = Array.from(text)
  return characters.length <= width ? text : `${characters.slice(0, Math.max(1, width - 1)).join('')}…`
}
