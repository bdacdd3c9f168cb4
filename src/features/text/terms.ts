import { hashBasis, hashFinish, hashJoin, hashStep, hashWord } from './hash.ts'
import { grown, type Tokenizer } from './tokenize.ts'

/** Which terms a text has, as stored in a fitted feature. */
export interface TermsShape {
  readonly unit: 'word' | 'character'
  readonly shortest: number
  readonly longest: number
  readonly edges: boolean
}

/** Hears a term: its hash, how often it stands, and where it first does (in the tokenizer's text). */
export type OnTerm = (hash: number, count: number, start: number, end: number) => void

const beginHash = hashWord('\u0002')
const endHash = hashWord('\u0003')
/** Marks a word's edges in its character n-grams; no word contains it. */
const edgeUnit = 0x5f
/** Longer words (encoded data, rows of dashes) give the character n-grams of this many characters only. */
const longestWord = 40
/** Keeps character n-grams and words apart where vocabularies share a table. */
const characterSeed = hashStep(hashBasis, 0x23)

/** Enumerates terms of tokenized texts. Keeps buffers between texts. */
export class TermReader {
  private readonly shape: TermsShape
  private readonly seen = new WordTable()
  private padded = new Int32Array(longestWord + 2)

  constructor(shape: TermsShape) {
    this.shape = shape
  }

  read(tokens: Tokenizer, onTerm: OnTerm): void {
    if (this.shape.unit === 'word') this.words(tokens, onTerm)
    else this.characters(tokens, onTerm)
  }

  private words(tokens: Tokenizer, onTerm: OnTerm): void {
    const { shortest, longest, edges } = this.shape
    const { count, hashes, starts, ends } = tokens
    const lowest = edges ? -1 : 0
    const highest = edges ? count : count - 1
    for (let i = lowest; i <= highest; i++) {
      let hash = i < 0 ? beginHash : i === count ? endHash : hashes[i]!
      if (shortest === 1 && i >= 0 && i < count) onTerm(hash, 1, starts[i]!, ends[i]!)
      const last = Math.min(i + longest - 1, highest)
      for (let j = i + 1; j <= last; j++) {
        hash = hashJoin(hash, j === count ? endHash : hashes[j]!)
        if (j - i + 1 >= shortest) onTerm(hash, 1, starts[Math.max(0, i)] ?? 0, ends[Math.min(j, count - 1)] ?? 0)
      }
    }
  }

  /** Each distinct word is spelled once, with its count. */
  private characters(tokens: Tokenizer, onTerm: OnTerm): void {
    const { seen } = this
    seen.clear()
    for (let i = 0; i < tokens.count; i++) seen.add(tokens.hashes[i]!, i)
    for (let w = 0; w < seen.size; w++) {
      const i = seen.firsts[w]!
      this.spell(tokens.text, tokens.starts[i]!, tokens.ends[i]!, seen.counts[w]!, onTerm)
    }
  }

  private spell(text: string, start: number, end: number, count: number, onTerm: OnTerm): void {
    const { shortest, longest } = this.shape
    const { padded } = this
    const length = Math.min(end - start, longestWord) + 2
    padded[0] = edgeUnit
    for (let i = 1; i < length - 1; i++) padded[i] = text.charCodeAt(start + i - 1)
    padded[length - 1] = edgeUnit
    // A word shorter than an n-gram is one n-gram itself, once.
    const windows = Math.min(longest, length)
    const least = Math.min(shortest, length)
    for (let i = 0; i + least <= length; i++) {
      let hash = characterSeed
      const last = Math.min(i + windows, length)
      for (let j = i; j < last; j++) {
        hash = hashStep(hash, padded[j]!)
        const size = j - i + 1
        if (size >= least) onTerm(hashFinish(hash), count, start + Math.max(0, i - 1), start + Math.min(j, length - 2))
      }
    }
  }
}

/** The distinct words of one text in order of appearance, with their counts; cleared in time linear in them. */
class WordTable {
  size = 0
  firsts = new Int32Array(256)
  counts = new Int32Array(256)
  private hashes = new Int32Array(256)
  private slots = new Int32Array(512)

  clear(): void {
    this.slots.fill(0)
    this.size = 0
  }

  add(hash: number, position: number): void {
    const mask = this.slots.length - 1
    let at = hash & mask
    for (;;) {
      const entry = this.slots[at]!
      if (entry === 0) break
      if (this.hashes[entry - 1] === hash) {
        this.counts[entry - 1] = this.counts[entry - 1]! + 1
        return
      }
      at = (at + 1) & mask
    }
    if (this.size === this.firsts.length) {
      this.grow()
      this.add(hash, position)
      return
    }
    this.hashes[this.size] = hash
    this.firsts[this.size] = position
    this.counts[this.size] = 1
    this.slots[at] = ++this.size
  }

  private grow(): void {
    this.firsts = grown(this.firsts)
    this.counts = grown(this.counts)
    this.hashes = grown(this.hashes)
    this.slots = new Int32Array(this.slots.length * 2)
    const mask = this.slots.length - 1
    for (let entry = 1; entry <= this.size; entry++) {
      let at = this.hashes[entry - 1]! & mask
      while (this.slots[at] !== 0) at = (at + 1) & mask
      this.slots[at] = entry
    }
  }
}
