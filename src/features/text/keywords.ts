import { z } from 'zod'

import type { AnyColumn } from '../../core/index.ts'
import { byFrequency } from '../memory-source.ts'
import { flagOf } from '../numeric.ts'
import type { FeatureSource } from '../source.ts'
import { type EncodeContext, type Encoder, joinedSink, type Part, type Transform } from '../transform.ts'
import type { KeywordsSpec } from '../types.ts'
import { textOf } from '../values.ts'

export const keywordsState = z.object({
  kind: z.literal('keywords'),
  column: z.string(),
  words: z.array(z.string()),
  missingFlag: z.boolean(),
  missingShare: z.number(),
})
export type KeywordsState = z.infer<typeof keywordsState>

/** Distinct words remembered while counting; beyond it new words are not taken up: frequent ones come early. */
const maxCounted = 500_000
/** Runs of letters and runs of digits: "C85" has both, so that the deck and the cabin are told apart. */
const wordPattern = /[\p{L}\p{M}]+|\p{N}+/gu

export const keywords: Transform<'keywords', KeywordsState> = {
  async fit(source, specs) {
    const states: KeywordsState[] = []
    for (const spec of specs) states.push(await fitKeywords(source, spec))
    return states
  },
  encoder: (state) => new KeywordsEncoder(state),
  describe(state) {
    const shown = state.words.slice(0, 6).join(', ')
    return `whether it has one of ${state.words.length} frequent words (${shown}${state.words.length > 6 ? ', …' : ''})`
  },
}

/** In how many cells each word is, for choosing the words worth a position. */
export class WordCounts {
  private readonly counts = new Map<string, number>()
  private cells = 0

  add(cell: string): void {
    this.cells++
    for (const word of distinctWords(cell)) {
      const count = this.counts.get(word)
      if (count !== undefined) this.counts.set(word, count + 1)
      else if (this.counts.size < maxCounted) this.counts.set(word, 1)
    }
  }

  /** The most frequent words that are in enough of the cells and absent from enough, ties in the words' order. */
  frequent({ minRows = 5, minShare = 0.01, maxWords = 64 }: Partial<KeywordsSpec>): string[] {
    const least = Math.max(minRows, Math.ceil(minShare * this.cells))
    return [...this.counts]
      .filter(([, count]) => count >= least && count <= this.cells - least)
      .sort(byFrequency)
      .slice(0, maxWords)
      .map(([word]) => word)
  }
}

async function fitKeywords(source: FeatureSource, spec: KeywordsSpec): Promise<KeywordsState> {
  const words = new WordCounts()
  let rows = 0
  let missing = 0
  for await (const batch of source.batches([spec.column])) {
    for (let i = 0; i < batch.length; i++) {
      const cell = textOf(batch.columns[0]!, i)
      rows++
      if (cell === undefined) missing++
      else words.add(cell)
    }
  }
  return {
    kind: 'keywords',
    column: spec.column,
    words: words.frequent(spec),
    missingFlag: flagOf(spec.missingFlag, { rows, missing }),
    missingShare: rows === 0 ? 0 : missing / rows,
  }
}

function distinctWords(text: string): Set<string> {
  return new Set(text.normalize('NFKC').toLowerCase().match(wordPattern))
}

class KeywordsEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly state: KeywordsState
  private readonly positions: ReadonlyMap<string, number>

  constructor(state: KeywordsState) {
    this.state = state
    this.positions = new Map(state.words.map((word, i) => [word, i]))
    const positions = state.words.map((word) => `${state.column} has ${word}`)
    if (state.missingFlag) positions.push(`${state.column} missing`)
    this.parts = [{ kind: 'joined', field: 'dense', positions }]
  }

  encode(column: AnyColumn, context: EncodeContext): void {
    const { rows, issues } = context
    const { data, stride, offset } = joinedSink(context, 0)
    issues.rows += rows
    for (let i = 0; i < rows; i++) {
      const cell = textOf(column, i)
      if (cell === undefined) {
        issues.missing++
        if (this.state.missingFlag) data[i * stride + offset + this.state.words.length] = 1
        continue
      }
      for (const word of distinctWords(cell)) {
        const position = this.positions.get(word)
        if (position !== undefined) data[i * stride + offset + position] = 1
      }
    }
  }
}
