import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { NotFoundError } from '../../core/index.ts'
import type { BagField, Examples } from '../../dataset/index.ts'
import { batchOfRows, explainText, fitFeatures, logCountRatios, type TermsSpec, tokenIds } from '../index.ts'
import { DocumentCounter, HashIndex } from './counter.ts'
import { hashFinish, hashWord } from './hash.ts'

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
const rowsOf = (texts: readonly (string | null)[]) => [batchOfRows(texts.map((text) => ({ text })))]
function bagOf(examples: Examples): BagField {
  const field = examples.fields['text']
  if (field?.kind !== 'bag') throw new Error('no bag')
  return field
}

describe('hashes', () => {
  it('are the same forever: fitted vocabularies depend on them', () => {
    expect(['', 'a', 'the', 'über', '東京'].map((word) => hashWord(word) >>> 0)).toEqual([
      2872998923, 444641715, 3305589240, 2155462622, 745305631,
    ])
  })
})

describe('document counts', () => {
  it('count a term once a text, and rank by count', () => {
    const counter = new DocumentCounter()
    for (const text of [
      [1, 1, 2],
      [1, 3],
      [3, 1],
    ]) {
      counter.nextText()
      for (const hash of text) counter.add(hash)
    }
    const { hashes, counts } = counter.ranked(1, 2)
    expect([[...hashes], [...counts]]).toEqual([
      [1, 3],
      [3, 2],
    ])
    expect(counter.ranked(2, 10).hashes).toHaveLength(2)
    expect(counter.forgotten).toBe(0)
  })

  it('keep the frequent terms in bounded memory when there are too many', () => {
    const counter = new DocumentCounter(2 ** 10)
    for (let text = 0; text < 400; text++) {
      counter.nextText()
      for (let common = 0; common < 20; common++) counter.add(hashWord(`common ${common}`))
      for (let rare = 0; rare < 50; rare++) counter.add(hashWord(`rare ${text} ${rare}`))
    }
    const { hashes, counts } = counter.ranked(2, 1000)
    expect(new Set(hashes)).toEqual(new Set(Array.from({ length: 20 }, (_, i) => hashWord(`common ${i}`))))
    expect(counter.forgotten).toBeGreaterThan(0)
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(400 - counter.forgotten)
  })

  it('survive a text larger than the table', () => {
    const counter = new DocumentCounter(2 ** 8)
    counter.nextText()
    for (let i = 1; i < 5000; i++) counter.add(hashFinish(i))
    expect(counter.ranked(1, 1e6).hashes.length).toBeLessThanOrEqual(2 ** 7)
  })

  it('an index finds what it holds and nothing else', () => {
    const hashes = Int32Array.from({ length: 1000 }, (_, i) => hashFinish(i + 1))
    const index = new HashIndex(hashes)
    hashes.forEach((hash, i) => expect(index.get(hash)).toBe(i))
    expect(index.get(hashFinish(5000))).toBe(-1)
    expect(new HashIndex(new Int32Array(0)).get(7)).toBe(-1)
  })
})

describe('bags of n-grams', () => {
  it('a missing or empty text, and one of unknown words, is an empty bag', async () => {
    const batches = rowsOf(['a b', 'b c'])
    const features = await fitFeatures(batches, {
      features: [{ kind: 'text', column: 'text', terms: [{ unit: 'word' }] }],
    })
    const bag = bagOf(await features.apply(rowsOf([null, '', 'x y z', 'a'])[0]!))
    expect([...bag.offsets]).toEqual([0, 0, 0, 0, 1])
    expect([...bag.weights]).toEqual([1])
  })

  it('families have norms of their own and ids one after the other', async () => {
    const batches = rowsOf(['one two', 'two three'])
    const terms: TermsSpec[] = [
      { unit: 'word', ngrams: [1, 1] },
      { unit: 'character', ngrams: [3, 3], scale: 2, minDocuments: 1 },
    ]
    const features = await fitFeatures(batches, { features: [{ kind: 'text', column: 'text', terms }] })
    const bag = bagOf(await features.apply(batches[0]!))
    const norm = (begin: number, end: number) => Math.hypot(...bag.weights.subarray(begin, end))
    expect([...bag.ids.subarray(0, 2)].every((id) => id < 3)).toBe(true)
    expect([...bag.ids.subarray(2, bag.offsets[1])].every((id) => id >= 3)).toBe(true)
    expect(norm(0, 2)).toBeCloseTo(1, 6)
    expect(norm(2, bag.offsets[1]!)).toBeCloseTo(2, 6)
  })

  it('are explained by where their terms stand', async () => {
    const batches = rowsOf(['The cat sat. The cat!', 'the dog'])
    const features = await fitFeatures(batches, {
      features: [{ kind: 'text', column: 'text', terms: [{ unit: 'word' }] }],
    })
    const state = features.features[0]!
    if (state.kind !== 'text') throw new Error('no text')
    const { text, terms } = explainText(state, 'The cat sat')
    expect(terms.map(({ start, end }) => text.slice(start, end))).toEqual(['the', 'the cat', 'cat', 'cat sat', 'sat'])
    const bag = bagOf(await features.apply(rowsOf(['The cat sat'])[0]!))
    expect(terms.map(({ id, weight }) => [id, weight])).toEqual(Array.from(bag.ids, (id, i) => [id, bag.weights[i]]))
  })

  it('log-count ratios are naive Bayes', async () => {
    const batch = batchOfRows([{ text: 'a a b', y: 0 }, { text: 'b', y: 1 }, { text: 'b c', y: 1 }]) // prettier-ignore
    const features = await fitFeatures([batch], {
      features: [{ kind: 'text', column: 'text', terms: [{ unit: 'word', ngrams: [1, 1] }] }],
      target: { kind: 'class', column: 'y' },
    })
    const examples = await features.apply(batch, { target: true })
    const { shape, data } = await logCountRatios([examples], { field: 'text', size: 3, classes: 2 })
    expect(shape).toEqual([3, 2])
    const ids = [...bagOf(await features.apply(rowsOf(['a', 'b', 'c'].map((each) => each))[0]!)).ids]
    // a: 1 of class 0, 0 of class 1; b: 1 and 2; c: 0 and 1. Sums with one added to each: 5 and 6.
    const expected = [[2, 1], [2, 3], [1, 2]].map(([p, q]) => Math.log(p! / 5 / (q! / 6))) // prettier-ignore
    ids.forEach((id, i) => {
      expect(data[id * 2]).toBeCloseTo(expected[i]!, 6)
      expect(data[id * 2 + 1]).toBeCloseTo(-expected[i]!, 6)
    })
    await expect(logCountRatios([examples], { field: 'other', size: 3, classes: 2 })).rejects.toThrow(NotFoundError)
  })
})

describe('sequences of tokens', () => {
  it('hold words in order, pieces of unknown ones, and padding', async () => {
    const batches = rowsOf(['walk talk walked', 'talk walk', 'walked talked', 'fewer words'])
    const features = await fitFeatures(batches, { features: [{ kind: 'textSequence', column: 'text', length: 8 }] })
    const field = (await features.apply(rowsOf(['talk walk', 'walks', '☃', ''])[0]!)).fields['tokens']
    if (field?.kind !== 'dense') throw new Error('no tokens')
    const ids = Array.from({ length: 4 }, (_, i) => [...(field.tensor.data as Int32Array).subarray(i * 8, i * 8 + 8)])
    expect(field.tensor.shape).toEqual([4, 8])
    expect(ids[0]!.slice(0, 2).every((id) => id >= tokenIds.first)).toBe(true)
    expect(ids[0]!.slice(2)).toEqual([0, 0, 0, 0, 0, 0])
    // "walks" is spelled: "walk" as a piece, then "s" alone, which the training part has inside "words" only once.
    expect(ids[1]![0]).toBe(tokenIds.unknown)
    expect(ids[2]).toEqual([tokenIds.unknown, 0, 0, 0, 0, 0, 0, 0])
    expect(ids[3]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    const signature = features.fields[0]!
    const most = Math.max(...ids.flat())
    expect(signature.kind === 'dense' && signature.cardinalities![0]! > most).toBe(true)
  })

  it('are as long as most texts need', async () => {
    const texts = Array.from({ length: 100 }, (_, i) => 'word '.repeat(i < 99 ? 10 : 500))
    const features = await fitFeatures(rowsOf(texts), { features: [{ kind: 'textSequence', column: 'text' }] })
    expect(features.fields[0]).toMatchObject({ shape: [16] })
  })
})

interface Corpus {
  readonly terms: number
  readonly nonzeros: number
  readonly sum: number
}
describe.skipIf(!existsSync(`${data}trec`))('TREC', () => {
  const fixture = JSON.parse(readFileSync(new URL('../fixtures/sklearn.json', import.meta.url), 'utf8')) as {
    trec: Record<'words' | 'characters', Corpus>
  }
  const read = (file: string) =>
    readFileSync(`${data}trec/${file}`, 'latin1')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(line.indexOf(' ') + 1))

  it.each([
    ['words', { unit: 'word' }],
    ['characters', { unit: 'character' }],
  ] as const)('%s weigh as in scikit-learn', async (name, terms) => {
    const features = await fitFeatures(rowsOf(read('TREC.train')), {
      features: [{ kind: 'text', column: 'text', terms: [terms] }],
    })
    const bag = bagOf(await features.apply(rowsOf(read('TREC.test'))[0]!))
    const expected = fixture.trec[name]
    expect(features.fields[0]).toMatchObject({ size: expected.terms })
    expect(bag.ids).toHaveLength(expected.nonzeros)
    expect(bag.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(expected.sum, 0)
  })
})

const news = `${data}20news/20news-bydate.tar.bz2`
/** The first files of a tar archive. */
function untar(archive: Buffer): string[] {
  const files: string[] = []
  for (let at = 0; at + 512 <= archive.length;) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8)
    if (archive[at + 156] === 0x30) files.push(archive.toString('latin1', at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
describe.skipIf(!existsSync(news))('20 Newsgroups', () => {
  it('long messages encode at speed', { timeout: 30_000 }, async () => {
    const archive = execFileSync('sh', ['-c', `bzip2 -dc "${news}" | head -c 4000000`], { maxBuffer: 2 ** 23 })
    const texts = untar(archive).slice(0, -1)
    const batches = rowsOf(texts)
    const started = performance.now()
    const features = await fitFeatures(batches, { features: [{ kind: 'text', column: 'text' }] })
    const fitted = performance.now()
    const bag = bagOf(await features.apply(batches[0]!))
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(2)
    console.log(
      `${texts.length} messages: fitted in ${seconds(started, fitted)} s, encoded in ${seconds(fitted, performance.now())} s`,
    )
    expect(texts.length).toBeGreaterThan(1000)
    expect(bag.ids.length / texts.length).toBeGreaterThan(500)
  })
})
