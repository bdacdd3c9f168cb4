import { hashBasis, hashFinish, hashStep } from './hash.ts'

/** What a code unit is to the tokenizer. */
const space = 0
const letter = 1
const mark = 2
/** A word by itself: scripts that are written without spaces (Han, Kana, Thai …). */
const ideograph = 3
const apostrophe = 4
const surrogate = 5

const scripts =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u
const letters = /^[\p{L}\p{N}\p{M}]$/u
const spaces = /^[\s_\p{C}\p{Z}]$/u

function classify(character: string): number {
  if (character === "'") return apostrophe
  if (spaces.test(character)) return space
  if (scripts.test(character)) return ideograph
  return letters.test(character) ? letter : mark
}

const ascii = Uint8Array.from({ length: 128 }, (_, code) => classify(String.fromCharCode(code)))
let wholeTable: Uint8Array | undefined
/** The classes of all UTF-16 code units, made when a text first leaves ASCII. */
function whole(): Uint8Array {
  wholeTable ??= Uint8Array.from({ length: 0x10000 }, (_, code) =>
    code >= 0xd800 && code < 0xe000 ? surrogate : classify(String.fromCharCode(code)),
  )
  return wholeTable
}

/**
 * Cuts texts into words: runs of letters and digits with inner apostrophes (don't), each other visible character by
 * itself, each character of scripts without spaces by itself. White space, control characters and underscores
 * separate. Works on code units without making a string for each word; one tokenizer serves many texts in turn.
 */
export class Tokenizer {
  /** The text that positions refer to: the last one given, normalised. */
  text = ''
  /** The number of words in it. */
  count = 0
  starts = new Int32Array(256)
  ends = new Int32Array(256)
  hashes = new Int32Array(256)
  private readonly lowerCase: boolean

  constructor(lowerCase: boolean) {
    this.lowerCase = lowerCase
  }

  run(input: string): void {
    const plain = isAscii(input)
    const normal = plain ? input : input.normalize('NFKC').replaceAll('’', "'")
    const text = this.lowerCase ? normal.toLowerCase() : normal
    const classes = plain ? ascii : whole()
    const { length } = text
    this.text = text
    this.count = 0
    let i = 0
    while (i < length) {
      const kind = classes[text.charCodeAt(i)]!
      if (kind === space) i++
      else if (kind === letter) i = this.word(i, classes)
      else if (kind === surrogate) i = this.supplementary(i, classes)
      else this.push(i, ++i)
    }
  }

  /** A run of letters and digits from `start`, with apostrophes between them. Gives its end. */
  private word(start: number, classes: Uint8Array): number {
    const { text } = this
    let end = start
    for (;;) {
      const kind = classes[text.charCodeAt(end)]
      if (kind === letter) end++
      else if (kind === apostrophe && end > start && classes[text.charCodeAt(end + 1)] === letter) end += 2
      else if (kind === surrogate && classify(text.slice(end, end + 2)) === letter) end += 2
      else break
    }
    this.push(start, end)
    return end
  }

  private supplementary(start: number, classes: Uint8Array): number {
    const character = String.fromCodePoint(this.text.codePointAt(start)!)
    const kind = classify(character)
    if (kind === letter) return this.word(start, classes)
    const end = start + character.length
    if (kind !== space) this.push(start, end)
    return end
  }

  private push(start: number, end: number): void {
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts)
      this.ends = grown(this.ends)
      this.hashes = grown(this.hashes)
    }
    let hash = hashBasis
    for (let i = start; i < end; i++) hash = hashStep(hash, this.text.charCodeAt(i))
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.hashes[this.count] = hashFinish(hash)
    this.count++
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

export function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

/** The words of a text as strings: for explanations and tests, not for encoding. */
export function tokenize(text: string, lowerCase = true): string[] {
  const tokenizer = new Tokenizer(lowerCase)
  tokenizer.run(text)
  return Array.from({ length: tokenizer.count }, (_, i) => tokenizer.text.slice(tokenizer.starts[i], tokenizer.ends[i]))
}
