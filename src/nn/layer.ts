import { type DType, OptionError, ShapeError } from '../core/index.ts'
import * as g from '../graph/index.ts'
import type { Value } from '../graph/index.ts'
import type {
  CallContext,
  CommonOptions,
  FloatType,
  Layer,
  LayerInput,
  LayerResult,
  LayerType,
  Masks,
  SymbolicTensor,
} from './contracts.ts'
import { type OptionRules, resolveOptions } from './options.ts'
import { seedWords, streamOf } from './random.ts'
import { placeholder, typesOf, widthOf } from './symbolic.ts'
import { Variable, type WeightSpec } from './variable.ts'

/** One kind of layer. */
export interface LayerDefinition<O extends object> {
  /** Its name in configurations: "dense". */
  readonly type: string
  readonly rules: OptionRules<O>
  /** The number of inputs: one unless told. */
  readonly arity?: { readonly least: number; readonly most: number }
  /** What its input is declared as when the layer comes first. Default: float32. */
  readonly inputType?: DType
  /** Checks options against each other. Throws OptionError. */
  validate?(options: Required<O>): void
  /** The weights it needs for inputs of these types. */
  weights?(options: Required<O>, inputs: readonly LayerInput[]): Readonly<Record<string, WeightSpec>>
  /** Its output, or outputs. A bag among the inputs comes as three values: ids, offsets, weights. */
  call(options: Required<O>, inputs: readonly Value[], context: CallContext): Value | readonly Value[]
  /**
   * The mask of its first output. "keep": steps stay steps (see `jointMask`). Default: what it makes has no mask.
   */
  readonly mask?: 'keep' | ((options: Required<O>, inputs: readonly Value[], context: CallContext) => Value | undefined)
}

/** Makes a layer type from its definition: the function that users call. */
export function defineLayer<O extends object>(definition: LayerDefinition<O>): LayerType<O> {
  const make = (options?: O & CommonOptions) => makeLayer(definition, options ?? ({} as O))
  return Object.assign(make as LayerType<O>, { type: definition.type })
}

function makeLayer<O extends object>(definition: LayerDefinition<O>, given: O & CommonOptions): Layer {
  const { name, inputShape, trainable = true, ...rest } = given as CommonOptions & Record<string, unknown>
  if (name !== undefined && (typeof name !== 'string' || !/^[^/\s]+$/.test(name))) {
    throw new OptionError({
      operation: definition.type,
      expected: 'a name without spaces and slashes',
      received: JSON.stringify(name),
    })
  }
  const options = resolveOptions(definition.type, definition.rules, rest as O)
  definition.validate?.(options)
  let layerName = name
  let variables: Map<string, Variable> | undefined
  const label = () => layerName ?? definition.type

  const build = (inputs: readonly LayerInput[]) => {
    const specs = g.withScope(label(), () => definition.weights?.(options, inputs) ?? {})
    if (variables === undefined) {
      variables = new Map(Object.entries(specs).map(([key, spec]) => [key, new Variable(key, spec)]))
      return
    }
    for (const [key, spec] of Object.entries(specs)) {
      const known = variables.get(key)!.spec.shape
      if (known.join() === spec.shape.join()) continue
      throw new ShapeError({
        operation: label(),
        expected: `inputs that fit its ${key} of [${known.join(', ')}]`,
        received: `inputs that need [${spec.shape.join(', ')}]`,
      })
    }
  }

  const apply = (given: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor => {
    const inputs: readonly SymbolicTensor[] = 'dtype' in given ? [given] : given
    const { least, most } = definition.arity ?? { least: 1, most: 1 }
    if (inputs.length < least || inputs.length > most) {
      throw new OptionError({
        operation: label(),
        expected: `${least}${most === least ? '' : most === Number.POSITIVE_INFINITY ? ' or more' : ` to ${most}`} inputs`,
        received: `${inputs.length}`,
      })
    }
    build(inputs.map(({ kind, dtype, shape, vocabularySize }) => ({ kind, dtype, shape, vocabularySize })))
    const types = inputs.flatMap((tensor, i) => typesOf(tensor, `bag${i}`, {}))
    const { values } = layer.call(types.map(placeholder), inferenceContext(variables!))
    const outputs: SymbolicTensor[] = []
    const source = { layer, inputs, outputs }
    for (const { dtype, shape } of values)
      outputs.push({ kind: 'dense', dtype, shape, vocabularySize: undefined, source, name: undefined })
    // Layers of several outputs are typed so where they are made.
    return outputs.length === 1 ? outputs[0]! : (outputs as readonly SymbolicTensor[] as unknown as SymbolicTensor)
  }

  const layer: Layer = Object.defineProperties(apply as Layer, {
    type: { value: definition.type },
    layerName: { get: () => layerName },
    trainable: { value: trainable, writable: true },
    common: { value: { ...(inputShape === undefined ? {} : { inputShape }), ...(name === undefined ? {} : { name }) } },
    inputType: { value: definition.inputType ?? 'float32' },
    options: { value: options },
    variables: { get: () => variables },
    rename: {
      value: (name: string) => {
        layerName = name
      },
    },
    call: {
      value: (inputs: readonly Value[], context: CallContext): LayerResult =>
        g.withScope(label(), () => {
          const made = definition.call(options, inputs, context)
          return {
            values: 'dtype' in made ? [made] : made,
            masks: [
              definition.mask === 'keep' ? jointMask(context.masks) : definition.mask?.(options, inputs, context),
            ],
          }
        }),
    },
    weightSpecs: {
      value: (inputs: readonly LayerInput[]) => g.withScope(label(), () => definition.weights?.(options, inputs) ?? {}),
    },
    copy: {
      value: (changes?: Readonly<Record<string, unknown>>) =>
        makeLayer(definition, { ...options, ...changes, trainable: layer.trainable }),
    },
    resetStates: {
      value: () => {
        for (const variable of variables?.values() ?? []) if (variable.spec.isState === true) variable.clear()
      },
    },
  })
  return layer
}

/** Keras' rule: a step counts where it does in any of the inputs, and everywhere if one of them has no mask. */
export function jointMask(masks: Masks): Value | undefined {
  if (masks.length === 0) return undefined
  return masks.reduce((joint, mask) => (joint === undefined || mask === undefined ? undefined : g.or(joint, mask)))
}

/** A context for inferring the type of a layer's output. */
function inferenceContext(variables: ReadonlyMap<string, Variable>): CallContext {
  return {
    training: false,
    dtype: 'float32',
    masks: [],
    weight: (name) => g.state(name, 'float32', variables.get(name)!.spec.shape),
    hasWeight: (name) => variables.has(name),
    update: () => undefined,
    carry: () => undefined,
    randomUniform: (shape) => placeholder({ dtype: 'float32', shape }),
    randomNormal: (shape) => placeholder({ dtype: 'float32', shape }),
    randomKey: () => ({ step: placeholder({ dtype: 'int32', shape: [] }), seed: [0, 0], stream: 0 }),
    float: (x) => toFloat(x, 'float32'),
  }
}

export function toFloat(x: Value, dtype: FloatType): Value {
  return x.dtype === dtype ? x : g.cast(x, dtype)
}

export interface TraceSettings {
  readonly training: boolean
  readonly dtype: FloatType
  readonly seed: number
  /** The scalar int32 that random numbers are counted by. */
  readonly step: () => Value
  /** The graph value of a layer's weight, by path. */
  readonly weight: (path: string, variable: Variable) => Value
  readonly update: (path: string, value: Value) => void
  readonly carry: (path: string, value: Value) => void
}

/** The context of one call of a layer in a trace. `call` numbers the calls of a layer, so that each has its own noise. */
export function callContext(layer: Layer, call: number, masks: Masks, settings: TraceSettings): CallContext {
  const { dtype, seed } = settings
  const training = settings.training && layer.trainable
  let draws = 0
  const randomKey = () => ({
    step: settings.step(),
    seed: seedWords(seed),
    stream: streamOf(`${layer.layerName}#${call}.${draws++}`),
  })
  const random = (op: 'randomUniform' | 'randomNormal', shape: g.Shape) => {
    const { step, ...key } = randomKey()
    return toFloat(g.apply(op, [step], { shape, ...key }), dtype)
  }
  const path = (name: string) => `${layer.layerName}/${name}`
  return {
    training: settings.training,
    dtype,
    masks,
    weight: (name) => settings.weight(path(name), layer.variables!.get(name)!),
    hasWeight: (name) => layer.variables!.has(name),
    update: (name, value) => {
      if (training) settings.update(path(name), value)
    },
    carry: (name, value) => settings.carry(path(name), value),
    randomUniform: (shape) => random('randomUniform', shape),
    randomNormal: (shape) => random('randomNormal', shape),
    randomKey,
    float: (x) => toFloat(x, dtype),
  }
}

/** Splits graph values into those of each tensor. */
export function valuesOf(
  tensors: readonly SymbolicTensor[],
  of: (tensor: SymbolicTensor) => readonly Value[],
): Value[] {
  return tensors.flatMap((tensor) => of(tensor).slice(0, widthOf(tensor.kind)))
}
