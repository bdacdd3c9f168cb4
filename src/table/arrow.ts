import { defaultEngine } from '../engines/index.ts'
import { readArrowBytes } from '../sources/index.ts'
import { read, type TableOptions } from './read.ts'
import { Table } from './table.ts'

/**
 * A table of Arrow data: the path of an IPC file or stream (`.arrow`, `.feather`, …), or its bytes, as other Arrow libraries
 * and servers give them. `fromArrow(tableToIPC(t))`, `await fromArrow('trips.arrow')`
 * @throws DataError with the byte at which it is damaged
 */
export async function fromArrow(
  source: string | Uint8Array | ArrayBuffer | AsyncIterable<Uint8Array>,
  options: TableOptions = {},
): Promise<Table> {
  if (typeof source === 'string') return read(source, { ...options, format: 'arrow' })
  const engine = options.engine ?? defaultEngine()
  const bytes =
    source instanceof Uint8Array ? source : source instanceof ArrayBuffer ? new Uint8Array(source) : await all(source)
  const { plan, report } = await readArrowBytes(engine, bytes, options)
  return new Table(engine, plan, report)
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece)
  return Buffer.concat(parts)
}
