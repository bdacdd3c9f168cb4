import { Tensor } from '../core/index.ts'
import {
  type InAxes,
  type Traceable,
  type Tree,
  type Value,
  type Values,
  hvpValues,
  input,
  isValue,
  jvpValues,
  leavesOf,
  valueAndGradients,
  valuesOf,
  vjpValues,
  vmapValues,
  withLeaves,
  withValues,
} from '../graph/index.ts'
import { nativeRuntime } from './native/index.ts'
import type { CompileOptions, Runtime, Session } from './runtime.ts'

/** Tensors in lists and records. */
export type Tensors = Tree<Tensor>
/** What a function of graph values takes and gives as a function of tensors. */
export type AsTensors<T> = T extends Value
  ? Tensor
  : T extends object
    ? { readonly [K in keyof T]: AsTensors<T[K]> }
    : never
/** The same of arguments. */
export type TensorArguments<A extends readonly unknown[]> = { readonly [K in keyof A]: AsTensors<A[K]> }

/**
 * A function of tensors that is traced once for each combination of types and shapes, compiled, and then run on the calling
 * thread. Given graph values instead it is traced into their graph, so that transformations nest:
 * `vmap(grad(f))`, `grad(grad(f))`, `jit(vmap(f))`.
 */
export interface TensorFunction<A extends readonly unknown[], R> {
  // Last, so that a transformation of this function finds graph values.
  (...args: TensorArguments<A>): AsTensors<R>
  (...args: A): R
}

export interface JitOptions extends CompileOptions {
  /** Default: native. */
  readonly runtime?: Runtime
}

/** Programs kept of one function; the one that was used longest ago makes room. */
const kept = 64

/**
 * Compiles a function written with the ops of `fathom/graph` into one of tensors.
 *
 * ```ts
 * import { Tensor } from 'fathom/core'
 * import { matmul, mean, square, sub, type Value } from 'fathom/graph'
 *
 * const loss = (w: Value, x: Value, y: Value) => mean(square(sub(matmul(x, w), y)))
 * const slope = grad(loss)
 * const w = new Tensor('float32', [2, 1])
 * const x = new Tensor('float32', [3, 2], new Float32Array([1, 2, 3, 4, 5, 6]))
 * const y = new Tensor('float32', [3, 1], new Float32Array([1, 2, 3]))
 * const value = jit(loss)(w, x, y)
 * const [dw] = slope(w, x, y)
 * ```
 *
 * @throws what tracing, compiling and running throw: ShapeError, TypeMismatchError, MemoryError.
 */
export function jit<const A extends readonly unknown[], R>(
  f: (...args: A) => R,
  { runtime = nativeRuntime, ...options }: JitOptions = {},
): TensorFunction<A, R> {
  const programs = new Map<string, Compiled>()
  const compiledFor = (args: readonly Tensors[], tensors: readonly Tensor[]): Compiled => {
    const key = `${structureOf(args)} ${tensors.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(' ')}`
    const known = programs.get(key)
    if (known !== undefined) programs.delete(key)
    else if (programs.size >= kept) programs.delete(programs.keys().next().value!)
    const compiled = known ?? trace(traceable(f), args, tensors, runtime, options)
    programs.set(key, compiled)
    return compiled
  }
  const called = (...args: readonly (Values | Tensors)[]): unknown => {
    if (!args.every(holdsTensors)) return f(...(args as unknown as A))
    const tensors = args.flatMap((arg) => leavesOf(arg, isTensor))
    const { session, result, names } = compiledFor(args, tensors)
    const outputs = session.runSync(Object.fromEntries(names.map(({ name, at }) => [name, tensors[at]!])))
    return withValues(
      result,
      valuesOf(result).map((_, i) => outputs[`result.${i}`]!),
    )
  }
  return called as TensorFunction<A, R>
}

/** Type parameters name the arguments one by one; what runs takes them as they come. */
const traceable = (f: (...args: never) => unknown) => f as Traceable
const values = (args: readonly unknown[]) => args as readonly Values[]

interface Compiled {
  readonly session: Session
  readonly result: Values
  /** The arguments that the result depends on. */
  readonly names: readonly { readonly name: string; readonly at: number }[]
}

function trace(
  f: Traceable,
  args: readonly Tensors[],
  tensors: readonly Tensor[],
  runtime: Runtime,
  options: CompileOptions,
): Compiled {
  const inputs = tensors.map(({ dtype, shape }, i) => input(`argument.${i}`, dtype, shape))
  let at = 0
  const traced = args.map((arg) => {
    const count = leavesOf(arg, isTensor).length
    return withLeaves(arg, isTensor, inputs.slice(at, (at += count)))
  })
  const result = f(...traced)
  const outputs = Object.fromEntries(valuesOf(result).map((value, i) => [`result.${i}`, value]))
  const program = runtime.compile({ outputs, updates: {} }, options)
  const read = new Set(inputNames(outputs))
  const names = inputs.map((_, i) => ({ name: `argument.${i}`, at: i })).filter(({ name }) => read.has(name))
  return { session: program.bind({}), result, names }
}

function* inputNames(outputs: Readonly<Record<string, Value>>): Iterable<string> {
  const seen = new Set<Value['node']>()
  const open = Object.values(outputs).map(({ node }) => node)
  while (open.length > 0) {
    const node = open.pop()!
    if (seen.has(node)) continue
    seen.add(node)
    if (node.op === 'input') yield node.attributes.name
    open.push(...node.inputs.map((value) => value.node))
  }
}

const isTensor = (value: object): value is Tensor => value instanceof Tensor

function holdsTensors(tree: Values | Tensors): tree is Tensors {
  if (typeof tree !== 'object' || isTensor(tree)) return true
  if (isValue(tree)) return false
  const branches = Object.values(tree as Readonly<Record<string, Values | Tensors>>)
  return branches.every(holdsTensors)
}

/** Lists and records as text: what tells one structure from another. */
function structureOf(tree: Tensors | readonly Tensors[]): string {
  if (isTensor(tree)) return '*'
  if (Array.isArray(tree)) return `[${(tree as readonly Tensors[]).map(structureOf).join()}]`
  return `{${Object.entries(tree as Readonly<Record<string, Tensors>>)
    .map(([key, value]) => `${JSON.stringify(key)}:${structureOf(value)}`)
    .join()}}`
}

/** Places of the arguments to differentiate for. */
type Places = number | readonly number[]

export interface GradOptions<N extends Places = Places> extends JitOptions {
  /** Default: 0, the first. */
  readonly argnums?: N
}

/** The chosen arguments, in the order in which they were chosen. */
type Chosen<A extends readonly unknown[], N extends Places> = N extends readonly number[]
  ? { readonly [K in keyof N]: A[N[K] & number] }
  : readonly [A[N & number]]

/**
 * The gradients of a function that gives a scalar, one for each argument of `argnums`, in the argument's structure. Reverse
 * mode, of any order: `grad` of a sum of gradients is the second.
 */
export function grad<const A extends readonly unknown[], const N extends Places = 0>(
  f: (...args: A) => Value,
  { argnums, ...options }: GradOptions<N> = {},
): TensorFunction<A, Chosen<A, N>> {
  const gradients = (...args: A) => valueAndGradients(traceable(f), values(args), argnums).gradients
  return jit<A, readonly Values[]>(gradients, options) as unknown as TensorFunction<A, Chosen<A, N>>
}

/** The function's value and its gradients, as `grad` gives them. */
export function valueAndGrad<const A extends readonly unknown[], const N extends Places = 0>(
  f: (...args: A) => Value,
  { argnums, ...options }: GradOptions<N> = {},
): TensorFunction<A, { readonly value: Value; readonly gradients: Chosen<A, N> }> {
  const both = (...args: A) => {
    const { value, gradients } = valueAndGradients(traceable(f), values(args), argnums)
    return { value, gradients }
  }
  return jit<A, Values>(both, options) as unknown as ReturnType<typeof valueAndGrad<A, N>>
}

export interface VmapOptions extends JitOptions {
  /** For each argument the axis of its examples, null where all share it; one for all. Default: 0. */
  readonly inAxes?: InAxes
}

/**
 * A function for one example, done for many at once: results have the examples along their first axis.
 * `vmap(grad(loss), { inAxes: [null, 0, 0] })` gives the gradients of every example (what differential privacy clips:
 * Abadi et al., "Deep learning with differential privacy", 2016).
 */
export function vmap<const A extends readonly unknown[], R>(
  f: (...args: A) => R,
  { inAxes = 0, ...options }: VmapOptions = {},
): TensorFunction<A, R> {
  return jit((...args: A) => vmapValues(traceable(f), values(args), inAxes) as R, options)
}

/** The result and, for the cotangent given last, vector times Jacobian: one for each argument, in its structure. */
export function vjp<const A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): TensorFunction<readonly [args: A, cotangent: R], { readonly result: R; readonly pulled: A }> {
  return jit(
    (args: A, cotangent: R) =>
      vjpValues(traceable(f), values(args), cotangent as Values) as unknown as {
        readonly result: R
        readonly pulled: A
      },
    options,
  )
}

/** The result and Jacobian times vector: how the result changes along the tangents, one for each argument. */
export function jvp<const A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): TensorFunction<readonly [args: A, tangents: A], { readonly result: R; readonly tangent: R }> {
  return jit(
    (args: A, tangents: A) =>
      jvpValues(traceable(f), values(args), values(tangents)) as unknown as { readonly result: R; readonly tangent: R },
    options,
  )
}

/** Hessian times vector of a function that gives a scalar: one product for each argument, in its structure. */
export function hvp<const A extends readonly unknown[]>(
  f: (...args: A) => Value,
  options: JitOptions = {},
): TensorFunction<readonly [args: A, tangents: A], A> {
  return jit((args: A, tangents: A) => hvpValues(traceable(f), values(args), values(tangents)) as unknown as A, options)
}
