import { type FileHandle, lstat, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BundleError, type Tensor, didYouMean } from '../core/index.ts'
import { decodeJson } from './json.ts'
import {
  type BundleKind,
  type Manifest,
  manifestName,
  notBundle,
  parseManifest,
  sectionEntry,
  sectionOf,
  weightsName,
} from './manifest.ts'
import { fileError } from './output.ts'
import { decodeSafetensors } from './safetensors.ts'
import { FileReader } from './stream.ts'
import { type ZipEntry, centralDirectory, directoryStart, localHeader, parseDirectory } from './zip.ts'

export interface ReadBundleOptions {
  /** Sections that must be there; only these are parsed. Default: all that are there, and a bundle must have `model`. */
  readonly sections?: readonly string[]
  /** Refuse the other kind. Default: either. */
  readonly kind?: BundleKind
  /** Load the weights. Default true; they are checked in any case. */
  readonly weights?: boolean
  /** Further files to load: names, or 'all'. Default none; they are checked in any case. */
  readonly files?: readonly string[] | 'all'
}

export interface Bundle {
  readonly manifest: Manifest
  /** Parsed JSON by section: check it (with zod) before relying on its shape. */
  readonly sections: Readonly<Record<string, unknown>>
  readonly weights: Readonly<Record<string, Tensor>>
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** JSON sections and further files are held in memory as one piece. */
const maxInMemory = 512 * 2 ** 20
const maxManifest = 16 * 2 ** 20
const maxDirectory = 64 * 2 ** 20
const again = 'Copy it again from where it came from, or train again'

/**
 * Reads a bundle or checkpoint, one file or a folder. Every entry's size and sha256 is checked before anything is
 * returned; nothing in a bundle is ever run. Memory: the result and one chunk of 1 MiB.
 * @throws BundleError when it is truncated, altered, of a version this Fathom does not read, not a bundle, or lacks a
 *   section; FileError when it cannot be opened.
 */
export async function readBundle(path: string, options: ReadBundleOptions = {}): Promise<Bundle> {
  const operation = `read ${path}`
  try {
    const container = (await stat(path)).isDirectory()
      ? await openFolder(path, operation)
      : await openArchive(path, operation)
    try {
      return await load(container, options, operation)
    } finally {
      await container.close()
    }
  } catch (cause) {
    throw fileError(operation, cause)
  }
}

/** The manifest alone: kind, version and what is in it, without reading the contents. */
export async function readManifest(path: string): Promise<Manifest> {
  const operation = `read ${path}`
  try {
    const container = (await stat(path)).isDirectory()
      ? await openFolder(path, operation)
      : await openArchive(path, operation)
    await container.close()
    return container.manifest
  } catch (cause) {
    throw fileError(operation, cause)
  }
}

interface Container {
  readonly manifest: Manifest
  use<T>(name: string, size: number, read: (reader: FileReader) => Promise<T>): Promise<T>
  close(): Promise<void>
}

async function load(container: Container, options: ReadBundleOptions, operation: string): Promise<Bundle> {
  const { manifest } = container
  if (options.kind !== undefined && manifest.kind !== options.kind) {
    throw new BundleError({
      operation,
      expected: `a ${options.kind}`,
      received: `a ${manifest.kind}`,
      hint:
        manifest.kind === 'checkpoint'
          ? 'Finish its training with `fathom train … --resume`, which makes the bundle'
          : 'Give the checkpoint that training left beside its output',
    })
  }
  const names = Object.keys(manifest.entries)
  requireEntries(options, manifest, operation)
  const wanted = options.sections === undefined ? undefined : new Set(options.sections)
  const sections: [string, unknown][] = []
  const files = new Map<string, Uint8Array>()
  let weights: Record<string, Tensor> = {}
  for (const name of names) {
    const { size, sha256 } = manifest.entries[name]!
    await container.use(name, size, async (reader) => {
      const section = sectionOf(name)
      if (section !== undefined && wanted?.has(section) !== false) {
        // Hashed before it is parsed: a damaged section is reported as damaged, not as bad JSON.
        const bytes = await readWhole(reader, maxInMemory, name, operation)
        await check(reader)
        sections.push([section, decodeJson(bytes, operation, name)])
      } else if (name === weightsName && options.weights !== false) {
        weights = await decodeChecked(reader)
      } else if (
        options.files === 'all' ? section === undefined && name !== weightsName : options.files?.includes(name)
      ) {
        files.set(name, await readWhole(reader, maxInMemory, name, operation))
        await check(reader)
      } else await check(reader)
    })

    async function check(reader: FileReader): Promise<void> {
      if ((await reader.finish()).sha256 !== sha256) throw altered(name, operation)
    }
    async function decodeChecked(reader: FileReader): Promise<Record<string, Tensor>> {
      // Damage shows as a malformed header at times: the hash, checked first, says which of the two it is.
      const decoded = await decodeSafetensors(reader, operation).catch((error: unknown) => ({ error }))
      await check(reader)
      if ('error' in decoded) throw decoded.error
      return decoded.tensors
    }
  }
  return { manifest, sections: Object.fromEntries(sections), weights, files }
}

function requireEntries({ sections, files }: ReadBundleOptions, manifest: Manifest, operation: string): void {
  const names = Object.keys(manifest.entries)
  const needed = sections?.map(sectionEntry) ?? (manifest.kind === 'bundle' ? [sectionEntry('model')] : [])
  for (const name of [...needed, ...(files === 'all' || files === undefined ? [] : files)]) {
    if (Object.hasOwn(manifest.entries, name)) continue
    throw new BundleError({
      operation,
      expected: `${name} in the ${manifest.kind}`,
      received: 'none',
      hint: didYouMean(name, names),
    })
  }
}

async function readWhole(reader: FileReader, limit: number, name: string, operation: string): Promise<Uint8Array> {
  if (reader.size > limit) {
    throw new BundleError({
      operation,
      expected: `at most ${limit} bytes in ${name}`,
      received: `${reader.size} bytes`,
      hint: 'Fathom does not write such a file: make the bundle again',
    })
  }
  const bytes = new Uint8Array(reader.size)
  await reader.pull(bytes)
  return bytes
}

async function openFolder(path: string, operation: string): Promise<Container> {
  const use: Container['use'] = async (name, size, read) => {
    const inner = join(path, name)
    const status = await lstat(inner).catch(() => undefined)
    if (status === undefined || !status.isFile()) {
      if (name === manifestName) throw notBundle(operation)
      throw new BundleError({ operation, expected: `the file ${name}`, received: 'none', hint: again })
    }
    if (size >= 0 && status.size !== size) throw sizeDiffers(name, size, status.size, operation)
    const file = await open(inner, 'r')
    try {
      return await read(new FileReader(file, 0, status.size, operation))
    } finally {
      await file.close()
    }
  }
  const bytes = await use(manifestName, -1, (reader) => readWhole(reader, maxManifest, manifestName, operation))
  return { manifest: parseManifest(bytes, operation), use, close: () => Promise.resolve() }
}

async function openArchive(path: string, operation: string): Promise<Container> {
  const file = await open(path, 'r')
  try {
    return await readArchive(file, operation)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readArchive(file: FileHandle, operation: string): Promise<Container> {
  const { size } = await file.stat()
  const head = await readAt(file, 0, Math.min(size, 4), operation)
  if (size === 0) throw new BundleError({ operation, problem: 'the file is empty', hint: again })
  if (size < 4 || new DataView(head.buffer).getUint32(0, true) !== 0x04034b50) throw notBundle(operation)
  const start = directoryStart(await readAt(file, Math.max(0, size - 98), Math.min(size, 98), operation))
  if (start === undefined || start >= size) {
    throw new BundleError({ operation, problem: 'the bundle is truncated, or something follows its end', hint: again })
  }
  if (size - start > maxDirectory) throw notBundle(operation)
  const directory = await readAt(file, start, size - start, operation)
  const entries = parseDirectory(directory)
  const last = entries?.at(-1)
  if (entries === undefined || last === undefined || last.name !== manifestName || last.size > maxManifest) {
    throw notBundle(operation)
  }
  const reader = readerOf(file, last, start, operation)
  const bytes = await readWhole(reader, maxManifest, manifestName, operation)
  if ((await reader.finish()).crc !== last.crc) throw altered(manifestName, operation)
  // The version first: a newer format may be laid out differently, and deserves that sentence.
  const manifest = parseManifest(bytes, operation)
  await checkLayout(file, entries, directory, start, operation)
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  if (byName.size !== entries.length || byName.size !== Object.keys(manifest.entries).length + 1) {
    throw altered(manifestName, operation)
  }
  return {
    manifest,
    async use(name, size, read) {
      const entry = byName.get(name)
      if (entry === undefined) throw new BundleError({ operation, expected: name, received: 'none', hint: again })
      if (entry.size !== size) throw sizeDiffers(name, size, entry.size, operation)
      return await read(readerOf(file, entry, start, operation))
    },
    close: () => file.close(),
  }
}

function readerOf(file: FileHandle, entry: ZipEntry, end: number, operation: string): FileReader {
  const begin = entry.offset + localHeader(entry).length
  if (begin + entry.size > end) throw altered(entry.name, operation)
  return new FileReader(file, begin, entry.size, operation)
}

/** Every byte that is not an entry's contents must be as Fathom lays it out. */
async function checkLayout(
  file: FileHandle,
  entries: readonly ZipEntry[],
  directory: Uint8Array,
  start: number,
  operation: string,
): Promise<void> {
  let position = 0
  for (const entry of entries) {
    const header = localHeader(entry)
    const found = entry.offset === position ? await readAt(file, position, header.length, operation) : undefined
    if (found === undefined || Buffer.compare(found, header) !== 0) throw altered(entry.name, operation)
    position += header.length + entry.size
  }
  if (position !== start || Buffer.compare(directory, centralDirectory(entries, start)) !== 0) {
    throw altered('the table of contents', operation)
  }
}

async function readAt(
  file: FileHandle,
  position: number,
  length: number,
  operation: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  await new FileReader(file, position, length, operation).pull(bytes)
  return bytes
}

function altered(name: string, operation: string): BundleError {
  return new BundleError({
    operation,
    problem: `${name} is not as it was written: the bundle is damaged, or was packed again by another program`,
    hint: `${again}. To change or repack one, use the folder that \`unzip\` makes of it, which Fathom reads as well`,
  })
}

function sizeDiffers(name: string, expected: number, received: number, operation: string): BundleError {
  return new BundleError({
    operation,
    problem: `${name} is not as it was written`,
    expected: `${expected} bytes`,
    received: `${received} bytes`,
    hint: again,
  })
}
