import { z } from 'zod'

import type { AnyColumn } from '../core/index.ts'
import { indexOf } from './memory-source.ts'
import { flagOf, short, softClip } from './numeric.ts'
import type { NumericStatistics } from './source.ts'
import { type EncodeContext, type Encoder, type Part, type Transform, joinedSink } from './transform.ts'
import { type DatePart, type DateSpec, dateParts } from './types.ts'
import { timesOf } from './values.ts'

export const dateState = z.object({
  kind: z.literal('date'),
  column: z.string(),
  parts: z.array(z.enum(dateParts)),
  /** Seconds since 1970: the median of the training part, which also stands for a missing value. */
  center: z.number(),
  /** 1 / the distance of the quartiles in seconds, or of half the range where they are equal. */
  factor: z.number(),
  /** The year that encodes as 0. */
  year: z.number(),
  missingFlag: z.boolean(),
  missingShare: z.number(),
})
export type DateState = z.infer<typeof dateState>

const day = 86_400
const softLimit = 3

/** What each part is: its positions, and its values for one time. */
const partTable: {
  readonly [P in DatePart]: {
    readonly positions: readonly string[]
    readonly write: (seconds: number, state: DateState, out: Float32Array | Int32Array, at: number) => void
  }
} = {
  elapsed: {
    positions: ['elapsed'],
    write(seconds, { center, factor }, out, at) {
      out[at] = softClip((seconds - center) * factor, softLimit)
    },
  },
  year: {
    positions: ['year'],
    // Ten years make 1, a scale that other features share without being fitted.
    write(seconds, { year }, out, at) {
      out[at] = softClip((dateOf(seconds).getUTCFullYear() - year) / 10, softLimit)
    },
  },
  month: cyclic('month', (seconds) => dateOf(seconds).getUTCMonth() / 12),
  dayOfMonth: cyclic('day of month', (seconds) => (dateOf(seconds).getUTCDate() - 1) / 31),
  dayOfWeek: cyclic('day of week', (seconds) => dateOf(seconds).getUTCDay() / 7),
  hour: cyclic('hour', (seconds) => (((seconds % day) + day) % day) / day),
}

function cyclic(name: string, turn: (seconds: number) => number) {
  return {
    positions: [`${name} sin`, `${name} cos`],
    write(seconds: number, _state: DateState, out: Float32Array | Int32Array, at: number): void {
      const angle = 2 * Math.PI * turn(seconds)
      out[at] = Math.sin(angle)
      out[at + 1] = Math.cos(angle)
    },
  }
}

function dateOf(seconds: number): Date {
  return new Date(seconds * 1000)
}

export const date: Transform<'date', DateState> = {
  async fit(source, specs) {
    const columns = specs.map((spec) => spec.column)
    const statistics = await source.numeric(columns, [0.25, 0.5, 0.75])
    return specs.map((spec) => {
      const type = source.schema[indexOf(source.schema, spec.column)]!.type
      return stateOf(spec, statistics.get(spec.column)!, type === 'date' ? day : 1)
    })
  },
  encoder: (state) => new DateEncoder(state),
  describe(state) {
    const around = new Date(state.center * 1000).toISOString().slice(0, 10)
    const missing = state.missingShare > 0 ? `, ${(state.missingShare * 100).toPrecision(2)} % missing` : ''
    const spread = state.factor > 0 ? ` ± ${short(1 / state.factor / day)} days` : ''
    return `${state.parts.join(', ')} around ${around}${spread}${missing}`
  },
}

/** @param unit seconds that one unit of the statistics is. */
function stateOf(spec: DateSpec, statistics: NumericStatistics, unit: number): DateState {
  const [low, median, high] = statistics.quantiles.map((value) => value * unit) as [number, number, number]
  const range = (statistics.max - statistics.min) * unit
  const spread = high > low ? high - low : range / 2
  const center = Number.isFinite(median) ? median : 0
  return {
    kind: 'date',
    column: spec.column,
    parts: [...(spec.parts ?? varying(range, unit))],
    center,
    factor: spread > 0 ? 1 / spread : 0,
    year: dateOf(center).getUTCFullYear(),
    missingFlag: flagOf(spec.missingFlag, statistics),
    missingShare: statistics.rows === 0 ? 0 : statistics.missing / statistics.rows,
  }
}

/** The parts that repeat or go on within the range of the training part; the year only where there are several. */
function varying(range: number, unit: number): DatePart[] {
  const parts: DatePart[] = ['elapsed']
  if (range >= 2 * 365 * day) parts.push('year')
  if (range >= 60 * day) parts.push('month')
  if (range >= 14 * day) parts.push('dayOfMonth')
  if (range >= 2 * day) parts.push('dayOfWeek')
  if (unit === 1) parts.push('hour')
  return parts
}

class DateEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly state: DateState

  constructor(state: DateState) {
    this.state = state
    const positions = state.parts.flatMap((part) => partTable[part].positions.map((each) => `${state.column} ${each}`))
    if (state.missingFlag) positions.push(`${state.column} missing`)
    this.parts = [{ kind: 'joined', field: 'dense', positions }]
  }

  encode(column: AnyColumn, context: EncodeContext): void {
    const { data, stride, offset } = joinedSink(context, 0)
    const times = timesOf(column, context.rows, context.issues)
    for (let i = 0; i < context.rows; i++) {
      let at = i * stride + offset
      const missing = Number.isNaN(times[i])
      const seconds = missing ? this.state.center : times[i]!
      for (const part of this.state.parts) {
        const { positions, write } = partTable[part]
        // A missing time stands in the middle of the elapsed time and nowhere on the circles.
        if (!missing || part === 'elapsed') write(seconds, this.state, data, at)
        at += positions.length
      }
      if (this.state.missingFlag && missing) data[at] = 1
    }
  }
}
