import { BundleError, DataError } from '../core/index.ts'
import {
  type Check,
  type ColumnReference,
  columnReferenceSchema,
  type Contract,
  type ContractReport,
  distributionsOf,
  driftOf,
  exampleText,
  parseContract,
  sampleDrift,
  type Table,
} from '../table/index.ts'

/** What a bundle keeps of the data that it was trained on, to check new data by. */
export interface DataContract {
  /** The contract given to train. */
  readonly contract?: Contract
  /** How the inputs' values were distributed in the rows trained on. */
  readonly reference: Readonly<Record<string, ColumnReference>>
}

/** Columns whose distributions a bundle keeps. */
const keptColumns = 200

/** @throws DataError naming the promises that the data breaks */
export async function checkTraining(
  table: Table,
  contract: Contract,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const report = await table.check(contract, { signal })
  if (!report.passed) throw broken('train', report, 'Mend the data, or change the contract')
  return sentences(report)
}

/** The distributions of the columns that features read. */
export async function referenceOfTraining(
  table: Table,
  columns: readonly string[],
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<DataContract['reference']> {
  return Object.fromEntries(await distributionsOf(table, { columns: columns.slice(0, keptColumns), signal }))
}

export type ContractMode = 'error' | 'warn' | 'off'

/**
 * Checks rows that are to be predicted: the training's contract (but for what is about the target, the number of rows
 * and other tables), and whether the inputs' distributions have moved.
 * @returns sentences to tell. @throws DataError for broken promises, unless `mode` says to warn
 */
export async function checkPrediction(
  table: Table,
  { contract, reference }: DataContract,
  target: string,
  mode: ContractMode,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  if (mode === 'off') return []
  const notes: string[] = []
  const checks = contract?.checks.filter((check) => concerns(check, target)) ?? []
  if (contract !== undefined && checks.length > 0) {
    const report = await table.check({ ...contract, checks }, { signal })
    if (!report.passed && mode === 'error') {
      throw broken('predict', report, 'Mend the data, or predict all the same with --contract warn')
    }
    notes.push(...sentences(report))
  }
  // What the contract itself measures is not told twice.
  const measured = new Set(checks.flatMap((check) => (check.check === 'drift' ? [check.column] : [])))
  const rest = Object.fromEntries(Object.entries(reference).filter(([name]) => !measured.has(name)))
  return [...notes, ...(await driftNotes(table, rest, signal))]
}

/** Rows below which distributions say nothing. */
const fewestRows = 100
const muchDrift = 0.25

async function driftNotes(
  table: Table,
  reference: DataContract['reference'],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const rows = await table.count({ signal })
  if (rows < fewestRows) return []
  const known = new Set(await table.columns())
  const wanted = new Map(Object.entries(reference).filter(([name]) => known.has(name)))
  const notes: string[] = []
  for await (const [name, column] of sampleDrift(table, [...wanted.keys()], rows, { signal })) {
    const own = wanted.get(name)!
    const numeric = column.type === 'int32' || column.type === 'int64' || column.type === 'float64'
    if (numeric !== (own.kind === 'number')) continue
    const { psi, most } = driftOf(own, column)
    // Chance alone gives a PSI of about (bins − 1) (1/n + 1/m).
    const bins = own.kind === 'number' ? 10 : own.values.length + 1
    if (psi <= muchDrift + 2 * (bins - 1) * (1 / rows + 1 / Math.max(1, own.rows))) continue
    const share = (value: number): string => `${(value * 100).toFixed(1)} %`
    const moved = most === undefined ? '' : `: ${most.label} ${share(most.before)} in training, ${share(most.now)} here`
    notes.push(`"${name}" is distributed otherwise than in training (PSI ${psi.toFixed(2)})${moved}`)
  }
  return notes
}

function concerns(check: Check, target: string): boolean {
  switch (check.check) {
    case 'rows':
    case 'foreignKey':
    case 'columns':
    case 'statistic':
      return false
    case 'rule':
      return !check.condition.includes(target)
    case 'unique':
      return !check.columns.includes(target)
    case 'drift':
      return check.reference !== undefined && check.column !== target
    case 'column':
    case 'type':
    case 'missing':
    case 'range':
    case 'oneOf':
    case 'matches':
    case 'length':
    case 'fresh':
    case 'increasing':
      return check.column !== target
  }
}

function sentences(report: ContractReport): string[] {
  return report.results.filter(({ passed }) => !passed).map(({ expected, found }) => `contract: ${expected}: ${found}`)
}

const shown = 3

function broken(operation: string, report: ContractReport, hint: string): DataError {
  const errors = report.results.filter(({ passed, severity }) => !passed && severity === 'error')
  const listed = errors.slice(0, shown).map(({ expected, found, examples: [first] }) => {
    return `${expected} (${found}${first === undefined ? '' : `; ${exampleText(first)}`})`
  })
  const more = errors.length > shown ? `, and ${errors.length - shown} more` : ''
  return new DataError({
    operation,
    problem: `the data breaks its contract: ${listed.join('; ')}${more}`,
    hint: `${hint}. fathom check tells more`,
  })
}

/** The section `contract` of a bundle, checked. @throws BundleError */
export function readDataContract(path: string, section: unknown): DataContract | undefined {
  if (section === undefined) return undefined
  const { contract, reference } = section as Partial<Record<keyof DataContract, unknown>>
  try {
    const entries = Object.entries((reference ?? {}) as Record<string, unknown>).map(
      ([name, value]) => [name, columnReferenceSchema.parse(value)] as const,
    )
    return {
      ...(contract === undefined ? {} : { contract: parseContract(contract) }),
      reference: Object.fromEntries(entries),
    }
  } catch (cause) {
    throw new BundleError({
      operation: `read ${path}`,
      expected: 'a contract that fathom train wrote',
      received: 'another',
      cause,
    })
  }
}
