import { type CallContext, isLayer } from '../contracts.ts'
import type { WeightSpec } from '../variable.ts'

/** An option that is a layer. */
export const layerCheck = { expected: 'a layer', accepts: isLayer }

/** The weights of a wrapped layer, under a name of its own. */
export function prefixed(name: string, specs: Readonly<Record<string, WeightSpec>>): Record<string, WeightSpec> {
  return Object.fromEntries(Object.entries(specs).map(([key, spec]) => [`${name}/${key}`, spec]))
}

/** What a wrapped layer is called with. */
export function innerContext(context: CallContext, name: string, masks: CallContext['masks']): CallContext {
  const path = (key: string) => `${name}/${key}`
  return {
    ...context,
    masks,
    weight: (key) => context.weight(path(key)),
    hasWeight: (key) => context.hasWeight(path(key)),
    update: (key, value) => context.update(path(key), value),
    carry: (key, value) => context.carry(path(key), value),
  }
}
