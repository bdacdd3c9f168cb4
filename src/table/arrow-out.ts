import { type ArrowFormat, writeArrow } from '../arrow/index.ts'
import { CancelledError, type Schema } from '../core/index.ts'
import type { Engine, RunOptions } from '../engines/index.ts'
import type { Plan } from '../plan/index.ts'

/** Numbers that batches hold less exactly than Arrow does: they travel as text, of which no digit is lost. */
const asText = /^(?:DECIMAL\(.*\)|U?HUGEINT|UBIGINT)$/

/** A plan's rows as Arrow IPC, piece by piece. Nothing is held but the batch on its way. */
export async function* arrowPieces(
  engine: Engine,
  plan: Plan,
  format: ArrowFormat,
  options: RunOptions = {},
  count: (rows: number) => void = () => undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const schema: Schema = await engine.schema(plan)
  const columns = schema
    .filter(({ sqlType }) => asText.test(sqlType))
    .map(({ name }) => ({ name, to: 'string' as const }))
  const exact: Plan = columns.length === 0 ? plan : { kind: 'cast', input: plan, columns, safe: false }
  const batches = async function* () {
    for await (const batch of engine.batches(exact, options)) {
      count(batch.length)
      yield batch
    }
  }
  yield* writeArrow(schema, batches(), format)
  if (options.signal?.aborted === true) throw new CancelledError({ operation: 'toArrow', problem: 'cancelled' })
}

export async function toArrowBytes(
  engine: Engine,
  plan: Plan,
  format: ArrowFormat,
  options: RunOptions,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of arrowPieces(engine, plan, format, options)) pieces.push(piece)
  return Buffer.concat(pieces)
}
