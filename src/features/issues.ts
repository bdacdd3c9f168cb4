import { TypeMismatchError } from '../core/index.ts'

/** What was met in one column while encoding. Counts are rows. */
export class ColumnIssues {
  readonly column: string
  rows = 0
  /** Rows without a value. */
  missing = 0
  /** Values that could not be understood as what the column was in training; they count as missing. */
  wrongType = 0
  /** Categories not among those of training. */
  unseen = 0
  /** Pictures that could not be decoded. */
  unreadable = 0
  /** The first few offending values or file names, for messages. */
  readonly examples: string[] = []

  constructor(column: string) {
    this.column = column
  }

  note(value: unknown): void {
    if (this.examples.length < 5) {
      const text = typeof value === 'string' ? value : String(value)
      this.examples.push(text.length > 80 ? `${text.slice(0, 79)}…` : text)
    }
  }
}

/**
 * What was met while encoding, over as many batches as it is given to. `check()` refuses columns whose values are mostly
 * of another type than in training: a column swapped or a file misread, not a few bad cells.
 */
export class EncodingReport {
  private readonly byColumn = new Map<string, ColumnIssues>()
  rows = 0
  /** Rows that did not become examples: unreadable pictures, missing targets. */
  dropped = 0
  /** Rows without a target or with one that is no class of training, among those dropped. */
  missingTarget = 0
  /** Columns that were there but are no feature. */
  readonly ignoredColumns = new Set<string>()
  /** Feature columns that were not there and were imputed, where that is allowed. */
  readonly imputedColumns = new Set<string>()

  column(name: string): ColumnIssues {
    let issues = this.byColumn.get(name)
    if (issues === undefined) {
      issues = new ColumnIssues(name)
      this.byColumn.set(name, issues)
    }
    return issues
  }

  get columns(): readonly ColumnIssues[] {
    return [...this.byColumn.values()]
  }

  /** @throws TypeMismatchError when more than half of a column's present values are of the wrong type. */
  check(): void {
    for (const issues of this.byColumn.values()) {
      const present = issues.rows - issues.missing
      if (issues.wrongType * 2 > present) {
        throw new TypeMismatchError({
          operation: `encode column "${issues.column}"`,
          expected: 'values of the type it had in training',
          received: `${issues.wrongType} of ${present} of another, such as ${issues.examples.map((each) => `"${each}"`).join(', ')}`,
          hint: 'Check that the column holds what it held in training',
        })
      }
    }
  }

  /** One sentence for each kind of thing met, for people; empty when nothing was. */
  warnings(): string[] {
    const out: string[] = []
    for (const issues of this.byColumn.values()) {
      const such = issues.examples.length > 0 ? ` (${issues.examples.map((each) => `"${each}"`).join(', ')})` : ''
      if (issues.wrongType > 0)
        out.push(`"${issues.column}": ${issues.wrongType} values of another type, taken as missing${such}`)
      if (issues.unseen > 0) out.push(`"${issues.column}": ${issues.unseen} values not seen in training`)
      if (issues.unreadable > 0)
        out.push(`"${issues.column}": ${issues.unreadable} unreadable pictures left out${such}`)
    }
    if (this.missingTarget > 0) out.push(`${this.missingTarget} rows without a usable target left out`)
    if (this.imputedColumns.size > 0) out.push(`absent, taken as missing: ${list(this.imputedColumns)}`)
    if (this.ignoredColumns.size > 0) out.push(`ignored, no features: ${list(this.ignoredColumns)}`)
    return out
  }
}

function list(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, 12).map((name) => `"${name}"`)
  return `${shown.join(', ')}${names.size > 12 ? ` and ${names.size - 12} more` : ''}`
}
