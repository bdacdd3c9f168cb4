import { OptionError } from '../../core/index.ts'
import type { Value } from '../graph.ts'
import { type Tree, leavesOf, withLeaves } from './tree.ts'

/** Graph values in lists and records. */
export type Values = Tree<Value>

export function isValue(value: object): value is Value {
  return 'node' in value && 'index' in value
}

export const valuesOf = (tree: Values): Value[] => leavesOf(tree, isValue)
export const withValues = <U>(tree: Values, leaves: readonly U[]): Tree<U> => withLeaves(tree, isValue, leaves)

/** The arguments that a transformation is about: their places, each checked. Default: the first. */
export function argumentPlaces(
  operation: string,
  places: number | readonly number[] | undefined,
  count: number,
): number[] {
  const list = places === undefined ? [0] : typeof places === 'number' ? [places] : [...places]
  const wrong = list.find((place) => !(Number.isInteger(place) && place >= 0 && place < count))
  if (wrong === undefined && list.length > 0) return list
  throw new OptionError({
    operation,
    expected: `places of arguments from 0 to ${count - 1}`,
    received: wrong === undefined ? 'none' : String(wrong),
  })
}
