import { stat } from 'node:fs/promises'

import { DataError, type OnProgress, OptionError } from '../core/index.ts'
import { configureEngine } from '../engines/index.ts'
import { type BadRowPolicy, isImageName } from '../sources/index.ts'
import { fromRows, type Table } from '../table/index.ts'
import { openTableInput } from './data/index.ts'
import type { TrainedBundle } from './bundle.ts'
import { engineMemory, parseBytes } from './options.ts'

/** What tasks on a finished bundle share. */
export interface ResourceOptions {
  readonly threads?: number | undefined
  readonly limitMemory?: number | string | undefined
  /** Where tables are queried: `sc://host:15002` for Spark. Default: in this process. */
  readonly on?: string | undefined
  /** CSV rows that cannot be split into the columns: stop (default), leave out, or leave out and list in a file. */
  readonly onBadRows?: BadRowPolicy | undefined
}

export function configureResources({ threads, limitMemory }: ResourceOptions): void {
  const bytes = typeof limitMemory === 'string' ? parseBytes(limitMemory) : limitMemory
  configureEngine({
    ...(threads === undefined ? {} : { threads }),
    ...(bytes === undefined ? {} : { memoryLimit: engineMemory(bytes) }),
  })
}

export interface OpenedRows {
  readonly table: Table
  readonly files: readonly string[]
  readonly notes: readonly string[]
}

/** The rows a bundle is to work on: a table, a folder, or pictures by path. */
export async function openRows(
  { task, features }: TrainedBundle,
  input: readonly string[],
  control: {
    readonly onBadRows?: BadRowPolicy | undefined
    readonly signal?: AbortSignal | undefined
    readonly onProgress?: OnProgress | undefined
  },
): Promise<OpenedRows> {
  if (input.length === 0) throw new OptionError({ operation: 'read', expected: 'an input', received: 'none' })
  const pictures = task.kind === 'images' || task.kind === 'idx'
  if (pictures && input.every(isImageName)) {
    for (const path of input) await mustExist(path)
    const column = features.columns[0]!
    return { table: fromRows(input.map((path) => ({ [column]: path }))), files: input, notes: [] }
  }
  const opened = await openTableInput(input.length === 1 ? input[0]! : input, {
    options: { onBadRows: control.onBadRows ?? 'error' },
    signal: control.signal,
    onProgress: control.onProgress,
  })
  return { table: opened.table, files: opened.files, notes: opened.notes }
}

async function mustExist(path: string): Promise<void> {
  try {
    await stat(path)
  } catch (cause) {
    throw new DataError({ operation: `read ${path}`, problem: 'there is no such file', hint: 'Check the path', cause })
  }
}

/** JSON text as rows: one object, an array of them, or one a line. @throws DataError saying where it is not. */
export function parseRows(text: string): Record<string, unknown>[] {
  const trimmed = text.trim()
  if (trimmed === '') {
    throw new DataError({
      operation: 'read stdin',
      expected: 'JSON rows',
      received: 'nothing',
      hint: `Try: echo '{"age": 41}' | fathom predict BUNDLE`,
    })
  }
  try {
    const whole = JSON.parse(trimmed) as unknown
    return rowsFrom(whole, 'the input')
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return trimmed
      .split('\n')
      .flatMap((line, i) => (line.trim() === '' ? [] : rowsFrom(parseLine(line, i + 1), `line ${i + 1}`)))
  }
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new DataError({
      operation: 'read stdin',
      expected: 'a JSON object a line',
      received: `line ${number}: ${(cause as Error).message}`,
      cause,
    })
  }
}

function rowsFrom(value: unknown, where: string): Record<string, unknown>[] {
  const rows: unknown[] = Array.isArray(value) ? value : [value]
  for (const row of rows) {
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) continue
    throw new DataError({
      operation: 'read stdin',
      expected: 'JSON objects with a value for each column',
      received: `${JSON.stringify(row)} in ${where}`,
    })
  }
  return rows as Record<string, unknown>[]
}
