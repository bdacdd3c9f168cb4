import { z } from 'zod'
import { BundleError, OptionError } from '../core/index.ts'
import { decodeJson } from './json.ts'

/** The manifest is written last: a container without one, or with one that does not fit, is not a bundle. */
export const manifestName = 'manifest.json'
export const weightsName = 'weights.safetensors'

/**
 * The version of the format, [major, minor]. A reader accepts every minor of its major: new minors only add. A change
 * after which old readers would misunderstand a bundle raises the major.
 */
export const formatVersion: readonly [major: number, minor: number] = [1, 0]

export const bundleKinds = ['bundle', 'checkpoint'] as const
export type BundleKind = (typeof bundleKinds)[number]

const entry = z.object({
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const schema = z.object({
  format: z.literal('fathom'),
  version: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  kind: z.enum(bundleKinds),
  entries: z.record(z.string(), entry),
})
export type Manifest = Readonly<z.infer<typeof schema>>
export type ManifestEntry = Readonly<z.infer<typeof entry>>

/** @throws BundleError when it is not a manifest, or one of a version that this Fathom does not read. */
export function parseManifest(bytes: Uint8Array, operation: string): Manifest {
  const value = decodeJson(bytes, operation, manifestName)
  const version = z.object({ format: z.literal('fathom'), version: z.array(z.number()).min(2) }).safeParse(value)
  if (!version.success) throw notBundle(operation)
  const [major, minor] = version.data.version
  if (major !== formatVersion[0]) {
    const newer = major! > formatVersion[0]
    throw new BundleError({
      operation,
      problem: `this bundle has format version ${major}.${minor}, and this Fathom reads versions ${formatVersion[0]}.x`,
      hint: newer
        ? 'Install a newer version of Fathom to read it'
        : 'Train it again, or read it with the version of Fathom that made it',
    })
  }
  const manifest = schema.safeParse(value)
  if (!manifest.success) {
    const issue = manifest.error.issues[0]
    throw new BundleError({
      operation,
      problem: `${manifestName} is not valid${issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`}`,
      hint: 'Copy the bundle again from where it came from, or train it again',
    })
  }
  for (const name of Object.keys(manifest.data.entries)) {
    if (!isEntryName(name)) {
      throw new BundleError({
        operation,
        expected: 'entry names of letters, digits, ".", "-" and "_" in relative folders',
        received: JSON.stringify(name.slice(0, 100)),
        hint: 'Do not trust this file: Fathom did not write it',
      })
    }
  }
  return manifest.data
}

export function notBundle(operation: string): BundleError {
  return new BundleError({
    operation,
    problem: 'this is not a Fathom bundle',
    hint: 'Give a file that `fathom train` wrote (its name usually ends in .fathom)',
  })
}

/** Names that mean the same on every system and cannot leave the folder they are unpacked into. */
export function isEntryName(name: string): boolean {
  return (
    name.length <= 200 &&
    name !== manifestName &&
    name.split('/').every((part) => /^[A-Za-z0-9_][\w.-]*$/.test(part) && !part.endsWith('.'))
  )
}

/** A JSON section `model` is the entry `model.json`. */
export function sectionEntry(section: string): string {
  return `${section}.json`
}

/** The section an entry holds; undefined for weights and other files. */
export function sectionOf(name: string): string | undefined {
  return /^([a-z][A-Za-z0-9]*)\.json$/.exec(name)?.[1]
}

/** @throws OptionError for names that bundles cannot hold. */
export function checkSectionName(section: string): void {
  if (sectionOf(sectionEntry(section)) === undefined || sectionEntry(section) === manifestName) {
    throw new OptionError({
      operation: 'write bundle',
      expected: 'a section name in camelCase other than "manifest"',
      received: JSON.stringify(section),
    })
  }
}

/** @throws OptionError for names that bundles cannot hold, or that belong to sections and weights. */
export function checkFileName(name: string): void {
  if (!isEntryName(name) || name === weightsName || sectionOf(name) !== undefined) {
    throw new OptionError({
      operation: 'write bundle',
      expected: 'a relative file name of letters, digits, ".", "-" and "_" that no section or weights take',
      received: JSON.stringify(name),
    })
  }
}
