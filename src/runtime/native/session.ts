import { CancelledError, ShapeError, Tensor, TypeMismatchError, bytesPerElement, sizeOf } from '../../core/index.ts'
import { evaluateShape } from '../../graph/index.ts'
import { bindFeeds, checkState } from '../feeds.ts'
import { type ProfileOptions, type ProgramProfile, profileOf, profileRuns } from '../profile.ts'
import type { Feeds, Session } from '../runtime.ts'
import { type NativeSession as Handle, nativeAddon, nativeFailure } from './addon.ts'
import type { Compiled } from './compile.ts'
import { type IrValue, readsOf } from './ir.ts'

export class NativeSession implements Session {
  private readonly compiled: Compiled
  private readonly states: readonly Tensor[]
  private readonly handle: Handle
  private latest: Binding | undefined

  constructor(compiled: Compiled, state: Readonly<Record<string, Tensor>>, threads: number) {
    this.compiled = compiled
    this.states = checkedStates(compiled, state)
    const { addon } = nativeAddon()
    try {
      this.handle = addon.bind(
        compiled.program,
        this.states.map(({ data }) => data),
        threads,
      )
    } catch (cause) {
      throw nativeFailure('bind', cause)
    }
  }

  async run(feeds: Feeds, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Record<string, Tensor>> {
    if (signal?.aborted) throw new CancelledError({ operation: 'run', problem: 'the signal was aborted before the run' })
    const { addon } = nativeAddon()
    const { sizes, inputs, outputs } = this.prepare(feeds)
    const cancel = () => addon.cancel(this.handle)
    try {
      const running = addon.run(this.handle, sizes, inputs, outputs.map(dataOf), untimed)
      signal?.addEventListener('abort', cancel, { once: true })
      await running
    } catch (cause) {
      throw nativeFailure('run', cause)
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
    return this.named(outputs)
  }

  runSync(feeds: Feeds): Record<string, Tensor> {
    return this.runTimed(feeds, untimed)
  }

  profile(feeds: Feeds, options: ProfileOptions = {}): ProgramProfile {
    const runs = profileRuns(options)
    const { instructions } = this.compiled.scheduled
    const timed = (): Float64Array => {
      const nanoseconds = new Float64Array(instructions.length)
      this.runTimed(feeds, nanoseconds)
      return nanoseconds.map((time) => time / 1e6)
    }
    timed()
    const times = Array.from({ length: runs }, timed)
    const bindings = bindFeeds(this.compiled.signature, feeds)
    const bytesOf = ({ dtype, shape }: IrValue) => sizeOf(evaluateShape(shape, bindings)) * bytesPerElement[dtype]
    const operations = instructions.map((instruction) => ({
      label: instruction.label,
      scope: instruction.scope,
      flops: instruction.flops,
      bytes: [...new Set(readsOf(instruction)), ...instruction.outputs].reduce((sum, value) => sum + bytesOf(value), 0),
    }))
    return profileOf(operations, times, options.roof)
  }

  private runTimed(feeds: Feeds, nanoseconds: Float64Array): Record<string, Tensor> {
    const { sizes, inputs, outputs } = this.prepare(feeds)
    try {
      nativeAddon().addon.runSync(this.handle, sizes, inputs, outputs.map(dataOf), nanoseconds)
    } catch (cause) {
      throw nativeFailure('run', cause)
    }
    return this.named(outputs)
  }

  private prepare(feeds: Feeds) {
    // Native code knows the states' addresses, which are no longer theirs once an array was transferred elsewhere.
    for (const [i, { shape, dtype, data }] of this.states.entries())
      if (data.byteLength !== shape.reduce((size, dim) => size * dim, bytesPerElement[dtype]))
        throw new ShapeError({
          operation: `state ${this.compiled.lowered.states[i]!.name}`,
          problem: 'its array has been transferred or resized since it was bound',
        })
    const { lowered } = this.compiled
    const binding = this.bindingFor(feeds)
    return {
      sizes: binding.sizes,
      inputs: lowered.feeds.map(({ name }) => feeds[name]!.data),
      outputs: lowered.outputs.map(({ value }, i) => new Tensor(value.dtype, binding.outputShapes[i]!)),
    }
  }

  /** Feeds of the same shapes as in the run before need no solving. */
  private bindingFor(feeds: Feeds): Binding {
    const { signature, symbols, lowered } = this.compiled
    if (this.latest !== undefined && sameTypes(this.latest.feeds, feeds)) return this.latest
    const bindings = bindFeeds(signature, feeds)
    const sizes = Float64Array.from(symbols, ({ name }) => {
      const size = bindings[name]
      if (size !== undefined) return size
      throw new ShapeError({
        operation: `run, dimension ${name}`,
        problem: "no input's shape tells its size",
        hint: 'Give an input a dimension of that size',
      })
    })
    this.latest = {
      feeds: Object.entries(feeds).map(([name, { dtype, shape }]) => ({ name, dtype, shape: [...shape] })),
      sizes,
      outputShapes: lowered.outputs.map(({ value }) => evaluateShape(value.shape, bindings)),
    }
    return this.latest
  }

  private named(outputs: readonly Tensor[]): Record<string, Tensor> {
    const result: Record<string, Tensor> = {}
    this.compiled.lowered.outputs.forEach(({ name }, i) => {
      result[name] = outputs[i]!
    })
    return result
  }
}

const untimed = new Float64Array(0)
const dataOf = ({ data }: Tensor) => data

interface Binding {
  readonly feeds: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[]
  readonly sizes: Float64Array
  readonly outputShapes: readonly (readonly number[])[]
}

function sameTypes(known: Binding['feeds'], feeds: Feeds): boolean {
  let count = 0
  for (const _ in feeds) count++
  if (count !== known.length) return false
  for (const { name, dtype, shape } of known) {
    const tensor = feeds[name]
    if (tensor === undefined || tensor.dtype !== dtype || tensor.shape.length !== shape.length) return false
    for (let i = 0; i < shape.length; i++) if (tensor.shape[i] !== shape[i]) return false
  }
  return true
}

function checkedStates({ lowered, signature }: Compiled, state: Readonly<Record<string, Tensor>>): readonly Tensor[] {
  checkState(signature, state)
  const tensors = lowered.states.map(({ name }) => state[name]!)
  for (const [i, { data }] of tensors.entries()) {
    const { buffer }: { readonly buffer: ArrayBufferLike & { readonly resizable?: boolean } } = data
    if (buffer.resizable === true)
      throw new TypeMismatchError({
        operation: `state ${lowered.states[i]!.name}`,
        expected: 'an array of fixed length',
        received: 'a resizable one',
      })
  }
  checkDisjoint(lowered.updates, lowered.states, tensors)
  return tensors
}

/** A run's result would depend on the order of its instructions if a state it writes shared memory with another. */
function checkDisjoint(
  updates: Compiled['lowered']['updates'],
  states: Compiled['lowered']['states'],
  tensors: readonly Tensor[],
): void {
  const written = new Set(updates.map(({ state }) => state))
  const ranges = tensors
    .map(({ data }, i) => ({ state: states[i]!, buffer: data.buffer, begin: data.byteOffset, end: data.byteOffset + data.byteLength }))
    .filter(({ begin, end }) => end > begin)
  for (const sharing of groupByBuffer(ranges).values()) {
    const sorted = sharing.toSorted((a, b) => a.begin - b.begin)
    for (const [i, range] of sorted.entries()) {
      const next = sorted[i + 1]
      if (next !== undefined && next.begin < range.end && (written.has(range.state) || written.has(next.state)))
        throw new ShapeError({
          operation: 'bind',
          problem: `states "${range.state.name}" and "${next.state.name}" share memory`,
          hint: 'Give each an array of its own',
        })
    }
  }
}

function groupByBuffer<T extends { readonly buffer: ArrayBufferLike }>(ranges: readonly T[]): Map<ArrayBufferLike, T[]> {
  const groups = new Map<ArrayBufferLike, T[]>()
  for (const range of ranges) {
    const group = groups.get(range.buffer)
    if (group === undefined) groups.set(range.buffer, [range])
    else group.push(range)
  }
  return groups
}
