import { CancelledError, didYouMean, type Field, OptionError, QueryError, type Schema } from '../../core/index.ts'
import type { OnProgress } from '../../core/index.ts'
import type { Engine, RunOptions } from '../../engines/index.ts'
import { count, type Expr, isNumeric, type Plan } from '../../plan/index.ts'
import type { ReadReport } from '../../sources/index.ts'
import { rowsOf } from '../collect.ts'
import { nameOfType, typesNamed } from './column-types.ts'
import { type Drift, driftOf, judged } from './drift.ts'
import { columnsOfCheck, questionOf, rowsFigure, secondsOf, unfit } from './facts.ts'
import { linesOfRows } from './lines.ts'
import {
  aggregate,
  checkReference,
  exampleRows,
  foreignKeyQuery,
  increasingQuery,
  type OwnQuery,
  rowName,
  uniqueQuery,
} from './own.ts'
import { sampleColumns } from './reference.ts'
import type { Check, CheckOf, CheckResult, ColumnReference, Contract, ContractReport, FailingRow } from './types.ts'
import { driftNames, figure, percentage, plural, sentenceOf } from './words.ts'

export interface CheckOptions extends RunOptions {
  /** The plans of tables that foreign keys name. Files are opened by whoever calls. */
  readonly references?: ReadonlyMap<string, Plan> | undefined
  /** What drift is measured from, by column, for drift checks that carry no reference. */
  readonly distributions?: ReadonlyMap<string, ColumnReference> | undefined
  /** Failing rows shown of each check. Default 5. */
  readonly examples?: number | undefined
  /** What "now" is to `fresh`. Default: the present. */
  readonly now?: Date | undefined
  /** To name lines of the file. */
  readonly readReport?: ReadReport | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Rows that a drift is measured on. */
export const driftRows = 200_000

/**
 * Checks a contract by queries: one pass over the table for all conditions on rows and figures; then a query each for
 * uniqueness, foreign keys and order; one sample for all drifts; and one for the examples of each check that fails.
 */
export async function checkPlan(
  engine: Engine,
  plan: Plan,
  contract: Contract,
  options: CheckOptions = {},
): Promise<ContractReport> {
  const start = performance.now()
  const schema = await engine.schema(plan)
  const run = new Run(engine, plan, schema, options)
  const report = await run.all(contract.checks)
  const failed = report.results.filter(({ passed }) => !passed)
  const errors = failed.filter(({ severity }) => severity === 'error').length
  return {
    name: contract.name,
    passed: errors === 0,
    rows: report.rows,
    errors,
    warnings: failed.length - errors,
    results: report.results,
    seconds: (performance.now() - start) / 1000,
  }
}

type Verdict = Pick<CheckResult, 'passed' | 'found'> & Partial<Pick<CheckResult, 'failing' | 'share' | 'value'>>
type Facts = Readonly<Record<string, unknown>>

class Run {
  private readonly fields: ReadonlyMap<string, Field>
  private readonly engine: Engine
  private readonly plan: Plan
  private readonly options: CheckOptions
  private numbered = true

  constructor(engine: Engine, plan: Plan, schema: Schema, options: CheckOptions) {
    this.engine = engine
    this.plan = plan
    this.options = options
    this.fields = new Map(schema.map((field) => [field.name, field]))
  }

  async all(checks: readonly Check[]): Promise<{ readonly rows: number; readonly results: readonly CheckResult[] }> {
    const refused = checks.map((check) => this.refusal(check))
    const facts = await this.facts(checks, refused)
    const rows = Number(facts['rows'] ?? 0)
    const drifts = await this.drifts(checks, refused, rows)
    const results: CheckResult[] = []
    for (const [i, check] of checks.entries()) {
      this.options.onProgress?.({ phase: 'check', done: i, total: checks.length, unit: 'checks', rate: undefined })
      const verdict = refused[i] ?? (await this.verdict(check, i, facts, rows, drifts))
      const examples = refused[i] !== undefined || verdict.passed || !verdict.failing ? [] : await this.examples(check)
      results.push({
        kind: check.check,
        columns: columnsOfCheck(check),
        expected: sentenceOf(check),
        because: check.because,
        severity: check.severity ?? (check.check === 'drift' ? 'warn' : 'error'),
        passed: verdict.passed,
        found: verdict.found,
        failing: verdict.failing,
        share: verdict.share,
        examples,
        value: verdict.value,
      })
    }
    return { rows, results }
  }

  /** What can be said without asking for a row: columns that are not there, types that do not fit. */
  private refusal(check: Check): Verdict | undefined {
    const missing = columnsOfCheck(check).filter((name) => !this.fields.has(name))
    if (missing.length > 0) {
      const known = [...this.fields.keys()]
      const hint = didYouMean(missing[0]!, known)
      return {
        passed: false,
        found: `there is no column "${missing[0]}"${hint.startsWith('Did') ? `. ${hint}?` : ''}`,
      }
    }
    if (check.check === 'column') return { passed: true, found: 'it is' }
    if (check.check === 'columns') {
      const extra = [...this.fields.keys()].filter((name) => !check.columns.includes(name))
      return {
        passed: extra.length === 0,
        found: extra.length === 0 ? 'no other' : `also ${extra.map((name) => `"${name}"`).join(', ')}`,
      }
    }
    const reason = unfit(check, this.fields)
    return reason === undefined ? undefined : { passed: false, found: reason }
  }

  private async facts(checks: readonly Check[], refused: readonly (Verdict | undefined)[]): Promise<Facts> {
    const wanted: Record<string, Expr> = { rows: rowsFigure }
    for (const [i, check] of checks.entries()) {
      if (refused[i] !== undefined) continue
      const { failing, figures = {} } = questionOf(check, this.fields)
      if (failing !== undefined) wanted[`${i}.failing`] = count().filter(failing)
      for (const [name, figure] of Object.entries(figures)) wanted[`${i}.${name}`] = figure
    }
    const [facts = {}] = await this.query(aggregate(this.plan, wanted))
    return facts
  }

  private async verdict(
    check: Check,
    i: number,
    facts: Facts,
    rows: number,
    drifts: ReadonlyMap<string, Drift>,
  ): Promise<Verdict> {
    const failing = Number(facts[`${i}.failing`] ?? 0)
    switch (check.check) {
      case 'type': {
        const type = this.fields.get(check.column)!.type
        const passed = typesNamed[check.type].includes(type)
        const found = `it is ${nameOfType[type]}`
        if (passed || failing === 0) return { passed, found }
        return {
          passed,
          found: `${found}; ${plural(failing, 'value')} cannot be read as ${check.type}`,
          failing,
          share: failing / rows,
        }
      }
      case 'missing': {
        const share = rows === 0 ? 0 : failing / rows
        return {
          passed: share <= check.max,
          found: failing === 0 ? 'none is' : `${of(failing, rows)} are`,
          failing,
          share,
        }
      }
      case 'range':
      case 'oneOf':
      case 'matches':
      case 'length':
      case 'rule':
        return tolerated(check.tolerance, failing, rows)
      case 'rows':
        return {
          passed: rows >= (check.min ?? 0) && rows <= (check.max ?? Number.POSITIVE_INFINITY),
          found: plural(rows, 'row'),
          value: rows,
        }
      case 'fresh':
        return this.age(check, facts[`${i}.newest`])
      case 'statistic':
        return measured(check, facts[`${i}.value`])
      case 'drift':
        return this.drifted(check, drifts.get(check.column), rows)
      case 'unique':
      case 'foreignKey':
      case 'increasing': {
        const [found = {}] = await this.query((await this.own(check)).counts)
        const failing = Number(found['failing'] ?? 0)
        if (check.check !== 'unique') return tolerated(check.tolerance, failing, rows)
        const verdict = tolerated(check.tolerance, failing, rows)
        return failing === 0
          ? verdict
          : {
              ...verdict,
              found: `${plural(failing, 'row repeats', 'rows repeat')} another (${percentage(failing / rows)})`,
            }
      }
      case 'column':
      case 'columns':
        return { passed: true, found: '' }
    }
  }

  private async own(check: CheckOf<'unique' | 'foreignKey' | 'increasing'>): Promise<OwnQuery> {
    if (check.check === 'unique') return uniqueQuery(check, this.plan)
    if (check.check === 'increasing') return increasingQuery(check, this.plan)
    const { file, table, columns } = check.references
    const name = file ?? table ?? ''
    const other = this.options.references?.get(name)
    if (other === undefined) {
      throw new OptionError({
        operation: 'check a foreign key',
        expected: `the table "${name}" that the contract refers to`,
        received: [...(this.options.references?.keys() ?? [])].map((each) => `"${each}"`).join(', ') || 'no table',
        hint: 'Give it in `tables`, or name a file in the contract',
      })
    }
    if (columns.length !== check.columns.length) {
      throw new OptionError({
        operation: 'check a foreign key',
        expected: `as many columns of ${name} as of the table: ${check.columns.length}`,
        received: String(columns.length),
      })
    }
    await checkReference(this.engine, other, name, columns)
    return foreignKeyQuery(check, this.plan, other)
  }

  private age(check: CheckOf<'fresh'>, newest: unknown): Verdict {
    if (!(newest instanceof Date)) return { passed: false, found: 'there is no date' }
    const now = this.options.now ?? new Date()
    const seconds = (now.getTime() - newest.getTime()) / 1000
    const found = `the newest is ${newest.toISOString().replace(/T00:00:00\.000Z$/, '')}, ${ageOf(seconds)} old`
    return { passed: seconds <= secondsOf(check.maxAge), found, value: seconds }
  }

  private async drifts(
    checks: readonly Check[],
    refused: readonly (Verdict | undefined)[],
    rows: number,
  ): Promise<ReadonlyMap<string, Drift>> {
    const wanted = new Map<string, ColumnReference>()
    for (const [i, check] of checks.entries()) {
      if (check.check !== 'drift' || refused[i] !== undefined) continue
      const reference = this.referenceFor(check)
      if (reference !== undefined) wanted.set(check.column, reference)
    }
    const drifts = new Map<string, Drift>()
    if (wanted.size === 0 || rows === 0) return drifts
    for await (const [name, column] of sampleColumns(
      this.engine,
      this.plan,
      [...wanted.keys()],
      rows,
      driftRows,
      this.options,
    )) {
      drifts.set(name, driftOf(wanted.get(name)!, column))
    }
    return drifts
  }

  private referenceFor(check: CheckOf<'drift'>): ColumnReference | undefined {
    const reference = check.reference ?? this.options.distributions?.get(check.column)
    const field = this.fields.get(check.column)!
    return reference === undefined || (reference.kind === 'number') !== isNumeric(field.type) ? undefined : reference
  }

  private drifted(check: CheckOf<'drift'>, drift: Drift | undefined, rows: number): Verdict {
    if (drift === undefined) {
      if (rows === 0) return { passed: false, found: 'there is no row' }
      return {
        passed: false,
        found:
          this.referenceFor(check) === undefined
            ? 'there is no reference to compare with: give --reference, or a contract that holds one'
            : 'it could not be measured',
      }
    }
    const method = check.method ?? 'psi'
    const byP = judged[method].isP || check.minP !== undefined
    const value = byP && method === 'ks' ? drift.ks!.p : judged[method].of(drift)
    const limit = byP ? (check.minP ?? judged[method].limit) : (check.max ?? judged[method].limit)
    const moved =
      drift.most === undefined
        ? ''
        : `; ${drift.most.label}: ${percentage(drift.most.before)} before, ${percentage(drift.most.now)} now`
    const sampled = rows > driftRows ? ` on a sample of about ${figure(driftRows)} rows` : ''
    const what = byP
      ? `p = ${figure(Number(value.toPrecision(3)))}`
      : `${driftNames[method]} ${figure(Number(value.toPrecision(3)))}`
    const passed = byP ? value >= limit : value <= limit
    return { passed, found: `${what}, ${byP ? 'least' : 'limit'} ${limit}${sampled}${passed ? '' : moved}`, value }
  }

  /** Some of the rows that fail. */
  private async examples(check: Check): Promise<readonly FailingRow[]> {
    const wanted = this.options.examples ?? 5
    if (wanted === 0) return []
    const rows = await this.failingRows(check)
    if (rows === undefined) return []
    const columns = [...new Set(columnsOfCheck(check))]
    const found = await this.exampleRows(rows, columns, wanted)
    const positions = found.map((row) => (row[rowName] === undefined ? undefined : Number(row[rowName])))
    const lines = await linesOfRows(
      this.options.readReport,
      positions.filter((each) => each !== undefined),
    ).catch(() => undefined)
    return found.map((row, i) => ({
      row: positions[i],
      line: positions[i] === undefined ? undefined : lines?.get(positions[i]),
      values: Object.fromEntries(columns.map((name) => [name, row[name]])),
    }))
  }

  private async exampleRows(
    rows: (table: Plan) => Plan,
    columns: readonly string[],
    wanted: number,
  ): Promise<Record<string, unknown>[]> {
    if (this.numbered) {
      try {
        return await this.query(exampleRows(rows, this.plan, columns, wanted, true))
      } catch (error) {
        // A cluster's tables have no order to number rows by.
        if (error instanceof CancelledError || !(error instanceof QueryError || error instanceof OptionError))
          throw error
        this.numbered = false
      }
    }
    return this.query(exampleRows(rows, this.plan, columns, wanted, false))
  }

  private async failingRows(check: Check): Promise<((table: Plan) => Plan) | undefined> {
    if (check.check === 'unique' || check.check === 'foreignKey' || check.check === 'increasing')
      return (await this.own(check)).rows
    const { failing } = questionOf(check, this.fields)
    return failing === undefined ? undefined : (table) => ({ kind: 'filter', input: table, condition: failing.node })
  }

  private async query(plan: Plan): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    for await (const batch of this.engine.batches(plan, { signal: this.options.signal })) rows.push(...rowsOf(batch))
    return rows
  }
}

function of(failing: number, rows: number): string {
  return `${figure(failing)} of ${plural(rows, 'row')} (${percentage(failing / rows)})`
}

function tolerated(tolerance = 0, failing: number, rows: number): Verdict {
  const share = rows === 0 ? 0 : failing / rows
  return {
    passed: share <= tolerance,
    found: failing === 0 ? 'every row' : `not in ${of(failing, rows)}`,
    failing,
    share,
  }
}

function measured({ min, max }: CheckOf<'statistic'>, found: unknown): Verdict {
  if (found === null || found === undefined) return { passed: false, found: 'there is no value' }
  const value = Number(found)
  return {
    passed: value >= (min ?? Number.NEGATIVE_INFINITY) && value <= (max ?? Number.POSITIVE_INFINITY),
    found: `it is ${figure(value)}`,
    value,
  }
}

function ageOf(seconds: number): string {
  if (seconds < 0) return `${ageOf(-seconds)} in the future, so not`
  if (seconds < 120) return plural(Math.round(seconds), 'second')
  if (seconds < 7200) return plural(Math.round(seconds / 60), 'minute')
  if (seconds < 172_800) return plural(Math.round(seconds / 3600), 'hour')
  return plural(Math.round(seconds / 86_400), 'day')
}
