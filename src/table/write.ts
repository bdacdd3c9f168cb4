import { randomBytes } from 'node:crypto'
import { link, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FileError, OptionError } from '../core/index.ts'
import type { Engine, RunOptions, WriteFormat } from '../engines/index.ts'
import type { Plan } from '../plan/index.ts'

export interface WriteOptions extends RunOptions {
  /** Replace a file that exists. Default false. */
  readonly force?: boolean | undefined
  /** Default: by the extension. */
  readonly format?: WriteFormat | undefined
}

const extensions: Readonly<Record<string, WriteFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
}
const compressions: Readonly<Record<string, 'gzip' | 'zstd'>> = { gz: 'gzip', zst: 'zstd' }

/**
 * Writes a plan's rows to a file that appears whole or not at all: a temporary name beside it, synced, then renamed.
 * @throws FileError when the file exists and `force` is not given, and when it cannot be written.
 */
export async function writePlan(
  engine: Engine,
  plan: Plan,
  path: string,
  options: WriteOptions = {},
): Promise<{ readonly rows: number }> {
  const operation = `write ${path}`
  const parts = basename(path).toLowerCase().split('.')
  const compression = compressions[parts.at(-1) ?? '']
  const format = options.format ?? extensions[parts.at(compression === undefined ? -1 : -2) ?? '']
  if (format === undefined) {
    throw new OptionError({
      operation,
      expected: `an extension of ${Object.keys(extensions).join(', ')} (or one of them and .gz or .zst)`,
      received: basename(path),
    })
  }
  if (options.force !== true && (await exists(path))) throw occupied(operation)
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const result = await engine.write(
      plan,
      { path: temporary, format, compression: format === 'parquet' ? undefined : compression },
      options,
    )
    await sync(temporary)
    if (options.force === true) await rename(temporary, path)
    else {
      // Linking fails where a file has appeared meanwhile; renaming would replace it.
      await link(temporary, path)
      await rm(temporary)
    }
    await sync(dirname(path))
    return result
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof Error && 'code' in error && 'syscall' in error) {
      if (error.code === 'EEXIST') throw occupied(operation)
      throw new FileError({ operation, problem: error.message, cause: error })
    }
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function occupied(operation: string): FileError {
  return new FileError({
    operation,
    problem: 'the file exists already',
    hint: 'Choose another name, or replace it with force',
  })
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
