import { type DType, Random, Tensor, type TypedArray, isFloating, sizeOf, typedArray } from '../../src/core/index.ts'
import {
  type Dim,
  type Graph,
  type OpAttributes,
  type OpName,
  type Value,
  add,
  applyMany,
  gradients,
  input,
  mul,
  opTable,
  scalar,
  signatureOf,
  sum,
  sym,
} from '../../src/graph/index.ts'
import type { CompileOptions, Runtime } from '../../src/runtime/index.ts'

/**
 * One op under test: example inputs, attributes, and what is known of the results. Every runtime runs the same cases;
 * see `cases/index.ts` for all of them and `checks.ts` for what is checked.
 */
export interface OpCase {
  readonly op: OpName
  readonly title: string
  /** Sizes of the symbols that shapes and attributes name. */
  readonly sizes: Readonly<Record<string, number>>
  readonly inputs: readonly CaseInput[]
  /** `float` is the floating type of this run: attributes that name an element type follow it. */
  readonly attributes: (dim: DimOf, float: FloatType) => OpAttributes[OpName]
  /** What PyTorch found. */
  readonly expected?: Expected
  /** Whether to compare gradients with differences: not at kinks and ties. Default: where the op has a gradient. */
  readonly differentiate?: boolean
  /** Largest |difference| / max(1, |value|) in float32. Default 2e-6. */
  readonly tolerance?: number
}
export type DimOf = (symbol: string) => Dim
export type FloatType = 'float32' | 'float64'
export interface CaseInput {
  /** Sizes, symbols by name. */
  readonly shape: readonly (number | string)[]
  readonly make: (random: Random, shape: readonly number[]) => Tensor
}
export interface Expected {
  readonly outputs: readonly Tensor[]
  readonly cotangents: readonly (Tensor | undefined)[]
  readonly gradients: readonly (Tensor | undefined)[]
}

/** How a case is declared: attributes may be plain where they name no symbol and no element type. */
export type CaseDeclaration<K extends OpName> = Omit<OpCase, 'op' | 'sizes' | 'attributes'> & {
  readonly sizes?: Readonly<Record<string, number>>
  readonly attributes: OpAttributes[K] | ((dim: DimOf, float: FloatType) => OpAttributes[K])
}

export function declare<K extends OpName>(op: K, declarations: readonly CaseDeclaration<K>[]): OpCase[] {
  return declarations.map(({ attributes, sizes = {}, ...rest }) => ({
    ...rest,
    op,
    sizes,
    attributes: typeof attributes === 'function' ? attributes : () => attributes,
  }))
}

// ── inputs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Shape = CaseInput['shape']

function filled(dtype: DType, shape: readonly number[], each: (i: number) => number): Tensor {
  const data: TypedArray = typedArray(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = each(i)
  return new Tensor(dtype, shape, data)
}

/** Standard normal numbers times `scale`. */
export function normal(shape: Shape, scale = 1): CaseInput {
  return { shape, make: (random, sizes) => filled('float32', sizes, () => random.normal() * scale) }
}
export function uniform(shape: Shape, low: number, high: number): CaseInput {
  return { shape, make: (random, sizes) => filled('float32', sizes, () => low + random.uniform() * (high - low)) }
}
/** Numbers at least 0.1 apart in random order: no ties, even after a small step. */
export function distinct(shape: Shape): CaseInput {
  return {
    shape,
    make(random, sizes) {
      const order = random.permutation(sizeOf(sizes))
      return filled('float32', sizes, (i) => (order[i]! - order.length / 2) * 0.1 + 0.05)
    },
  }
}
/** int32 in [low, high). */
export function integers(shape: Shape, low: number, high: number): CaseInput {
  return { shape, make: (random, sizes) => filled('int32', sizes, () => low + random.integer(high - low)) }
}
export function bools(shape: Shape): CaseInput {
  return { shape, make: (random, sizes) => filled('bool', sizes, () => random.integer(2)) }
}
export function given(dtype: DType, shape: Shape, values: readonly number[]): CaseInput {
  return { shape, make: (_, sizes) => filled(dtype, sizes, (i) => values[i]!) }
}

// ── graphs of a case ───────────────────────────────────────────────────────────────────────────────────────────────

export interface CaseOptions {
  /** The floating type to compute in. Default: float32. */
  readonly float?: FloatType
  /** Whether the case's symbols are symbols, with a bound above their size, or numbers. Default: numbers. */
  readonly symbolic?: boolean
  /** 0: outputs `y0`, …; 1: also `d0`, …, the gradients of Σ y·c; 2: also `e0`, …, those of Σ d·w. Default: 0. */
  readonly order?: 0 | 1 | 2
}

export interface BuiltCase {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
  /** The random c0, … and w0, … by name, those of them included that drop out of the graph. */
  readonly weights: Readonly<Record<string, Tensor>>
  /** The names of the inputs that d0, … and e0, … are gradients for. */
  readonly differentiated: readonly string[]
}

/** The op applied to fed inputs `x0`, …, with its gradients, and the feeds. The same each time. */
export function buildCase(
  test: OpCase,
  { float = 'float32', symbolic = false, order = 0 }: CaseOptions = {},
): BuiltCase {
  const random = randomOf(test)
  const dim: DimOf = (symbol) => {
    const size = test.sizes[symbol]
    if (size === undefined) throw new Error(`${nameOf(test)}: no size for ${symbol}`)
    return symbolic ? sym(symbol, size + 3) : size
  }
  const feeds: Record<string, Tensor> = {}
  const feed = (name: string, tensor: Tensor, shape: readonly Dim[] = tensor.shape): Value => {
    feeds[name] = tensor
    return input(name, tensor.dtype, shape)
  }
  const inputs = test.inputs.map(({ shape, make }, i) => {
    const sizes = shape.map((size) => (typeof size === 'string' ? test.sizes[size]! : size))
    const dims = shape.map((size) => (typeof size === 'string' ? dim(size) : size))
    return feed(`x${i}`, inFloat(make(random, sizes), float), dims)
  })
  const ys = applyMany(test.op, inputs, test.attributes(dim, float))
  const outputs: Record<string, Value> = {}
  // A symbol that only an attribute names is bound by an input of its own.
  for (const [symbol, size] of Object.entries(test.sizes)) {
    if (test.inputs.some(({ shape }) => shape.includes(symbol))) continue
    outputs[`bound.${symbol}`] = feed(`symbol.${symbol}`, new Tensor('uint8', [size]), [dim(symbol)])
  }
  const record = (prefix: string, values: readonly Value[]) =>
    values.forEach((value, i) => {
      outputs[`${prefix}${i}`] = value
    })
  record('y', ys)
  const differentiated: string[] = []
  const weigh = (values: readonly Value[], prefix: string, cotangents?: Expected['cotangents']): Value => {
    const parts = values.flatMap((value, i) => {
      if (!isFloating(value.dtype)) return []
      const sizes = value.shape.map((size) => sizeOfDim(size, test.sizes))
      const weights = cotangents?.[i] ?? filled(value.dtype, sizes, () => random.normal())
      return [sum(mul(value, feed(`${prefix}${i}`, inFloat(weights, value.dtype as FloatType), value.shape)))]
    })
    return parts.reduce((total, part) => add(total, part), scalar(0, parts[0]?.dtype ?? float))
  }
  const floating = inputs.filter((value) => isFloating(value.dtype))
  if (order > 0 && floating.length > 0 && isDifferentiable(test)) {
    const loss = weigh(ys, 'c', test.expected?.cotangents)
    const ds = gradients(loss, floating)
    record('d', ds)
    inputs.forEach((value, i) => {
      if (isFloating(value.dtype)) differentiated.push(`x${i}`)
    })
    if (order > 1) record('e', gradients(weigh(ds, 'w'), floating))
  }
  const graph = { outputs, updates: {} }
  const needed = signatureOf(graph).inputs
  const fed = Object.fromEntries(Object.entries(feeds).filter(([name]) => needed.has(name)))
  return { graph, feeds: fed, weights: feeds, differentiated }
}

/** Runs a case and gives its outputs. */
export function runCase(
  runtime: Runtime,
  test: OpCase,
  options?: CaseOptions,
  compile?: CompileOptions,
): Record<string, Tensor> {
  const { graph, feeds } = buildCase(test, options)
  return runtime.compile(graph, compile).bind({}).runSync(feeds)
}

export function nameOf({ op, title }: OpCase): string {
  return `${op}: ${title}`
}

export function isDifferentiable({ op }: OpCase): boolean {
  return opTable[op].gradient !== 'none'
}

export function inFloat(tensor: Tensor, float: FloatType): Tensor {
  if (!isFloating(tensor.dtype) || tensor.dtype === float) return tensor
  return filled(float, tensor.shape, (i) => Number(tensor.data[i]))
}

function sizeOfDim(dim: Dim, sizes: Readonly<Record<string, number>>): number {
  if (typeof dim === 'number') return dim
  return dim.symbols.reduce((product, { name }) => product * sizes[name]!, dim.coefficient) + dim.offset
}

function randomOf(test: OpCase): Random {
  let seed = 0
  for (const character of nameOf(test)) seed = (seed * 31 + character.codePointAt(0)!) % 2 ** 31
  return new Random(seed)
}
