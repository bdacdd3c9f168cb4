import { sep } from 'node:path'
import { hasGlob } from './files.ts'

/** Columns that the folders of files name, as Hive and Spark lay tables out: `year=2024/month=5/part-0.parquet`. */
export interface Partitions {
  readonly columns: readonly { readonly name: string; readonly type: 'int64' | 'date' | 'string' }[]
  /** The columns' values for each path; null for Hive's mark of a missing one. */
  readonly values: ReadonlyMap<string, readonly (string | null)[]>
}

const missingMark = '__HIVE_DEFAULT_PARTITION__'
/** A whole number as it is written back: "007" is a text. */
const integer = /^(?:0|-?[1-9]\d{0,17})$/
const date = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/

/**
 * The partition columns of files below what the user named: only folders inside it count, and only where every file has
 * the same ones. Types are found on all values.
 */
export function partitionsOf(
  files: readonly { readonly path: string; readonly root: string }[],
): Partitions | undefined {
  const values = new Map<string, (string | null)[]>()
  let names: string[] | undefined
  for (const { path, root } of files) {
    const pairs = path
      .slice(root.length)
      .split(sep)
      .slice(0, -1)
      .map((folder) => /^([^=]+)=(.*)$/.exec(folder))
      .filter((pair) => pair !== null)
    const own = pairs.map((pair) => decoded(pair[1]!))
    if (own.length === 0 || (names !== undefined && names.join('\0') !== own.join('\0'))) return undefined
    names ??= own
    values.set(
      path,
      pairs.map((pair) => (pair[2] === missingMark ? null : decoded(pair[2]!))),
    )
  }
  if (names === undefined) return undefined
  const rows = [...values.values()]
  const columns = names.map((name, i) => {
    const present = rows.map((row) => row[i]).filter((value) => value !== null && value !== undefined)
    const every = (pattern: RegExp): boolean => present.length > 0 && present.every((value) => pattern.test(value))
    return { name, type: every(integer) ? ('int64' as const) : every(date) ? ('date' as const) : ('string' as const) }
  })
  return { columns, values }
}

/** The part of a path or pattern that is fixed: partitions are looked for below it. */
export function rootOf(named: string, isFolder: boolean): string {
  if (isFolder) return named
  const parts = named.split(sep)
  const first = parts.findIndex(hasGlob)
  return parts.slice(0, first < 0 ? -1 : first).join(sep)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
