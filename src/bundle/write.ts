import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OptionError } from '../core/index.ts'
import { encodeJson } from './json.ts'
import {
  type BundleKind,
  type Manifest,
  type ManifestEntry,
  checkFileName,
  checkSectionName,
  formatVersion,
  manifestName,
  sectionEntry,
  weightsName,
} from './manifest.ts'
import { type OutputOptions, syncFolder, writeFileAtomically, writeFolderAtomically } from './output.ts'
import { type Tensors, encodeSafetensors } from './safetensors.ts'
import { FileWriter } from './stream.ts'
import { type ZipEntry, centralDirectory, localHeader } from './zip.ts'

export interface BundleContents {
  readonly kind: BundleKind
  /**
   * Plain data by section: `model` becomes model.json. A bundle needs at least `model`; features, signature, metrics,
   * lineage and task are the usual others. NaN, infinities and -0 survive.
   */
  readonly sections: Readonly<Record<string, unknown>>
  /** Written as weights.safetensors; must not change until the write is done. */
  readonly weights?: Tensors
  /** Further files by name: "report.html". Strings are written as UTF-8. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>
}

export interface WriteBundleOptions extends OutputOptions {
  /** One file (a zip that any unzip opens), or the same entries as files of a folder. Default 'file'. */
  readonly format?: 'file' | 'directory'
}

/** One entry to be written: its size is known before its bytes pass. */
interface Source {
  readonly name: string
  readonly size: number
  readonly chunks: () => Iterable<Uint8Array>
}

/**
 * Writes a bundle or checkpoint. At any moment, even after a crash, the path holds what it held before or the whole
 * new one. Equal contents give equal bytes. Memory: one buffer of 1 MiB beside the JSON sections.
 * @returns the manifest, with each entry's size and sha256.
 * @throws FileError when the output exists (without `force`), the disk is full or the folder cannot be written;
 *   OptionError and TypeMismatchError for names and values that a bundle cannot hold.
 */
export async function writeBundle(
  path: string,
  contents: BundleContents,
  options: WriteBundleOptions = {},
): Promise<Manifest> {
  const sources = sourcesOf(contents)
  const entries: Record<string, ManifestEntry> = {}
  const manifest: Manifest = { format: 'fathom', version: [...formatVersion], kind: contents.kind, entries }
  if (options.format === 'directory') {
    await writeFolderAtomically(path, (folder) => writeFolder(folder, sources, entries, manifest), {
      ...options,
      mayReplace: isBundleFolder,
    })
  } else {
    await writeFileAtomically(path, (file) => writeArchive(file, sources, entries, manifest), options)
  }
  return manifest
}

function sourcesOf({ kind, sections, weights, files = {} }: BundleContents): Source[] {
  if (kind === 'bundle' && sections['model'] === undefined) {
    throw new OptionError({
      operation: 'write bundle',
      expected: 'a "model" section',
      received: `sections ${Object.keys(sections).join(', ') || '(none)'}`,
    })
  }
  const sources: Source[] = []
  for (const [section, value] of Object.entries(sections)) {
    if (value === undefined) continue
    checkSectionName(section)
    sources.push(sourceOf(sectionEntry(section), encodeJson(value, sectionEntry(section))))
  }
  for (const [name, content] of Object.entries(files)) {
    checkFileName(name)
    sources.push(sourceOf(name, typeof content === 'string' ? new TextEncoder().encode(content) : content))
  }
  if (weights !== undefined) sources.push({ name: weightsName, ...encodeSafetensors(weights, { format: 'fathom' }) })
  return sources
}

function sourceOf(name: string, bytes: Uint8Array): Source {
  return { name, size: bytes.length, chunks: () => [bytes] }
}

function manifestSource(manifest: Manifest): Source {
  return sourceOf(manifestName, encodeJson(manifest, manifestName))
}

async function writeArchive(
  file: FileHandle,
  sources: readonly Source[],
  entries: Record<string, ManifestEntry>,
  manifest: Manifest,
): Promise<void> {
  const writer = new FileWriter(file)
  const written: ZipEntry[] = []
  const write = async ({ name, size, chunks }: Source): Promise<void> => {
    const entry = { name, size, crc: 0, offset: writer.position }
    await writer.write(localHeader(entry))
    writer.digest()
    for (const chunk of chunks()) await writer.write(chunk)
    const { sha256, crc } = writer.digest()
    written.push({ ...entry, crc })
    entries[name] = { size, sha256 }
  }
  for (const source of sources) await write(source)
  await write(manifestSource({ ...manifest, entries: { ...entries } }))
  delete entries[manifestName]
  await writer.write(centralDirectory(written, writer.position))
  await writer.flush()
  // Checksums are known only after the contents have passed; the headers before them are completed now.
  for (const entry of written) await file.write(localHeader(entry), 0, undefined, entry.offset)
}

async function writeFolder(
  folder: string,
  sources: readonly Source[],
  entries: Record<string, ManifestEntry>,
  manifest: Manifest,
): Promise<void> {
  const write = async ({ name, size, chunks }: Source): Promise<string> => {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    const file = await open(path, 'wx')
    try {
      const writer = new FileWriter(file)
      for (const chunk of chunks()) await writer.write(chunk)
      await writer.flush()
      await file.sync()
      entries[name] = { size, sha256: writer.digest().sha256 }
    } finally {
      await file.close()
    }
    return dirname(path)
  }
  const folders = new Set<string>()
  for (const source of sources) folders.add(await write(source))
  for (const inner of folders) await syncFolder(inner)
  await write(manifestSource({ ...manifest, entries: { ...entries } }))
  delete entries[manifestName]
}

async function isBundleFolder(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, manifestName), 'utf8'))
    return typeof manifest === 'object' && manifest !== null && 'format' in manifest && manifest.format === 'fathom'
  } catch {
    return false
  }
}
