import { z } from 'zod'

import { Tensor } from '../core/index.ts'

/** A vector of a fitted state, for schemas of states that come out of bundles. */
export function vector<T extends 'int32' | 'float32'>(dtype: T) {
  return z.custom<Tensor<T>>(
    (value) => value instanceof Tensor && value.dtype === dtype && value.shape.length === 1,
    `expected a vector of ${dtype}`,
  )
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Plain data with tensors taken out: what a bundle writes as JSON and as safetensors. */
export interface PackedState {
  readonly json: Json
  /** By the path at which each stands in the data: "features.0.terms.1.hashes". */
  readonly tensors: Readonly<Record<string, Tensor>>
}

const reference = '$tensor'

/** Replaces tensors in plain data by references to their names. */
export function packState(data: unknown): PackedState {
  const tensors: Record<string, Tensor> = {}
  const walk = (value: unknown, path: string): Json => {
    if (value instanceof Tensor) {
      tensors[path] = value as Tensor
      return { [reference]: path }
    }
    if (Array.isArray(value)) return value.map((each, i) => walk(each, join(path, String(i))))
    if (typeof value === 'object' && value !== null) {
      const present = Object.entries(value).filter(([, each]) => each !== undefined)
      return Object.fromEntries(present.map(([key, each]) => [key, walk(each, join(path, key))]))
    }
    return value as Json
  }
  return { json: walk(data, ''), tensors }
}

/** The inverse of `packState`. A reference to a tensor that is not there becomes undefined, which no schema takes. */
export function unpackState({ json, tensors }: PackedState): unknown {
  const walk = (value: Json): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value)
    const name = entries.length === 1 && entries[0]![0] === reference ? (entries[0]![1] as unknown) : undefined
    if (typeof name === 'string') return tensors[name]
    return Object.fromEntries(entries.map(([key, each]) => [key, walk(each)]))
  }
  return walk(json)
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
