import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, sep } from 'node:path'
import { DataError, didYouMean, FileError } from '../core/index.ts'

export function hasGlob(path: string): boolean {
  return /[*?[\]{}]/.test(path)
}

/** What a path is, undefined when nothing is there. @throws FileError when it may not be looked at. */
export async function statusOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const status = await stat(path)
    return status.isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    const code = errorCode(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new FileError({ operation: `read ${path}`, problem: describe(code), cause })
  }
}

/** @throws FileError naming files of like names. */
export async function missing(path: string): Promise<FileError> {
  const folder = dirname(path)
  const names = await readdir(folder).catch(() => undefined)
  const hint =
    names === undefined ? `There is no folder ${folder} either` : `In ${folder}: ${didYouMean(basename(path), names)}`
  return new FileError({ operation: `read ${path}`, problem: 'there is no such file or folder', hint })
}

/**
 * The files that paths and patterns (`*`, `?`, `[…]`, `{a,b}`, `**`) name, sorted within each pattern, each once. A path
 * that exists is taken as it is, whatever characters it holds.
 * @throws FileError when nothing is there.
 */
export async function expand(paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    if ((await statusOf(path)) !== undefined) {
      found.push(path)
    } else if (hasGlob(path)) {
      const matches = await glob(path)
      if (matches.length === 0) {
        throw new FileError({
          operation: `read ${path}`,
          problem: 'no file matches the pattern',
          hint: 'Check the folder and the quotes around the pattern',
        })
      }
      found.push(...matches)
    } else {
      throw await missing(path)
    }
  }
  return [...new Set(found)]
}

async function glob(pattern: string): Promise<string[]> {
  const parts = pattern.split(sep)
  const fixed = parts.findIndex(hasGlob)
  const root = parts.slice(0, fixed).join(sep) || (pattern.startsWith(sep) ? sep : '.')
  const expression = new RegExp(`^${globExpression(parts.slice(fixed).join('/'))}$`)
  const depth = pattern.includes('**') ? 16 : parts.length - fixed - 1
  const files = await filesUnder(root, depth)
  return files
    .filter((file) => expression.test(file.split(sep).join('/')))
    .map((file) => (root === '.' ? file : join(root, file)))
}

function globExpression(pattern: string): string {
  let out = ''
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!
    if (pattern.startsWith('**/', i)) {
      out += '(?:.*/)?'
      i += 2
    } else if (pattern.startsWith('**', i)) {
      out += '.*'
      i += 1
    } else if (c === '*') out += '[^/]*'
    else if (c === '?') out += '[^/]'
    else if (c === '{') out += '(?:'
    else if (c === '}') out += ')'
    else if (c === ',' && pattern.lastIndexOf('{', i) > pattern.lastIndexOf('}', i)) out += '|'
    else if (c === '[') {
      const end = pattern.indexOf(']', i + 2)
      if (end < 0) out += '\\['
      else {
        out += `[${pattern
          .slice(i + 1, end)
          .replace(/^!/, '^')
          .replaceAll('\\', '\\\\')}]`
        i = end
      }
    } else out += c.replace(/[.+^$()|\\\]]/g, '\\$&')
  }
  return out
}

/** Files below a folder, relative to it, sorted; hidden ones left out. */
export async function filesUnder(folder: string, depth: number): Promise<string[]> {
  const out: string[] = []
  const walk = async (relative: string, level: number): Promise<void> => {
    const entries = await readdir(join(folder, relative), { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue
      const path = relative === '' ? entry.name : join(relative, entry.name)
      const kind = entry.isSymbolicLink() ? await statusOf(join(folder, path)) : entry.isDirectory() ? 'folder' : 'file'
      if (kind === 'folder') {
        if (level < depth) await walk(path, level + 1)
      } else if (kind === 'file') out.push(path)
    }
  }
  try {
    await walk('', 0)
  } catch (cause) {
    throw new FileError({ operation: `read ${folder}`, problem: describe(errorCode(cause)), cause })
  }
  return out
}

/** The extension that tells the format, lower case, without a compression's: "csv" of `a.CSV.gz`. */
export function formatExtension(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/\.(gz|zst|zstd)$/, '')
  return extname(name).slice(1)
}

export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

const sentences: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'no space is left on the disk',
  EMFILE: 'too many files are open',
}

export function describe(code: string): string {
  return sentences[code] ?? `it cannot be opened (${code || 'unknown error'})`
}

export function emptyFile(path: string): DataError {
  return new DataError({
    operation: `read ${path}`,
    expected: 'at least one row',
    received: 'an empty file',
    hint: 'Check the path, and whether the file was written to its end',
  })
}
