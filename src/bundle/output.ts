import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { FathomError, FileError } from '../core/index.ts'

export interface OutputOptions {
  /** Replace what is at the path. Default false: an existing output is refused. */
  readonly force?: boolean
}

/**
 * Writes a file so that at any moment, even after a crash or a power cut, the path holds either what it held before or
 * the whole new file: a temporary name in the same folder, fsync, rename, fsync of the folder.
 * @throws FileError when the output exists (without `force`), the disk is full or the folder cannot be written.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string | ((file: FileHandle) => Promise<void>),
  options: OutputOptions = {},
): Promise<void> {
  await replaceAtomically(path, options, async (temporary) => {
    const file = await open(temporary, 'wx')
    try {
      if (typeof content === 'function') await content(file)
      else await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
  })
}

/** The same for a folder: `write` fills an empty one. An existing folder is replaced with `force` if `mayReplace` says so. */
export async function writeFolderAtomically(
  path: string,
  write: (folder: string) => Promise<void>,
  options: OutputOptions & { readonly mayReplace: (folder: string) => Promise<boolean> },
): Promise<void> {
  await replaceAtomically(
    path,
    options,
    async (temporary) => {
      await mkdir(temporary)
      await write(temporary)
      await syncFolder(temporary)
    },
    options.mayReplace,
  )
}

async function replaceAtomically(
  path: string,
  { force = false }: OutputOptions,
  write: (temporary: string) => Promise<void>,
  mayReplaceFolder: (folder: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const operation = `write ${path}`
  await refuseExisting(path, force, mayReplaceFolder)
  const folder = dirname(path)
  const prefix = prefixOf(path)
  const unique = `${prefix}.${process.pid}.${randomBytes(6).toString('hex')}`
  const temporary = join(folder, `${unique}.tmp`)
  unfinished ??= removeAtExit()
  unfinished.add(temporary)
  try {
    await removeAbandoned(folder, prefix)
    await write(temporary)
    await publish(temporary, path, force, join(folder, `${unique}.old`))
    await syncFolder(folder)
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    throw fileError(operation, cause)
  } finally {
    unfinished.delete(temporary)
  }
}

/** What is being written: removed when the process is told to exit in the middle of it. */
let unfinished: Set<string> | undefined
function removeAtExit(): Set<string> {
  const paths = new Set<string>()
  process.once('exit', () => {
    for (const path of paths) rmSync(path, { recursive: true, force: true })
  })
  return paths
}

/** Throws before work is done for nothing: an output that exists and may not be replaced. */
async function refuseExisting(
  path: string,
  force: boolean,
  mayReplaceFolder: (folder: string) => Promise<boolean>,
): Promise<void> {
  const operation = `write ${path}`
  const existing = await stat(path).catch((cause: unknown) => {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw fileError(operation, cause)
  })
  if (existing === undefined) return
  if (!force) throw existsError(operation)
  if (existing.isDirectory() && !(await mayReplaceFolder(path))) {
    throw new FileError({
      operation,
      expected: 'a file or nothing at this path',
      received: 'a folder that Fathom did not write',
      hint: 'Choose another output path',
    })
  }
}

async function publish(temporary: string, path: string, force: boolean, aside: string): Promise<void> {
  if (!force) {
    const made = await stat(temporary)
    // A hard link fails when the name was taken meanwhile; rename would overwrite it.
    if (made.isFile()) {
      try {
        await link(temporary, path)
        await rm(temporary)
        return
      } catch (cause) {
        if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errorCode(cause) ?? '')) throw cause
      }
    }
    await rename(temporary, path)
    return
  }
  const [existing, made] = [await stat(path).catch(() => undefined), await stat(temporary)]
  if (existing === undefined || (existing.isFile() && made.isFile())) {
    await rename(temporary, path)
    return
  }
  // A folder cannot be replaced in one step: for a moment the old one stands under another name.
  await rename(path, aside)
  await rename(temporary, path)
  await rm(aside, { recursive: true, force: true })
}

function prefixOf(path: string): string {
  return `.${basename(path)}.${hostname().replaceAll(/[^\w-]/g, '_')}`
}

/** Removes what killed processes of this machine left behind when they were writing to `path`. Every write does so, too. */
export async function removeLeftovers(path: string): Promise<void> {
  // A folder that cannot be read will be told of when it is written to.
  await removeAbandoned(dirname(path), prefixOf(path)).catch(() => undefined)
}

/** Removes what a killed process of this machine left behind for the same output. */
async function removeAbandoned(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${prefix}.`) || !name.endsWith('.tmp')) continue
    const pid = /^\.(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) !== 'ESRCH'
  }
}

/** Makes a folder's entries durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (cause) {
    // Some network file systems cannot sync a folder; the rename is then as durable as they make it.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(errorCode(cause) ?? '')) throw cause
  } finally {
    await handle.close()
  }
}

const causes: Readonly<Record<string, { readonly problem: string; readonly hint: string }>> = {
  ENOSPC: { problem: 'the disk is full', hint: 'Free some space or write to another disk' },
  EDQUOT: { problem: 'the disk quota is used up', hint: 'Free some space or write to another disk' },
  EFBIG: { problem: 'the file is larger than the file system allows', hint: 'Write to another disk' },
  EACCES: { problem: 'permission denied', hint: 'Check the permissions of the file and its folder' },
  EPERM: { problem: 'permission denied', hint: 'Check the permissions of the file and its folder' },
  EROFS: { problem: 'the file system is read-only', hint: 'Write to another folder' },
  ENOENT: {
    problem: 'there is no such file or folder',
    hint: 'Check the path; a folder to write to must exist already',
  },
  ENOTDIR: { problem: 'a part of the path is a file, not a folder', hint: 'Check the path' },
  EISDIR: { problem: 'the path is a folder', hint: 'Give the path of a file' },
  ENAMETOOLONG: { problem: 'the name is too long', hint: 'Choose a shorter name' },
  EIO: { problem: 'the disk reports an error', hint: 'Check the disk' },
  EMFILE: { problem: 'too many files are open', hint: 'Close some, or raise the limit (ulimit -n)' },
}

/** A system error as a FileError that says what to do; Fathom's own errors and programming errors pass unchanged. */
export function fileError(operation: string, cause: unknown): unknown {
  if (cause instanceof FathomError) return cause
  const code = errorCode(cause)
  if (code === undefined) return cause
  if (code === 'EEXIST') return existsError(operation)
  const known = causes[code]
  if (known !== undefined) return new FileError({ operation, ...known, cause })
  return new FileError({ operation, problem: cause instanceof Error ? cause.message : code, cause })
}

function existsError(operation: string): FileError {
  return new FileError({
    operation,
    problem: 'the output exists already',
    hint: 'Choose another path, or allow replacing it with --force (in code: force: true)',
  })
}

function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('syscall' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
