import { OptionError } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Value } from '../../graph/index.ts'
import type { CommonOptions, Layer, MultiOutputLayer } from '../contracts.ts'
import { defineLayer } from '../layer.ts'
import { oneOf, optional, required } from '../options.ts'
import { innerContext, layerCheck, prefixed } from './wrapping.ts'

export interface BidirectionalOptions {
  /** A `simpleRnn`, `lstm` or `gru`. */
  readonly layer: Layer | MultiOutputLayer
  /** What runs from the end. Default: a layer like the other, with weights of its own. */
  readonly backwardLayer?: Layer | MultiOutputLayer | undefined
  /** How the two outputs become one; "none" gives both. Default: "concat". */
  readonly mergeMode?: 'concat' | 'sum' | 'mul' | 'ave' | 'none'
}
type Merge = (forward: Value, backward: Value) => readonly Value[]

const merges: { readonly [M in Required<BidirectionalOptions>['mergeMode']]: Merge } = {
  concat: (a, b) => [g.concat([a, b], -1)],
  sum: (a, b) => [g.add(a, b)],
  mul: (a, b) => [g.mul(a, b)],
  ave: (a, b) => [g.mul(g.add(a, b), 0.5)],
  none: (a, b) => [a, b],
}
const kinds: readonly string[] = ['simpleRnn', 'lstm', 'gru']
const directions = ['forward', 'backward'] as const

interface BidirectionalType {
  (options: BidirectionalOptions & CommonOptions & { readonly mergeMode: 'none' }): MultiOutputLayer
  (options: BidirectionalOptions & CommonOptions & { readonly layer: MultiOutputLayer }): MultiOutputLayer
  (options: BidirectionalOptions & CommonOptions): Layer
  readonly type: string
}

function bothOf({ layer, backwardLayer }: BidirectionalOptions): readonly [Layer, Layer] {
  const forward = layer as Layer
  const backward = (backwardLayer as Layer | undefined) ?? forward.copy({ goBackwards: !goesBackwards(forward) })
  // As Keras has it: the step before one that is left out is not the same in both directions.
  return [forward, backward].map((each) =>
    each.options['returnSequences'] === true ? each.copy({ zeroOutputForMask: true }) : each,
  ) as [Layer, Layer]
}

function goesBackwards({ options }: Layer): boolean {
  return options['goBackwards'] === true
}

/**
 * A recurrent layer in both directions over [batch, time, features]. With `returnSequences` both outputs are in the input's
 * order. States, given as further inputs or returned, are the forward layer's and then the backward one's.
 */
export const bidirectional = defineLayer<BidirectionalOptions>({
  type: 'bidirectional',
  rules: {
    layer: required<Layer | MultiOutputLayer>(layerCheck),
    backwardLayer: optional<Layer | MultiOutputLayer>(layerCheck),
    mergeMode: optional(oneOf('concat', 'sum', 'mul', 'ave', 'none'), 'concat'),
  },
  arity: { least: 1, most: 5 },
  validate(options) {
    const wrong = [options.layer, options.backwardLayer ?? options.layer].find(({ type }) => !kinds.includes(type))
    if (wrong !== undefined)
      throw new OptionError({
        operation: 'bidirectional',
        expected: `one of ${kinds.join(', ')}`,
        received: wrong.type,
      })
    const [forward, backward] = bothOf(options)
    const differs = ['returnSequences', 'returnState'].find((key) => forward.options[key] !== backward.options[key])
    if (differs !== undefined || goesBackwards(forward) === goesBackwards(backward))
      throw new OptionError({
        operation: 'bidirectional',
        expected: 'layers in opposite directions that return the same',
        received: `layers that ${differs === undefined ? 'go the same way' : `differ in ${differs}`}`,
      })
  },
  weights(options, inputs) {
    const [forward, backward] = bothOf(options)
    return {
      ...prefixed(directions[0], forward.weightSpecs(inputs)),
      ...prefixed(directions[1], backward.weightSpecs(inputs)),
    }
  },
  mask: ({ layer }, _, { masks }) => (layer.options['returnSequences'] === true ? masks[0] : undefined),
  call(options, [x, ...states], context) {
    const layers = bothOf(options)
    const half = states.length / 2
    const [forward, backward] = layers.map((layer, i) => {
      const given = states.slice(i * half, (i + 1) * half)
      return layer.call([x!, ...given], innerContext(context, directions[i]!, context.masks)).values
    }) as [readonly Value[], readonly Value[]]
    const sequences = layers[0].options['returnSequences'] === true
    // The backward layer gives its steps in its own order.
    const [a, b] = [forward[0]!, sequences ? g.flip(backward[0]!, 1) : backward[0]!]
    return [...merges[options.mergeMode](a, b), ...forward.slice(1), ...backward.slice(1)]
  },
}) as unknown as BidirectionalType
