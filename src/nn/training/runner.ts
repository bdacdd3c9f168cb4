import { Tensor as HostTensor, inTurns, NotFoundError, ShapeError, type Steps, type Tensor } from '../../core/index.ts'
import * as g from '../../graph/index.ts'
import type { Graph } from '../../graph/index.ts'
import type { CompileOptions, ProfileOptions, Program, ProgramProfile, Runtime, Session } from '../../runtime/index.ts'
import type { Network } from '../model/network.ts'
import { type Bounds, batchSymbol } from '../symbolic.ts'
import { type FeedTypes, boundsOf } from './trace.ts'

export interface RunnerOptions {
  readonly runtime: Runtime
  readonly compile: CompileOptions
}

interface Prepared {
  readonly key: string
  readonly bounds: Readonly<Record<string, number>>
  readonly program: Program
  readonly state: Readonly<Record<string, Tensor>>
  readonly session: Session
  /** The feeds that the graph reads. */
  readonly feeds: readonly string[]
}

/**
 * Runs one kind of step, and makes its program again only when feeds come in other types or beyond the sizes it was
 * planned for. Sizes other than the batch's are planned with room to grow; results do not depend on that.
 */
export class Runner {
  private readonly network: Network
  private readonly options: RunnerOptions
  private readonly build: (bounds: Bounds, feeds: FeedTypes) => Graph
  private readonly stateOf: (name: string) => Tensor | undefined
  private prepared: Prepared | undefined
  private batchBound = 1

  constructor(
    network: Network,
    options: RunnerOptions,
    build: (bounds: Bounds, feeds: FeedTypes) => Graph,
    stateOf: (name: string) => Tensor | undefined,
  ) {
    this.network = network
    this.options = options
    this.build = build
    this.stateOf = stateOf
  }

  /** Plans for batches of so many examples, so that a first smaller one does not decide. */
  reserve(batchSize: number): void {
    this.batchBound = Math.max(this.batchBound, batchSize)
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    checkBatch(this.network, feeds)
    const { session, feeds: names } = this.known(feeds) ?? (await inTurns(this.prepare(feeds)))
    const given: Record<string, Tensor> = {}
    for (const name of names) given[name] = feedOf(feeds, name)
    return await session.run(given)
  }

  /** Where the time of a run goes. Runs on copies of the state, which stays as it is. */
  async profile(feeds: Readonly<Record<string, Tensor>>, options: ProfileOptions): Promise<ProgramProfile> {
    checkBatch(this.network, feeds)
    const { program, state, feeds: names } = this.known(feeds) ?? (await inTurns(this.prepare(feeds)))
    const copies: Record<string, Tensor> = {}
    for (const [name, { dtype, shape, data }] of Object.entries(state))
      copies[name] = new HostTensor(dtype, shape, data.slice())
    const given = Object.fromEntries(names.map((name) => [name, feedOf(feeds, name)]))
    return program.bind(copies).profile(given, options)
  }

  /** The program for feeds like these. */
  async program(feeds: FeedTypes): Promise<Program> {
    return (this.known(feeds) ?? (await inTurns(this.prepare(feeds)))).program
  }

  /** Forgets the program: state has been replaced or the model changed. */
  reset(): void {
    this.prepared = undefined
  }

  private known(feeds: FeedTypes): Prepared | undefined {
    const { prepared } = this
    if (prepared?.key !== typeKey(feeds)) return undefined
    const needed = Object.entries(boundsOf(this.network, feeds))
    return needed.every(([name, size]) => size <= (prepared.bounds[name] ?? 1)) ? prepared : undefined
  }

  /** Each step takes some tens of milliseconds. */
  private *prepare(feeds: FeedTypes): Steps<Prepared> {
    const bounds = this.roomFor(boundsOf(this.network, feeds), this.prepared?.bounds)
    const graph = this.build(bounds, feeds)
    yield
    const program = this.options.runtime.compile(graph, this.options.compile)
    yield
    const { names, states } = sourcesOf(graph)
    const state: Record<string, Tensor> = {}
    for (const name of states) {
      const tensor = this.stateOf(name)
      if (tensor === undefined) throw new NotFoundError({ operation: 'fit', problem: `no value for state "${name}"` })
      state[name] = tensor
    }
    this.prepared = { key: typeKey(feeds), bounds, program, state, session: program.bind(state), feeds: names }
    return this.prepared
  }

  private roomFor(needed: Bounds, known: Bounds | undefined): Record<string, number> {
    const bounds: Record<string, number> = {}
    for (const [name, size] of Object.entries(needed)) {
      if (name === batchSymbol) bounds[name] = Math.max(size, this.batchBound, known?.[name] ?? 1)
      else bounds[name] = Math.max(known?.[name] ?? 1, 2 ** Math.ceil(Math.log2(Math.max(16, size * 1.25))))
    }
    return bounds
  }
}

function feedOf(feeds: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const feed = feeds[name]
  if (feed !== undefined) return feed
  throw new NotFoundError({
    operation: 'model',
    problem: `the data has no field for the input "${name.replace(/\.(ids|offsets|weights)$/, '')}"`,
    hint: `It has ${Object.keys(feeds)
      .filter((key) => !key.startsWith('fit.'))
      .join(', ')}`,
  })
}

/** @throws ShapeError when an input's examples do not have the shape that the model was built for. */
function checkBatch(network: Network, feeds: Readonly<Record<string, Tensor>>): void {
  for (const { name, tensor } of network.inputs) {
    const feed = feeds[name]
    if (tensor.kind === 'bag' || feed === undefined) continue
    const fits =
      feed.shape.length === tensor.shape.length &&
      tensor.shape.every((dim, i) => typeof dim !== 'number' || dim === feed.shape[i])
    if (fits) continue
    throw new ShapeError({
      operation: `model input "${name}"`,
      expected: g.shapeText(tensor.shape),
      received: `[${feed.shape.join(', ')}]`,
    })
  }
}

/** What a program depends on besides sizes that vary: types, and shapes beyond the batch of feeds that are not inputs. */
function typeKey(feeds: FeedTypes): string {
  return Object.entries(feeds)
    .map(([name, { dtype, shape }]) => `${name}:${dtype}:${shape.length}`)
    .toSorted()
    .join(' ')
}

function sourcesOf(graph: Graph): { names: string[]; states: string[] } {
  const names = new Set<string>()
  const states = new Set<string>()
  for (const node of g.topologicalOrder([...Object.values(graph.outputs), ...Object.values(graph.updates)])) {
    if (node.op === 'input') names.add(node.attributes.name)
    if (node.op === 'state') states.add(node.attributes.name)
  }
  for (const name of Object.keys(graph.updates)) states.add(name)
  return { names: [...names], states: [...states] }
}
