import { join, sep } from 'node:path'
import { DataError } from '../core/index.ts'
import { filesUnder, formatExtension } from './files.ts'

export const splits = ['train', 'validation', 'test'] as const
export type Split = (typeof splits)[number]

export interface LabeledFile {
  /** Of the file, beginning with the folder's path as given. */
  readonly path: string
  readonly label: string
  /** Where the folder is divided into train and test folders. */
  readonly split: Split | undefined
}

export interface ClassFolder {
  readonly files: readonly LabeledFile[]
  /** Sorted. */
  readonly classes: readonly string[]
  /** Those the folder has: empty when it is not divided. */
  readonly splits: readonly Split[]
  /** Files of other kinds, left out. */
  readonly ignored: number
}

const splitNames: readonly (readonly [Split, RegExp])[] = [
  ['train', /(?:^|[-_. ])(?:train|training)$/i],
  ['validation', /(?:^|[-_. ])(?:val|valid|validation|dev)$/i],
  ['test', /(?:^|[-_. ])(?:test|testing)$/i],
]

function splitOf(folder: string): Split | undefined {
  return splitNames.find(([, pattern]) => pattern.test(folder))?.[0]
}

export const imageExtensions = new Set(['jpg', 'jpeg', 'png', 'webp', 'gif', 'bmp', 'tif', 'tiff', 'avif'])
const neverText = new Set([
  ...imageExtensions,
  'gz',
  'zip',
  'tar',
  'bz2',
  'pdf',
  'csv',
  'tsv',
  'parquet',
  'json',
  'ndjson',
  'jsonl',
  'npy',
  'bin',
])

export function isImageName(path: string): boolean {
  return imageExtensions.has(formatExtension(path))
}
export function isTextName(path: string): boolean {
  return (
    !neverText.has(formatExtension(path)) &&
    !/(?:^|\/)(?:readme|license|source)(?:\.\w+)?$/i.test(path.split(sep).join('/'))
  )
}

/** Sorts files into classes by their folder, and splits where all top folders are named after them. */
export function classify(folder: string, names: readonly string[], wanted: (name: string) => boolean): ClassFolder {
  const parts = names.map((name) => name.split(sep))
  const tops = new Set(parts.filter((path) => path.length > 1).map((path) => path[0]!))
  const divided =
    tops.size > 0 && [...tops].every((top) => splitOf(top) !== undefined) && parts.some((path) => path.length > 2)
  const files: LabeledFile[] = []
  let ignored = 0
  for (const [i, path] of parts.entries()) {
    const label = path[divided ? 1 : 0]
    if (label === undefined || path.length < (divided ? 3 : 2) || !wanted(names[i]!)) {
      ignored++
      continue
    }
    files.push({ path: join(folder, names[i]!), label, split: divided ? splitOf(path[0]!) : undefined })
  }
  const classes = [...new Set(files.map((file) => file.label))].sort()
  return { files, classes, splits: splits.filter((split) => files.some((file) => file.split === split)), ignored }
}

/**
 * A folder of pictures, a sub-folder for each class, perhaps inside train and test folders. Only names are looked at:
 * whether a file can be decoded shows when it is.
 * @throws DataError when no sub-folder holds a picture.
 */
export async function listImages(folder: string): Promise<ClassFolder> {
  return listed(folder, isImageName, 'pictures (jpeg, png, webp, …)')
}

/** A folder of texts, a sub-folder for each class, one document a file. @throws DataError when no sub-folder holds one. */
export async function listTexts(folder: string): Promise<ClassFolder> {
  return listed(folder, isTextName, 'text files')
}

async function listed(folder: string, wanted: (name: string) => boolean, what: string): Promise<ClassFolder> {
  const found = classify(folder, await filesUnder(folder, 8), wanted)
  if (found.files.length > 0) return found
  throw new DataError({
    operation: `read ${folder}`,
    expected: `sub-folders, one for each class, with ${what}`,
    received: found.ignored === 0 ? 'an empty folder' : `${found.ignored} files of other kinds or outside sub-folders`,
  })
}
