import type { Engine } from '../../engines/index.ts'
import type { Plan } from '../../plan/index.ts'
import { openTable, type ReadReport } from '../../sources/index.ts'
import { profilePlan } from '../profile.ts'
import { type CheckOptions, checkPlan } from './check.ts'
import { inferContract } from './infer.ts'
import { distributionsOf, referencesOf } from './reference.ts'
import type { Contract, ContractReport } from './types.ts'

/** What a check needs of a table. */
export interface Checkable {
  readonly engine: Engine
  readonly plan: Plan
  readonly readReport?: ReadReport | undefined
}

export interface TableCheckOptions extends Pick<
  CheckOptions,
  'examples' | 'now' | 'signal' | 'onProgress' | 'distributions'
> {
  /** Tables that foreign keys name. */
  readonly tables?: Readonly<Record<string, Checkable>> | undefined
  /** What drift is measured from, where the contract holds no reference. */
  readonly reference?: Checkable | undefined
}

/** Opens what the contract refers to and checks it. */
export async function checkTable(
  table: Checkable,
  contract: Contract,
  options: TableCheckOptions = {},
): Promise<ContractReport> {
  const { tables = {}, reference, ...rest } = options
  const references = new Map(Object.entries(tables).map(([name, { plan }]) => [name, plan]))
  for (const check of contract.checks) {
    if (check.check !== 'foreignKey' || check.references.file === undefined) continue
    const { file } = check.references
    if (!references.has(file)) references.set(file, (await openTable(table.engine, file, { signal: rest.signal })).plan)
  }
  const wanted = contract.checks.flatMap((check) =>
    check.check === 'drift' && check.reference === undefined ? [check.column] : [],
  )
  const distributions =
    reference === undefined || wanted.length === 0
      ? rest.distributions
      : await distributionsOf(reference, { columns: wanted, signal: rest.signal })
  return checkPlan(table.engine, table.plan, contract, {
    ...rest,
    references,
    distributions,
    readReport: table.readReport,
  })
}

/** The promises that a table keeps today. */
export async function inferTableContract(
  table: Checkable,
  name: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Contract> {
  const profile = await profilePlan(table.engine, table.plan, { ...options, top: 20, bins: 1, relations: false })
  const references = await referencesOf(table.engine, table.plan, { ...options, rows: profile.rows })
  return inferContract(name, profile, references)
}
