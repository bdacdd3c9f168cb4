import { basename, extname, join } from 'node:path'
import { DataError } from '../core/index.ts'
import { isArrow } from './arrow.ts'
import { bytesOf, compressionOf, head } from './bytes.ts'
import { peek } from './encoding.ts'
import { emptyFile, expand, filesUnder, formatExtension, hasGlob, missing, statusOf } from './files.ts'
import { classify, isImageName, isTextName } from './folders.ts'
import { isIdx } from './idx.ts'

export const inputKinds = ['table', 'imageFolder', 'textFolder', 'idx'] as const
export type InputKind = (typeof inputKinds)[number]

export interface DetectedInput {
  readonly kind: InputKind
  /** What it was recognised by, as a sentence's part. */
  readonly reason: string
  /** The files to read as a table; the folder or file itself for the other kinds. */
  readonly paths: readonly string[]
}

const tableExtensions = new Set([
  'csv',
  'tsv',
  'tab',
  'parquet',
  'pq',
  'json',
  'ndjson',
  'jsonl',
  'arrow',
  'arrows',
  'ipc',
  'feather',
  'data',
])

/**
 * Tells what kind of input a path (or pattern, or several) is, by names and first bytes.
 * @throws FileError when nothing is there, DataError when it is empty or nothing that can be read.
 */
export async function detectInput(input: string | readonly string[]): Promise<DetectedInput> {
  if (typeof input !== 'string') return { kind: 'table', reason: 'several files', paths: await expand(input) }
  const status = await statusOf(input)
  if (status === 'folder') return folder(input)
  if (status === 'file') return file(input)
  if (!hasGlob(input)) throw await missing(input)
  const paths = await expand([input])
  return { kind: 'table', reason: `${paths.length} files match the pattern`, paths }
}

async function file(path: string): Promise<DetectedInput> {
  const start = await head(path, 16)
  if (start.length === 0) throw emptyFile(path)
  if (isImageName(path)) {
    throw new DataError({
      operation: `read ${path}`,
      expected: 'a table, or a folder of pictures',
      received: 'one picture',
      hint: 'Name the folder whose sub-folders hold the pictures of each class',
    })
  }
  if (isIdx(await firstBytes(path))) return { kind: 'idx', reason: 'it begins like an IDX file', paths: [path] }
  if (start.toString('latin1', 0, 4) === 'PAR1') return { kind: 'table', reason: 'it is a Parquet file', paths: [path] }
  if (isArrow(path, start)) return { kind: 'table', reason: 'it is an Arrow file or stream', paths: [path] }
  // Refuses binary content with a sentence about what it is.
  await peek(path)
  return { kind: 'table', reason: `it is a text file (.${formatExtension(path)})`, paths: [path] }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  for await (const piece of bytesOf(path, await compressionOf(path))) return piece.subarray(0, 16)
  return new Uint8Array(0)
}

async function folder(path: string): Promise<DetectedInput> {
  const names = await filesUnder(path, 8)
  const operation = `read ${path}`
  if (names.length === 0) {
    throw new DataError({
      operation,
      expected: 'a folder with data',
      received: 'an empty folder',
      hint: 'Check the path',
    })
  }
  for (const name of names.filter((each) => /idx\d?|ubyte/i.test(basename(each))).slice(0, 4)) {
    if (isIdx(await firstBytes(join(path, name))))
      return { kind: 'idx', reason: `${name} is an IDX file`, paths: [path] }
  }
  const tables = names.filter((name) => tableExtensions.has(formatExtension(name)))
  const images = classify(path, names, isImageName)
  const pictures = names.filter(isImageName).length
  if (pictures > tables.length) {
    const where = images.splits.length > 0 ? ` in ${images.splits.join(' and ')} folders` : ''
    const reason =
      images.classes.length > 0
        ? `${pictures} pictures in ${images.classes.length} class folders${where}`
        : `${pictures} pictures without class folders`
    return { kind: 'imageFolder', reason, paths: [path] }
  }
  if (tables.length > 0) {
    return {
      kind: 'table',
      reason: `${tables.length} table ${tables.length === 1 ? 'file' : 'files'}`,
      paths: tables.map((name) => join(path, name)),
    }
  }
  const texts = classify(path, names, isTextName)
  if (texts.classes.length >= 2) {
    return {
      kind: 'textFolder',
      reason: `${texts.files.length} text files in ${texts.classes.length} class folders`,
      paths: [path],
    }
  }
  // Files such as reviews.pos and reviews.neg: one document a line, the name tells the class.
  const flat = names.filter((name) => !name.includes('/') && isTextName(name))
  const stems = new Map<string, string[]>()
  for (const name of flat) {
    const stem = name.slice(0, name.length - extname(name).length)
    stems.set(stem, [...(stems.get(stem) ?? []), name])
  }
  const alike = [...stems.values()].find((group) => group.length >= 2)
  if (alike !== undefined) {
    return {
      kind: 'table',
      reason: `${alike.join(', ')} hold one document a line`,
      paths: alike.map((name) => join(path, name)),
    }
  }
  const loose = flat.filter((name) => formatExtension(name) === 'txt')
  if (loose.length > 0)
    return { kind: 'table', reason: `${loose.length} text files`, paths: loose.map((name) => join(path, name)) }
  throw new DataError({
    operation,
    expected: 'tables, IDX files, or sub-folders of pictures or texts, one for each class',
    received: `${names.length} files such as ${names.slice(0, 3).join(', ')}`,
  })
}
