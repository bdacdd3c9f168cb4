import { existsSync } from 'node:fs'
import { basename } from 'node:path'

import { writeFileAtomically } from '../bundle/index.ts'
import { FileError, type OnProgress } from '../core/index.ts'
import { renderProfile } from '../report/index.ts'
import { read, type TableProfile } from '../table/index.ts'
import { configureResources, type ResourceOptions } from './apply.ts'

export interface ProfileTaskOptions extends ResourceOptions {
  readonly input: string | readonly string[]
  /** The column that is to be predicted. */
  readonly target?: string
  /** Earlier data: how far these have moved from it. */
  readonly compare?: string
  /** Where to write the page. */
  readonly report?: string
  readonly force?: boolean
}

export interface ProfileTaskResult {
  readonly profile: TableProfile
  readonly report?: string
}

/** Looks at every column of data, and at what they have to do with each other. @throws FileError, DataError, NotFoundError */
export async function runProfile(
  options: ProfileTaskOptions,
  control: { readonly signal?: AbortSignal; readonly onProgress?: OnProgress } = {},
): Promise<ProfileTaskResult> {
  const { input, target, compare, report, force = false } = options
  if (report !== undefined && !force && existsSync(report)) {
    throw new FileError({
      operation: `write ${report}`,
      problem: 'it exists already',
      hint: 'Choose another --report, or overwrite it with --force',
    })
  }
  configureResources(options)
  const table = await read(input, { ...control, on: options.on })
  const other = compare === undefined ? undefined : await read(compare, { ...control, on: options.on })
  const profile = await table.profile({ ...control, target, compare: other })
  if (report === undefined) return { profile }
  const title = basename(typeof input === 'string' ? input : input[0]!)
  const page = renderProfile(profile, { title, generated: new Date().toISOString() })
  await writeFileAtomically(report, (file) => file.writeFile(page), { force })
  return { profile, report }
}
