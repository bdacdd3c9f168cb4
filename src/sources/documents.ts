import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CancelledError, FileError } from '../core/index.ts'
import type { Engine } from '../engines/index.ts'
import { type Plan } from '../plan/index.ts'
import { describe, errorCode } from './files.ts'
import { type LabeledFile, listImages, listTexts } from './folders.ts'
import type { Opened, ReadOptions } from './options.ts'
import { plainReport } from './report.ts'

/** Longer documents are left out and named. */
const mostBytes = 4 * 2 ** 20
/** Files that are open at once: few, since each may be a few megabytes. */
const together = 32
let tables = 0

/**
 * A folder of pictures as a table: `path`, `label`, and `split` where there are train and test folders.
 * @throws DataError when there is none.
 */
export async function readImageFolder(engine: Engine, folder: string, options: ReadOptions = {}): Promise<Opened> {
  const { files, splits, ignored } = await listImages(folder)
  const notes = ignored > 0 ? [`${ignored} files that are no pictures, or lie outside sub-folders, were left out`] : []
  return store(
    engine,
    'imageFolder',
    folder,
    files,
    splits.length > 0,
    () => Promise.resolve(undefined),
    notes,
    options,
  )
}

/**
 * A folder of texts as a table: `text`, `label`, `path`, and `split` where there are train and test folders. Documents
 * are UTF-8 (or UTF-16 with its mark), else Windows-1252. Unreadable and overlong ones are left out and named.
 */
export async function readTextFolder(engine: Engine, folder: string, options: ReadOptions = {}): Promise<Opened> {
  const { files, splits, ignored } = await listTexts(folder)
  const notes = ignored > 0 ? [`${ignored} files that are no texts, or lie outside sub-folders, were left out`] : []
  return store(
    engine,
    'textFolder',
    folder,
    files,
    splits.length > 0,
    (file) => document(file, options, notes),
    notes,
    options,
  )
}

async function document({ path }: LabeledFile, options: ReadOptions, notes: string[]): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > mostBytes) {
      notes.push(`${path} is longer than ${mostBytes / 2 ** 20} MiB and was left out`)
      return undefined
    }
    return decodeDocument(await readFile(path), options.encoding)
  } catch (error) {
    notes.push(`${path} was left out: ${describe(errorCode(error))}`)
    return undefined
  }
}

/** A document's text, its encoding told by its mark or by whether it is valid UTF-8; line ends become "\n". */
export function decodeDocument(bytes: Uint8Array, encoding?: string): string {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined
  const decoder = new TextDecoder(encoding ?? mark ?? (isUtf8(bytes) ? 'utf-8' : 'windows-1252'))
  return decoder.decode(bytes).replace(/\r\n?/g, '\n').replaceAll('\0', '')
}

/** Rows go through a file that the engine reads: they never stand in memory together. */
async function store(
  engine: Engine,
  format: string,
  folder: string,
  files: readonly LabeledFile[],
  divided: boolean,
  textOf: (file: LabeledFile) => Promise<string | undefined>,
  notes: string[],
  options: ReadOptions,
): Promise<Opened> {
  const operation = `read ${folder}`
  const path = join(await engine.scratch(), `folder-${++tables}.csv`)
  const out = createWriteStream(path)
  const failed = once(out, 'error').then(([cause]: unknown[]) => {
    throw new FileError({ operation, problem: `writing ${path} failed: ${describe(errorCode(cause))}`, cause })
  })
  failed.catch(() => undefined)
  const withText = format === 'textFolder'
  let bytes = 0
  try {
    for await (const [file, text] of ahead(files, textOf, options)) {
      if (withText && text === undefined) continue
      const fields = [...(withText ? [text ?? ''] : []), file.label, file.path, ...(divided ? [file.split ?? ''] : [])]
      const line = `${fields.map(quoted).join(',')}\n`
      bytes += line.length
      if (!out.write(line)) await Promise.race([once(out, 'drain'), failed])
    }
    out.end()
    await Promise.race([once(out, 'close'), failed])
  } finally {
    out.destroy()
  }
  const columns = [...(withText ? ['text'] : []), 'label', 'path', ...(divided ? ['split'] : [])]
  const scan: Plan = {
    kind: 'scan',
    source: {
      format: 'csv',
      paths: [path],
      delimiter: ',',
      quote: '"',
      escape: '"',
      comment: '',
      skipLines: 0,
      columns,
      ignoreErrors: false,
      rejects: undefined,
      maxLineBytes: 3 * mostBytes,
    },
    schema: undefined,
  }
  const stored = await engine.store(scan, { ...options, bytes, operation })
  const report = plainReport(format, [folder], stored.scan.schema ?? [], stored.rows)
  return { plan: stored.scan, report: { ...report, notes } }
}

/** The files' texts in order, some of them read at the same time. */
async function* ahead(
  files: readonly LabeledFile[],
  textOf: (file: LabeledFile) => Promise<string | undefined>,
  { signal }: ReadOptions,
): AsyncGenerator<readonly [LabeledFile, string | undefined]> {
  for (let from = 0; from < files.length; from += together) {
    if (signal?.aborted === true) throw new CancelledError({ operation: 'read folder', problem: 'cancelled' })
    const some = files.slice(from, from + together)
    const texts = await Promise.all(some.map(textOf))
    for (const [i, file] of some.entries()) yield [file, texts[i]]
  }
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
