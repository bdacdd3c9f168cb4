import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { didYouMean, FileError, OptionError } from '../../core/index.ts'
import { parseCondition } from '../../plan/index.ts'
import { secondsOf } from './facts.ts'
import { type Check, checkSchema, type Contract, contractSchema } from './types.ts'

/** @throws OptionError naming the check and what is wrong with it. */
export function parseContract(value: unknown, operation = 'contract'): Contract {
  const parsed = contractSchema.safeParse(value)
  if (!parsed.success) throw refused(operation, value, parsed.error)
  for (const [i, check] of parsed.data.checks.entries()) checkWords(operation, check, i)
  return parsed.data
}

/** Reads a contract's JSON file; files it refers to are named from its folder. @throws FileError, OptionError */
export async function readContract(path: string): Promise<Contract> {
  const operation = `read ${path}`
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new FileError({ operation, problem: 'the contract cannot be read', hint: 'Check the path', cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new OptionError({
      operation,
      expected: 'a contract as JSON',
      received: (cause as Error).message,
      hint: 'Make one with: fathom check data.csv --infer contract.json',
      cause,
    })
  }
  const contract = parseContract(value, operation)
  const checks = contract.checks.map((check): Check => {
    if (check.check !== 'foreignKey' || check.references.file === undefined) return check
    return { ...check, references: { ...check.references, file: resolve(dirname(path), check.references.file) } }
  })
  return { ...contract, checks }
}

/** What zod does not look into: conditions, ages, references. */
function checkWords(operation: string, check: Check, index: number): void {
  const where = `${operation}: check ${index + 1} (${check.check})`
  try {
    if (check.check === 'rule') parseCondition(check.condition)
    if (check.check === 'fresh') secondsOf(check.maxAge)
  } catch (cause) {
    throw new OptionError({ operation: where, problem: (cause as Error).message, cause })
  }
  if (
    check.check === 'foreignKey' &&
    (check.references.file === undefined) === (check.references.table === undefined)
  ) {
    throw new OptionError({
      operation: where,
      expected: 'references to either a file or a table',
      received: 'both or none',
    })
  }
  if (check.check === 'range' && check.min === undefined && check.max === undefined) {
    throw new OptionError({ operation: where, expected: 'min, max or both', received: 'neither' })
  }
}

const kinds = checkSchema.options.map((option) => option.shape.check.value)

function refused(operation: string, value: unknown, error: z.ZodError): OptionError {
  const issue = error.issues[0]!
  const [list, index] = issue.path
  const checks = (value as { checks?: unknown } | null)?.checks
  const check =
    list === 'checks' && typeof index === 'number' && Array.isArray(checks) ? (checks[index] as unknown) : undefined
  const kind = (check as { check?: unknown } | undefined)?.check
  if (check !== undefined && !kinds.includes(kind as Check['check'])) {
    return new OptionError({
      operation: `${operation}: check ${Number(index) + 1}`,
      expected: `a "check" of ${kinds.join(', ')}`,
      received: JSON.stringify(kind) ?? 'none',
      ...(typeof kind === 'string' ? { hint: didYouMean(kind, kinds) } : {}),
    })
  }
  const where = check === undefined ? operation : `${operation}: check ${Number(index) + 1} (${String(kind)})`
  const path = issue.path.slice(check === undefined ? 0 : 2).join('.')
  return new OptionError({
    operation: where,
    problem: `${path === '' ? '' : `${path}: `}${issue.message}`,
    hint: 'docs/contracts.md lists the checks and what each takes',
  })
}
