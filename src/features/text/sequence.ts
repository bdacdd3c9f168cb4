import { z } from 'zod'

import { type AnyColumn, Tensor } from '../../core/index.ts'
import type { FeatureSource } from '../source.ts'
import { vector } from '../state.ts'
import { type EncodeContext, type Encoder, type Part, tensorSink, type Transform } from '../transform.ts'
import type { TextSequenceSpec } from '../types.ts'
import { textOf } from '../values.ts'
import { DocumentCounter, HashIndex } from './counter.ts'
import { hashBasis, hashFinish, hashStep } from './hash.ts'
import { Tokenizer } from './tokenize.ts'

export const textSequenceState = z.object({
  kind: z.literal('textSequence'),
  column: z.string(),
  field: z.string(),
  lowerCase: z.boolean(),
  length: z.number().int().min(1),
  /** int32 [words]: hashes of whole words, most frequent first. Their ids start at 2; 0 pads, 1 is unknown. */
  words: vector('int32'),
  /** int32 [pieces]: hashes of pieces of words, whose ids follow the words'. */
  pieces: vector('int32'),
})
export type TextSequenceState = z.infer<typeof textSequenceState>

/** Ids of the field: padding, what cannot be spelled, then words, then pieces. */
export const tokenIds = { padding: 0, unknown: 1, first: 2 } as const

const longestPiece = 4
const maxPieces = 8000
const longestWord = 40
/** A piece that goes on a word is another than one that begins it. */
const beginSeed = hashStep(hashBasis, 0x5e)
const insideSeed = hashStep(hashBasis, 0x7e)
/** Sequences longer than this are counted as this long. */
const maxLength = 4096

export const textSequence: Transform<'textSequence', TextSequenceState> = {
  async fit(source, specs) {
    const states: TextSequenceState[] = []
    for (const spec of specs) states.push(await fitSequence(source, spec))
    return states
  },
  encoder: (state) => new SequenceEncoder(state),
  describe: (state) => `${state.length} tokens of ${state.words.size} words and ${state.pieces.size} pieces`,
}

async function fitSequence(source: FeatureSource, spec: TextSequenceSpec): Promise<TextSequenceState> {
  const lowerCase = spec.lowerCase ?? true
  const tokens = new Tokenizer(lowerCase)
  const words = new DocumentCounter()
  const pieces = new DocumentCounter()
  const usePieces = spec.pieces ?? true
  const lengths = new Float64Array(maxLength + 1)
  for await (const batch of source.batches([spec.column])) {
    for (let i = 0; i < batch.length; i++) {
      tokens.run(textOf(batch.columns[0]!, i) ?? '')
      words.nextText()
      pieces.nextText()
      const at = Math.min(maxLength, tokens.count)
      lengths[at] = lengths[at]! + 1
      for (let t = 0; t < tokens.count; t++) {
        words.add(tokens.hashes[t]!)
        if (usePieces) eachPiece(tokens, t, (hash) => pieces.add(hash))
      }
    }
  }
  const wordHashes = words.ranked(spec.minDocuments ?? 2, spec.maxWords ?? 30_000).hashes
  const pieceHashes = pieces.ranked(2, maxPieces).hashes
  return {
    kind: 'textSequence',
    column: spec.column,
    field: spec.field ?? 'tokens',
    lowerCase,
    length: spec.length ?? suitableLength(lengths, words.texts),
    words: new Tensor('int32', [wordHashes.length], wordHashes),
    pieces: new Tensor('int32', [pieceHashes.length], pieceHashes),
  }
}

/** What 98 % of the texts need, with a quarter of room for words spelled by pieces, a multiple of 8, at most 256. */
function suitableLength(lengths: Float64Array, texts: number): number {
  let covered = 0
  let length = 0
  while (length < maxLength && covered + lengths[length]! < 0.98 * texts) covered += lengths[length++]!
  return Math.min(256, Math.max(8, Math.ceil((length * 1.25) / 8) * 8))
}

/** Hears every piece of word `t` of 1 to `longestPiece` code units, each prefixed by whether it begins the word. */
function eachPiece(tokens: Tokenizer, t: number, onPiece: (hash: number) => void): void {
  const start = tokens.starts[t]!
  const end = Math.min(tokens.ends[t]!, start + longestWord)
  for (let i = start; i < end; i++) {
    let hash = i === start ? beginSeed : insideSeed
    for (let j = i; j < Math.min(end, i + longestPiece); j++) {
      hash = hashStep(hash, tokens.text.charCodeAt(j))
      onPiece(hashFinish(hash))
    }
  }
}

class SequenceEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly length: number
  private readonly words: HashIndex
  private readonly pieces: HashIndex
  private readonly firstPiece: number
  private readonly tokens: Tokenizer

  constructor(state: TextSequenceState) {
    this.length = state.length
    this.words = new HashIndex(state.words.data)
    this.pieces = new HashIndex(state.pieces.data)
    this.firstPiece = tokenIds.first + state.words.size
    this.tokens = new Tokenizer(state.lowerCase)
    const cardinality = this.firstPiece + state.pieces.size
    this.parts = [{ kind: 'tensor', field: state.field, dtype: 'int32', shape: [state.length], cardinality }]
  }

  encode(column: AnyColumn, context: EncodeContext): void {
    const { rows, issues } = context
    const data = tensorSink(context, 0).data as Int32Array
    issues.rows += rows
    for (let i = 0; i < rows; i++) {
      const cell = textOf(column, i)
      if (cell === undefined) issues.missing++
      this.tokens.run(cell ?? '')
      let at = i * this.length
      const end = at + this.length
      for (let t = 0; t < this.tokens.count && at < end; t++) {
        const word = this.words.get(this.tokens.hashes[t]!)
        if (word >= 0) data[at++] = tokenIds.first + word
        else at = this.spell(t, data, at, end)
      }
    }
  }

  /** Writes the longest pieces that spell word `t` from left to right, or one unknown id. Gives the next position. */
  private spell(t: number, data: Int32Array, at: number, end: number): number {
    const { text, starts, ends } = this.tokens
    const start = starts[t]!
    const stop = Math.min(ends[t]!, start + longestWord)
    const first = at
    for (let i = start; i < stop && at < end;) {
      let hash = i === start ? beginSeed : insideSeed
      let found = -1
      let next = i
      for (let j = i; j < Math.min(stop, i + longestPiece); j++) {
        hash = hashStep(hash, text.charCodeAt(j))
        const piece = this.pieces.get(hashFinish(hash))
        if (piece >= 0) {
          found = piece
          next = j + 1
        }
      }
      if (found < 0) {
        // A character never seen: the whole word is unknown, as its rest alone would mislead.
        data.fill(0, first, at)
        data[first] = tokenIds.unknown
        return first + 1
      }
      data[at++] = this.firstPiece + found
      i = next
    }
    return at
  }
}
