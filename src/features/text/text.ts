import { z } from 'zod'

import { type AnyColumn, Tensor, Turns } from '../../core/index.ts'
import type { FeatureSource } from '../source.ts'
import { vector } from '../state.ts'
import { bagSink, type EncodeContext, type Encoder, type Part, type Transform } from '../transform.ts'
import type { TermsSpec, TextSpec } from '../types.ts'
import { textOf } from '../values.ts'
import { DocumentCounter, HashIndex } from './counter.ts'
import { TermReader } from './terms.ts'
import { Tokenizer } from './tokenize.ts'

const termsState = z
  .object({
    unit: z.enum(['word', 'character']),
    shortest: z.number().int().min(1).max(20),
    longest: z.number().int().min(1).max(20),
    edges: z.boolean(),
    frequency: z.enum(['sublinear', 'count', 'binary']),
    norm: z.enum(['l2', 'none']),
    scale: z.number(),
    /** int32 [terms]: the terms' hashes, most frequent first; a term's position is its id within the family. */
    hashes: vector('int32'),
    /** float32 [terms]: what a term's frequency is multiplied by. */
    factors: vector('float32'),
    /** Terms in up to this many texts may have been miscounted; 0 unless the table was full. */
    forgotten: z.number(),
  })
  .refine(({ hashes, factors }) => hashes.size === factors.size, 'expected a factor for each hash')
type TermsState = z.infer<typeof termsState>

export const textState = z.object({
  kind: z.literal('text'),
  column: z.string(),
  field: z.string(),
  lowerCase: z.boolean(),
  /** Texts of the training part. */
  texts: z.number(),
  /** Families of terms; their ids follow each other. */
  terms: z.array(termsState),
})
export type TextState = z.infer<typeof textState>

/** Words alone and in pairs, and the characters of words: what both short messages and long ones do well with. */
export const defaultTerms: readonly TermsSpec[] = [{ unit: 'word' }, { unit: 'character' }]
/** By how many words the training part has: terms of few texts are worth their memory where texts are few. */
const defaultMinDocuments = { word: { small: 1, large: 2 }, character: { small: 2, large: 5 } }
const largeCorpus = 1e6
const defaultMaxTerms = { word: 150_000, character: 100_000 }

export const text: Transform<'text', TextState> = {
  async fit(source, specs) {
    const states: TextState[] = []
    for (const spec of specs) states.push(await fitText(source, spec))
    return states
  },
  encoder: (state) => new TextEncoder(state),
  describe(state) {
    const families = state.terms.map(
      ({ unit, shortest, longest, hashes }) =>
        `${hashes.size} ${unit} ${shortest === longest ? shortest : `${shortest}- to ${longest}`}-grams`,
    )
    return `${families.join(' and ')} of ${state.texts} texts`
  },
}

const defaultNgrams = { word: [1, 2], character: [2, 5] } as const

async function fitText(source: FeatureSource, spec: TextSpec): Promise<TextState> {
  const lowerCase = spec.lowerCase ?? true
  const families = (spec.terms ?? defaultTerms).map((terms) => {
    const [shortest, longest] = terms.ngrams ?? defaultNgrams[terms.unit]
    const shape = { unit: terms.unit, shortest, longest, edges: terms.edges ?? false }
    return { terms, shape, reader: new TermReader(shape), counter: new DocumentCounter() }
  })
  const tokens = new Tokenizer(lowerCase)
  const turns = new Turns()
  let texts = 0
  let words = 0
  for await (const batch of source.batches([spec.column])) {
    const column = batch.columns[0]!
    for (let i = 0; i < batch.length; i++) {
      if (i % 64 === 0) await turns.give()
      tokens.run(textOf(column, i) ?? '')
      texts++
      words += tokens.count
      for (const { reader, counter } of families) {
        counter.nextText()
        reader.read(tokens, (hash) => counter.add(hash))
      }
    }
  }
  const terms = families.map(({ terms, shape, counter }): TermsState => {
    const least = terms.minDocuments ?? defaultMinDocuments[terms.unit][words > largeCorpus ? 'large' : 'small']
    const { hashes, counts } = counter.ranked(least, terms.maxTerms ?? defaultMaxTerms[terms.unit])
    const rarity = terms.inverseDocumentFrequency ?? true
    const factors = Float32Array.from(counts, (count) => (rarity ? Math.log((1 + texts) / (1 + count)) + 1 : 1))
    return {
      unit: shape.unit,
      shortest: shape.shortest,
      longest: shape.longest,
      edges: shape.edges,
      frequency: terms.frequency ?? 'sublinear',
      norm: terms.norm ?? 'l2',
      scale: terms.scale ?? 1,
      hashes: new Tensor('int32', [hashes.length], hashes),
      factors: new Tensor('float32', [factors.length], factors),
      forgotten: counter.forgotten,
    }
  })
  return { kind: 'text', column: spec.column, field: spec.field ?? 'text', lowerCase, texts, terms }
}

/** A term of one text: its id and weight, and where it first stands in the normalised text, [start, end). */
export interface TextTerm {
  readonly id: number
  readonly weight: number
  readonly start: number
  readonly end: number
}

/** One family of terms made ready: counts a text's terms and weighs them. */
class Family {
  readonly size: number
  /** The distinct terms of the current text in order of appearance. */
  readonly touched: Int32Array
  touchedCount = 0
  private readonly state: TermsState
  private readonly index: HashIndex
  private readonly reader: TermReader
  private readonly counts: Int32Array
  private readonly factors: Float32Array
  private readonly onTerm: (hash: number, count: number, start: number, end: number) => void
  private places: Int32Array | undefined

  constructor(state: TermsState) {
    this.state = state
    this.size = state.hashes.size
    this.index = new HashIndex(state.hashes.data)
    this.reader = new TermReader(state)
    this.counts = new Int32Array(this.size)
    this.touched = new Int32Array(this.size)
    this.factors = state.factors.data
    this.onTerm = (hash, count, start, end) => {
      const id = this.index.get(hash)
      if (id < 0) return
      if (this.counts[id] === 0) {
        if (this.places !== undefined) {
          this.places[2 * id] = start
          this.places[2 * id + 1] = end
        }
        this.touched[this.touchedCount++] = id
      }
      this.counts[id] = this.counts[id]! + count
    }
  }

  read(tokens: Tokenizer): void {
    this.touchedCount = 0
    this.reader.read(tokens, this.onTerm)
  }

  /** Keeps where terms stand from now on: for explanations. */
  locate(): Int32Array {
    this.places ??= new Int32Array(2 * this.size)
    return this.places
  }

  /** Writes the weights of the touched terms to weights[at …], and forgets the text. */
  weigh(weights: Float32Array, at: number): void {
    const { frequency, norm, scale } = this.state
    let squares = 0
    for (let k = 0; k < this.touchedCount; k++) {
      const id = this.touched[k]!
      const count = this.counts[id]!
      const value =
        frequency === 'sublinear' ? (count === 1 ? 1 : 1 + Math.log(count)) : frequency === 'count' ? count : 1
      const weight = value * this.factors[id]!
      squares += weight * weight
      weights[at + k] = weight
      this.counts[id] = 0
    }
    const factor = norm === 'l2' ? scale / Math.sqrt(squares) : scale
    for (let k = 0; k < this.touchedCount; k++) weights[at + k] = weights[at + k]! * factor
  }
}

class TextEncoder implements Encoder {
  readonly parts: readonly Part[]
  private readonly families: readonly Family[]
  private readonly tokens: Tokenizer
  /** The vocabulary's size: ids are 0 … size − 1. */
  private readonly size: number

  constructor(state: TextState) {
    this.tokens = new Tokenizer(state.lowerCase)
    this.families = state.terms.map((terms) => new Family(terms))
    this.size = this.families.reduce((sum, family) => sum + family.size, 0)
    this.parts = [{ kind: 'bag', field: state.field, size: this.size }]
  }

  encode(column: AnyColumn, context: EncodeContext): void {
    const { rows, issues } = context
    const offsets = new Int32Array(rows + 1)
    let ids = new Int32Array(Math.max(1024, rows * 32))
    let weights = new Float32Array(ids.length)
    let total = 0
    issues.rows += rows
    for (let i = 0; i < rows; i++) {
      const cell = textOf(column, i)
      if (cell === undefined) issues.missing++
      this.tokens.run(cell ?? '')
      let base = 0
      for (const family of this.families) {
        family.read(this.tokens)
        const count = family.touchedCount
        if (total + count > ids.length) {
          const length = Math.max(ids.length * 2, total + count)
          ids = enlarged(ids, new Int32Array(length))
          weights = enlarged(weights, new Float32Array(length))
        }
        for (let k = 0; k < count; k++) ids[total + k] = base + family.touched[k]!
        family.weigh(weights, total)
        total += count
        base += family.size
      }
      offsets[i + 1] = total
    }
    bagSink(context, 0).set({ kind: 'bag', offsets, ids: ids.slice(0, total), weights: weights.slice(0, total) })
  }

  /** The terms of one text and where they stand in `text`, the text as it was normalised. */
  explain(input: string): { text: string; terms: TextTerm[] } {
    this.tokens.run(input)
    const terms: TextTerm[] = []
    let base = 0
    for (const family of this.families) {
      const places = family.locate()
      family.read(this.tokens)
      const ids = family.touched.slice(0, family.touchedCount)
      const weights = new Float32Array(ids.length)
      family.weigh(weights, 0)
      ids.forEach((id, k) => {
        terms.push({ id: base + id, weight: weights[k]!, start: places[2 * id]!, end: places[2 * id + 1]! })
      })
      base += family.size
    }
    return { text: this.tokens.text, terms }
  }
}

function enlarged<T extends Int32Array | Float32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** The terms that a fitted text feature sees in a text: which, how heavy, and where. For explanations. */
export function explainText(state: TextState, input: string): { readonly text: string; readonly terms: TextTerm[] } {
  return new TextEncoder(state).explain(input)
}
