import { type Table, tableFromIPC } from '@uwdata/flechette'
import { type ColumnBatch, FathomError, MemoryError, type OnProgress, type Schema, valueAt } from '../core/index.ts'
import { columnsOf, rebatch } from './columns.ts'
import { Gatherer } from './gather.ts'
import type { ExecutePlanResponse } from './generated/spark/connect/base_pb.ts'
import type { Relation } from './generated/spark/connect/relations_pb.ts'
import type { DataType } from './generated/spark/connect/types_pb.ts'
import { valueOf } from './literals.ts'
import { reportProgress } from './progress.ts'
import { schemaOf } from './types.ts'

/** Figures of one operator of the plan that ran, as Spark's own pages show them. */
export interface OperatorMetrics {
  readonly name: string
  readonly planId: bigint
  readonly parent: bigint
  readonly values: Readonly<Record<string, { readonly value: bigint; readonly type: string }>>
}

export interface ResultOptions {
  readonly onProgress?: OnProgress | undefined
  /** Bytes of Arrow that collecting calls (`toColumns`, `toArrow`, `toArray`) may take in. Default 4 GiB. */
  readonly maxResultBytes?: number | undefined
}

/**
 * The rows of one execution, which starts when they are first asked for and can be read once. Rows are taken from the server
 * as they are read: a slow reader holds about one message in memory. Leaving a loop early stops the execution.
 */
export class Result implements AsyncIterable<Table> {
  /** What Interrupt takes. */
  readonly operationId: string
  private readonly responses: () => AsyncGenerator<ExecutePlanResponse, void, void>
  private readonly options: ResultOptions
  private started = false
  private type: DataType | undefined
  private columns: Schema | undefined
  private readonly found = new Map<string, Record<string, unknown>>()
  private readonly operators: OperatorMetrics[] = []
  private command: Relation | undefined

  constructor(
    operationId: string,
    responses: () => AsyncGenerator<ExecutePlanResponse, void, void>,
    options: ResultOptions,
  ) {
    this.operationId = operationId
    this.responses = responses
    this.options = options
  }

  /** Names and types of the columns, known from the first batch on. */
  get schema(): Schema {
    return (this.columns ??= schemaOf(this.type))
  }

  /** The protocol's own schema. */
  get dataType(): DataType | undefined {
    return this.type
  }

  /** Metrics observed in the plan (`CollectMetrics`, `df.observe`), by their name; complete when the rows are read. */
  get observed(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.found
  }

  get metrics(): readonly OperatorMetrics[] {
    return this.operators
  }

  /** What a command of SQL gave: a relation to be executed, or the rows themselves as a local one. */
  get sqlResult(): Relation | undefined {
    return this.command
  }

  /** Batches of Arrow, one of Spark's each, empty ones left out. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Table, void, void> {
    for await (const bytes of this.ipc()) {
      const table = decode(bytes)
      if (table.numRows > 0) yield table
    }
  }

  /** The same as bytes, each a whole stream of Arrow's IPC format, for any library that reads it. At least one. */
  async *ipc(): AsyncGenerator<Uint8Array, void, void> {
    for await (const bytes of this.payloads()) yield aligned(bytes)
  }

  /** Batches of the core's typed columns: of `rows` rows each but the last, or as Spark cut them. */
  batches({ rows }: { rows?: number | undefined } = {}): AsyncGenerator<ColumnBatch, void, void> {
    return rows === undefined ? this.columnBatches() : rebatch(this.columnBatches(), rows, () => this.schema)
  }

  private async *columnBatches(): AsyncGenerator<ColumnBatch, void, void> {
    for await (const table of this) yield columnsOf(table, this.schema)
  }

  /** All rows as one batch of typed columns. @throws MemoryError past `maxResultBytes`. */
  async toColumns(): Promise<ColumnBatch> {
    let gatherer: Gatherer | undefined
    let scratch = new Uint8Array()
    for await (const bytes of this.limited()) {
      // Values are copied out of it at once, so one piece of memory serves all messages.
      if (scratch.length < bytes.length) scratch = new Uint8Array(2 * bytes.length)
      scratch.set(bytes)
      const table = decode(scratch.subarray(0, bytes.length))
      gatherer ??= new Gatherer(this.schema)
      if (table.numRows > 0) gatherer.push(columnsOf(table, this.schema))
    }
    return (gatherer ?? new Gatherer(this.schema)).finish()
  }

  /** All rows as a table of Arrow, whose columns hold Spark's batches. @throws MemoryError past `maxResultBytes`. */
  async toArrow(): Promise<Table> {
    const streams: Uint8Array[] = []
    for await (const bytes of this.limited()) streams.push(aligned(bytes))
    return tableFromIPC(streams, exact)
  }

  /** All rows as objects. @throws MemoryError past `maxResultBytes`. */
  async toArray(): Promise<Record<string, unknown>[]> {
    const { schema, columns, length } = await this.toColumns()
    return Array.from({ length }, (_, row) =>
      Object.fromEntries(schema.map(({ name }, i) => [name, valueAt(columns[i]!, row)])),
    )
  }

  /** Runs to the end and leaves rows unread: for commands. */
  async finish(): Promise<void> {
    for await (const _ of this.payloads());
  }

  private async *limited(): AsyncGenerator<Uint8Array, void, void> {
    const { maxResultBytes = 4 * 2 ** 30 } = this.options
    let bytes = 0
    for await (const data of this.payloads()) {
      bytes += data.length
      if (bytes > maxResultBytes) {
        throw new MemoryError({
          operation: 'collect a result from Spark',
          expected: `at most ${maxResultBytes} bytes`,
          received: 'more',
          hint: 'Read it in batches (for await … of result.batches()), aggregate or limit it on Spark, or raise maxResultBytes',
        })
      }
      yield data
    }
  }

  /** Whole batches in Arrow's stream format, anywhere in memory, put together where the server cut them. The rest is noted. */
  private async *payloads(): AsyncGenerator<Uint8Array, void, void> {
    if (this.started) {
      throw new FathomError({ operation: 'read a result of Spark', problem: 'it has been read before', hint: 'Execute again, or keep what toColumns() gives' }) // prettier-ignore
    }
    this.started = true
    let parts: Uint8Array[] = []
    let rows = 0n
    for await (const response of this.responses()) {
      this.note(response)
      if (response.responseType.case !== 'arrowBatch') continue
      const { data, rowCount, startOffset, chunkIndex, numChunksInBatch = 0n } = response.responseType.value
      const first = parts.length === 0
      if ((first && startOffset !== undefined && startOffset !== rows) || (chunkIndex ?? 0n) !== BigInt(parts.length)) {
        throw new FathomError({
          operation: 'read a result of Spark',
          expected: `row ${rows}, part ${parts.length}`,
          received: `row ${startOffset}, part ${chunkIndex}`,
          hint: 'Rows were lost on the way; run it again',
        })
      }
      parts.push(data)
      if (BigInt(parts.length) < numChunksInBatch) continue
      rows += rowCount
      const whole = parts.length === 1 ? data : join(parts)
      parts = []
      yield whole
    }
  }

  private note(response: ExecutePlanResponse): void {
    const { responseType, schema, observedMetrics, metrics } = response
    this.type ??= schema
    for (const { name, keys, values } of observedMetrics) {
      this.found.set(name, Object.fromEntries(keys.map((key, i) => [key, valueOf(values[i]!)])))
    }
    for (const { name, planId, parent, executionMetrics } of metrics?.metrics ?? []) {
      const values = Object.entries(executionMetrics).map(([key, { value, metricType }]) => [
        key,
        { value, type: metricType },
      ])
      this.operators.push({ name, planId, parent, values: Object.fromEntries(values) as OperatorMetrics['values'] })
    }
    if (responseType.case === 'executionProgress' && this.options.onProgress !== undefined) {
      reportProgress(responseType.value, this.options.onProgress)
    }
    if (responseType.case === 'sqlCommandResult') this.command = responseType.value.relation
  }
}

/** Arrow's buffers must begin at multiples of 8 bytes; messages put them anywhere. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** 64-bit integers as bigint, timestamps as microseconds, decimals as their digits: nothing is rounded. */
const exact = { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true } as const

function decode(bytes: Uint8Array): Table {
  return tableFromIPC(bytes, exact)
}
