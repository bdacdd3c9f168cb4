import type { ColumnType } from '../../core/index.ts'

/** How a declared type is checked and held. `low` and `high` bound whole numbers. */
export interface Output {
  readonly name: string
  readonly holds: ColumnType
  /** The declared type, for errors. */
  readonly told: string
  readonly low?: number | bigint
  readonly high?: number | bigint
}

export interface Job {
  /** Text of a function, or a module and the name of its export. */
  readonly task: { readonly source: string } | { readonly url: string; readonly name: string }
  readonly mode: 'map' | 'flatMap' | 'batches'
  readonly outputs: readonly Output[]
  readonly context: unknown
}
/** A batch's columns as plain data. */
export interface Sent {
  readonly id: number
  readonly names: readonly string[]
  readonly columns: readonly {
    readonly type: ColumnType
    readonly values: ArrayLike<unknown>
    readonly validity: Uint8Array | undefined
  }[]
  readonly length: number
  /** The first row's number in the table, from 0. */
  readonly first: number
}
export interface Made {
  readonly id: number
  readonly length: number
  readonly columns: readonly { readonly values: ArrayLike<unknown>; readonly validity: Uint8Array | undefined }[]
  /** For flatMap: the row of the batch that each result comes from. */
  readonly from: Int32Array | undefined
}
export interface Failed {
  readonly id: number
  readonly failed: {
    /** From 0 in the table; undefined: not a row's fault. */
    readonly row: number | undefined
    readonly value: string | undefined
    readonly kind: 'thrown' | 'result'
    readonly name: string
    readonly message: string
    readonly stack: string | undefined
  }
}

/**
 * What a worker thread runs. It reaches the thread as text, so it uses nothing from outside: neither imports nor other
 * functions of this file.
 */
export function workerMain(
  threads: {
    readonly workerData: unknown
    readonly parentPort: { postMessage(value: unknown, transfer?: readonly ArrayBuffer[]): void; on(event: 'message', listener: (sent: Sent) => void): void } | null // prettier-ignore
  },
  load: (url: string) => Promise<Record<string, unknown>>,
  evaluate: (text: string) => (...values: unknown[]) => unknown,
): void {
  type Row = Record<string, unknown>
  class ResultError extends Error {}
  const { task, mode, outputs, context } = threads.workerData as Job
  const port = threads.parentPort!
  let ready: Promise<(...values: unknown[]) => unknown> | undefined

  const open = async (): Promise<(...values: unknown[]) => unknown> => {
    if ('source' in task) return evaluate(`(${task.source}\n)`)
    const found = (await load(task.url))[task.name]
    if (typeof found === 'function') return found as (...values: unknown[]) => unknown
    throw new ResultError(`the module exports no function "${task.name}"`)
  }

  const valueOf = (column: Sent['columns'][number], row: number): unknown => {
    if (column.validity !== undefined && column.validity[row] !== 1) return null
    const value = column.values[row]
    switch (column.type) {
      case 'boolean':
        return value === 1
      case 'date':
        return new Date((value as number) * 86_400_000)
      case 'timestamp':
        return new Date(Number((value as bigint) / 1000n))
      case 'int64':
        return Number.isSafeInteger(Number(value)) ? Number(value) : value
      case 'int32':
      case 'float64':
      case 'string':
      case 'binary':
      case 'nested':
        return value
    }
  }

  const told = (value: unknown): string => {
    try {
      const text =
        JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)) ?? String(value)
      return text.length > 200 ? `${text.slice(0, 200)}…` : text
    } catch {
      return Object.prototype.toString.call(value)
    }
  }

  const shape = (holds: ColumnType, length: number): { [row: number]: unknown; readonly length: number } => {
    if (holds === 'boolean') return new Uint8Array(length)
    if (holds === 'int32' || holds === 'date') return new Int32Array(length)
    if (holds === 'float64') return new Float64Array(length)
    if (holds === 'int64' || holds === 'timestamp') return new BigInt64Array(length)
    return Array.from({ length }, () => null)
  }

  /** The value as the column holds it, or undefined where it does not fit. */
  const fitted = (output: Output, value: unknown): unknown => {
    switch (output.holds) {
      case 'boolean':
        return typeof value === 'boolean' ? Number(value) : undefined
      case 'int32':
        return typeof value === 'number' && Number.isInteger(value) && value >= output.low! && value <= output.high!
          ? value
          : undefined
      case 'int64': {
        if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
        if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
        const whole = BigInt(value)
        return BigInt.asIntN(64, whole) === whole ? whole : undefined
      }
      case 'float64':
        return typeof value === 'number' ? value : undefined
      case 'date':
      case 'timestamp': {
        if (!(value instanceof Date) || Number.isNaN(value.getTime())) return undefined
        return output.holds === 'date' ? Math.floor(value.getTime() / 86_400_000) : BigInt(value.getTime()) * 1000n
      }
      case 'string':
        if (typeof value === 'string') return value
        return output.told.startsWith('decimal') && typeof value === 'number' && Number.isFinite(value)
          ? String(value)
          : undefined
      case 'binary':
        return value instanceof Uint8Array ? value : undefined
      case 'nested':
        return typeof value === 'object' ? value : undefined
    }
  }

  const encode = (
    output: Output,
    length: number,
    valueAt: (row: number) => unknown,
    rowOf: (row: number) => number,
  ) => {
    const values = shape(output.holds, length)
    let validity: Uint8Array | undefined
    for (let row = 0; row < length; row++) {
      const value = valueAt(row)
      if (value === null || value === undefined) {
        validity ??= new Uint8Array(length).fill(1)
        validity[row] = 0
        continue
      }
      const fit = fitted(output, value)
      if (fit === undefined) {
        const error = new ResultError(`"${output.name}" is declared ${output.told}; received ${told(value)}`)
        throw Object.assign(error, { row: rowOf(row) })
      }
      values[row] = fit
    }
    return { values, validity }
  }

  const declared = new Set(outputs.map((output) => output.name))
  const checked = (result: unknown): Row => {
    if (typeof result !== 'object' || result === null || Array.isArray(result)) {
      throw new ResultError(`expected an object of the declared columns; received ${told(result)}`)
    }
    for (const name in result) {
      if (!declared.has(name)) {
        throw new ResultError(
          `"${name}" is not declared; declared are ${[...declared].map((each) => `"${each}"`).join(', ')}`,
        )
      }
    }
    return result as Row
  }

  const byRow = async (run: (...values: unknown[]) => unknown, sent: Sent): Promise<Made> => {
    const rows: Row[] = []
    const from: number[] = []
    for (let i = 0; i < sent.length; i++) {
      const row: Row = {}
      for (let c = 0; c < sent.names.length; c++) row[sent.names[c]!] = valueOf(sent.columns[c]!, i)
      try {
        const result = run(row, context, sent.first + i)
        const made: unknown = result instanceof Promise ? await result : result
        if (mode === 'map') rows.push(checked(made))
        else {
          const list = made as Iterable<unknown> | null
          if (typeof list !== 'object' || list === null || typeof list[Symbol.iterator] !== 'function') {
            throw new ResultError(`expected a list of rows; received ${told(made)}`)
          }
          for (const each of list) {
            rows.push(checked(each))
            from.push(i)
          }
        }
      } catch (error) {
        throw Object.assign(error instanceof Error ? error : new Error(String(error)), { row: i })
      }
    }
    const rowOf = (row: number): number => (mode === 'map' ? row : from[row]!)
    const columns = outputs.map((output) => encode(output, rows.length, (row) => rows[row]![output.name], rowOf))
    return { id: sent.id, length: rows.length, columns, from: mode === 'map' ? undefined : Int32Array.from(from) }
  }

  const byBatch = async (run: (...values: unknown[]) => unknown, sent: Sent): Promise<Made> => {
    const batch: Row = {}
    for (const [c, name] of sent.names.entries()) {
      const column = sent.columns[c]!
      const plain = column.validity === undefined && (column.type === 'int32' || column.type === 'float64' || column.type === 'string') // prettier-ignore
      batch[name] = plain ? column.values : Array.from({ length: sent.length }, (_, row) => valueOf(column, row))
    }
    const result = checked(await run(batch, context, { first: sent.first, length: sent.length }))
    const lengths = new Set(outputs.map((output) => (result[output.name] as ArrayLike<unknown> | undefined)?.length))
    const [length] = lengths
    if (lengths.size !== 1 || typeof length !== 'number') {
      throw new ResultError(`expected declared columns of one length; received lengths ${[...lengths].join(', ')}`)
    }
    const columns = outputs.map((output) =>
      encode(
        output,
        length,
        (row) => (result[output.name] as ArrayLike<unknown>)[row],
        (row) => row,
      ),
    )
    return { id: sent.id, length, columns, from: undefined }
  }

  port.on('message', (sent) => {
    ready ??= open()
    void ready
      .then((run) => (mode === 'batches' ? byBatch(run, sent) : byRow(run, sent)))
      .then((made) => {
        const buffers = made.columns.flatMap(({ values }) =>
          ArrayBuffer.isView(values) ? [values.buffer as ArrayBuffer] : [],
        )
        port.postMessage(made, buffers)
      })
      .catch((error: Error & { row?: number }) => {
        const row: Row = {}
        const at = error.row
        if (at !== undefined && mode !== 'batches') {
          for (const [c, name] of sent.names.entries()) row[name] = valueOf(sent.columns[c]!, at)
        }
        const failed: Failed = {
          id: sent.id,
          failed: {
            row: at === undefined ? undefined : sent.first + at,
            value: at === undefined || mode === 'batches' ? undefined : told(row),
            kind: error instanceof ResultError ? 'result' : 'thrown',
            name: error.name,
            message: error.message,
            stack: error.stack,
          },
        }
        port.postMessage(failed)
      })
  })
}
