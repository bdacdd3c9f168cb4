import { existsSync } from 'node:fs'
import { basename } from 'node:path'

import { writeFileAtomically } from '../bundle/index.ts'
import { FileError, type OnProgress, OptionError } from '../core/index.ts'
import { renderContractReport } from '../report/index.ts'
import { type Contract, type ContractReport, parseContract, read, readContract } from '../table/index.ts'
import { configureResources, type ResourceOptions } from './apply.ts'

export interface CheckTaskOptions extends ResourceOptions {
  readonly input: string | readonly string[]
  /** The contract, or its JSON file. */
  readonly contract?: Contract | string
  /** Write the contract that the data keeps today to this file, instead of checking one. */
  readonly infer?: string
  /** Data that drift is measured from, where the contract holds no reference. */
  readonly reference?: string
  /** Where to write the page. */
  readonly report?: string
  readonly force?: boolean
}

export interface CheckTaskResult {
  /** Whether every check of severity "error" passed; true where a contract was inferred. */
  readonly passed: boolean
  readonly checked?: ContractReport
  readonly inferred?: Contract
  /** Files written. */
  readonly report?: string
  readonly contract?: string
}

/**
 * Checks data against a contract, or infers one.
 * @throws OptionError for a contract that is none, FileError, DataError. A broken promise is a result, not an error.
 */
export async function runCheck(
  options: CheckTaskOptions,
  { signal, onProgress }: { readonly signal?: AbortSignal; readonly onProgress?: OnProgress } = {},
): Promise<CheckTaskResult> {
  const { input, infer, report, reference, force = false } = options
  if ((options.contract === undefined) === (infer === undefined)) {
    throw new OptionError({
      operation: 'check',
      expected: 'either a contract to check or a file to infer one into',
      received: infer === undefined ? 'neither' : 'both',
      hint: 'For example: fathom check data.csv --infer contract.json, then: fathom check data.csv --contract contract.json',
    })
  }
  for (const path of [infer, report]) {
    if (path === undefined || force || !existsSync(path)) continue
    throw new FileError({
      operation: `write ${path}`,
      problem: 'it exists already',
      hint: 'Choose another name, or overwrite it with --force',
    })
  }
  configureResources(options)
  const contract =
    options.contract === undefined || typeof options.contract !== 'string'
      ? options.contract && parseContract(options.contract)
      : await readContract(options.contract)
  const table = await read(input, { signal, onProgress, on: options.on })
  if (infer !== undefined) {
    const inputs = typeof input === 'string' ? input : input[0]!
    const inferred = await table.inferContract(basename(inputs).replace(/\..*$/, ''), { signal })
    await writeFileAtomically(infer, (file) => file.writeFile(`${JSON.stringify(inferred, null, 2)}\n`), { force })
    return { passed: true, inferred, contract: infer }
  }
  const other = reference === undefined ? undefined : await read(reference, { signal, onProgress, on: options.on })
  const checked = await table.check(contract!, { reference: other, signal, onProgress })
  if (report !== undefined) {
    const inputs = typeof input === 'string' ? [input] : input
    const page = renderContractReport(checked, { inputs, generated: new Date().toISOString() })
    await writeFileAtomically(report, (file) => file.writeFile(page), { force })
  }
  return { passed: checked.passed, checked, ...(report === undefined ? {} : { report }) }
}
