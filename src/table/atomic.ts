import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { FathomError, FileError, host, isAlive } from '../core/index.ts'

export const writeModes = ['error', 'overwrite', 'append'] as const
/** What happens to what is there: fail, replace all of it, or (folders) put new files beside the old ones. */
export type WriteMode = (typeof writeModes)[number]

/**
 * Lets `write` make a file or folder under a hidden name beside `path`, and gives it its name when it is whole and on the
 * disk. A name that begins with a point is no data to any reader, so nothing half-written is ever seen; what a killed
 * process of this machine left is removed by the next that writes to the same path.
 * @throws FileError when the target exists and `mode` is 'error', and when it cannot be written
 */
export async function atomically<R>(
  path: string,
  mode: WriteMode,
  folder: boolean,
  write: (temporary: string) => Promise<R>,
): Promise<R> {
  const target = path.replace(/(?<=.)\/+$/, '')
  const operation = `write ${path}`
  const prefix = `.${basename(target)}.${host}-`
  await sweep(target, prefix)
  if (mode === 'error' && (await exists(target))) throw occupied(operation, folder)
  const temporary = join(dirname(target), `${prefix}${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
  try {
    const result = await write(temporary)
    if (folder) {
      await syncFolder(temporary)
      await publishFolder(temporary, target, mode)
    } else {
      await sync(temporary)
      if (mode === 'overwrite') await rename(temporary, target)
      else {
        // Linking fails where a file has appeared meanwhile; renaming would replace it.
        await link(temporary, target)
        await rm(temporary)
      }
    }
    await sync(dirname(target))
    return result
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    if (error instanceof FathomError || !(error instanceof Error && 'code' in error && 'syscall' in error)) throw error
    if (error.code === 'EEXIST' || error.code === 'ENOTEMPTY') throw occupied(operation, folder)
    const full = error.code === 'ENOSPC' || error.code === 'EDQUOT'
    throw new FileError({
      operation,
      problem: full ? 'no space is left on the disk' : error.message,
      ...(full ? { hint: 'Free disk space, or write to another disk; nothing was left behind' } : {}),
      cause: error,
    })
  }
}

async function publishFolder(temporary: string, target: string, mode: WriteMode): Promise<void> {
  if (mode === 'append' && (await exists(target))) return append(temporary, target)
  if (mode !== 'overwrite' || !(await exists(target))) return rename(temporary, target)
  // Two renames: between them a reader finds no folder, never half of one.
  const old = `${temporary}.old`
  await rename(target, old)
  try {
    await rename(temporary, target)
  } catch (error) {
    await rename(old, target)
    throw error
  }
  await rm(old, { recursive: true, force: true })
}

/** New files under names of their own: each appears whole, and all go again where one cannot be placed. */
async function append(temporary: string, target: string): Promise<void> {
  const placed: string[] = []
  try {
    for (const file of await filesIn(temporary)) {
      const place = join(target, relative(temporary, file))
      await mkdir(dirname(place), { recursive: true })
      await link(file, place)
      placed.push(place)
    }
  } catch (error) {
    for (const place of placed) await rm(place, { force: true })
    throw error
  }
  for (const folder of new Set(placed.map(dirname))) await sync(folder)
  await rm(temporary, { recursive: true, force: true })
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function syncFolder(folder: string): Promise<void> {
  const files = await filesIn(folder)
  for (const file of files) await sync(file)
  for (const inner of new Set([folder, ...files.map(dirname)])) await sync(inner)
}

/**
 * Removes what processes of this machine that no longer run left of writing to the same path. One that was killed between
 * the two renames of a folder left the old one aside: it gets its name back.
 */
async function sweep(target: string, prefix: string): Promise<void> {
  const names = await readdir(dirname(target)).catch(() => [])
  for (const name of names.sort((a, b) => b.localeCompare(a))) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-/.exec(name.slice(prefix.length)) ?? []) : []
    if (pid === undefined || isAlive(Number(pid))) continue
    const left = join(dirname(target), name)
    if (name.endsWith('.old') && !(await exists(target))) await rename(left, target)
    else await rm(left, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function occupied(operation: string, folder: boolean): FileError {
  return new FileError({
    operation,
    problem: `the ${folder ? 'folder' : 'file'} exists already`,
    hint: folder
      ? "Choose another name, replace it with mode 'overwrite', or add to it with mode 'append'"
      : 'Choose another name, or replace it with force',
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
