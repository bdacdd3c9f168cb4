import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { arch, cpus, platform } from 'node:os'

/** Files larger than this in sum are identified by name and size instead of content. */
const hashedBytes = 4e9

export interface InputFile {
  readonly path: string
  readonly bytes: number
}

/** What the data was: enough to tell whether it is still the same. */
export interface DataLineage {
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** Of the files' contents in order; undefined for very large data. */
  readonly sha256: string | undefined
}

/** Sizes and a hash over the contents of `files`, in the order given. */
export async function dataLineage(path: string, files: readonly string[]): Promise<DataLineage> {
  const sizes: number[] = []
  for (const file of files) sizes.push((await stat(file)).size)
  const bytes = sizes.reduce((a, b) => a + b, 0)
  return { path, files: files.length, bytes, sha256: bytes <= hashedBytes ? await hashFiles(files) : undefined }
}

async function hashFiles(files: readonly string[]): Promise<string> {
  if (files.length === 1) return hashInto(createHash('sha256'), files[0]!)
  const all = createHash('sha256')
  for (const file of files) all.update(`${await hashInto(createHash('sha256'), file)}\n`)
  return all.digest('hex')
}

async function hashInto(hash: ReturnType<typeof createHash>, file: string): Promise<string> {
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Versions that a result depends on. */
export function versions(): Record<string, string> {
  const { version, dependencies } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string; dependencies: Record<string, string> }
  return {
    fathom: version,
    node: process.versions.node,
    duckdb: dependencies['@duckdb/node-api'] ?? '',
    sharp: dependencies['sharp'] ?? '',
  }
}

export function machine(threads: number): Record<string, string | number> {
  const processors = cpus()
  return {
    system: `${platform()} ${arch()}`,
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    threads,
  }
}
