import { ShapeError, TypeMismatchError } from '../../core/index.ts'

/** Leaves in lists and records: what functions take and give. Parameters may stand in a record by name. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> }

/** Leaves in order: lists by position, records by their keys' order. `isLeaf` tells a leaf from a record. */
export function leavesOf<T extends object>(tree: Tree<T>, isLeaf: (value: object) => value is T): T[] {
  if (typeof tree !== 'object' || tree === null)
    throw new TypeMismatchError({
      operation: 'tree',
      expected: 'tensors, or lists and records of them',
      received: String(tree),
      hint: 'Give a number as a tensor without axes',
    })
  if (isLeaf(tree)) return [tree]
  return Object.values(tree as Readonly<Record<string, Tree<T>>>).flatMap((branch) => leavesOf(branch, isLeaf))
}

/** The tree with its leaves replaced in order. @throws ShapeError unless there are as many as leaves. */
export function withLeaves<T extends object, U>(
  tree: Tree<T>,
  isLeaf: (value: object) => value is T,
  leaves: readonly U[],
): Tree<U> {
  let next = 0
  const rebuilt = rebuild(tree)
  if (next !== leaves.length)
    throw new ShapeError({ operation: 'tree', expected: `${next} leaves`, received: String(leaves.length) })
  return rebuilt

  function rebuild(branch: Tree<T>): Tree<U> {
    if (isLeaf(branch)) return leaves[next++]!
    if (Array.isArray(branch)) return (branch as readonly Tree<T>[]).map(rebuild)
    return Object.fromEntries(
      Object.entries(branch as Readonly<Record<string, Tree<T>>>).map(([key, value]) => [key, rebuild(value)]),
    )
  }
}
