/**
 * The hash that identifies terms: 32 bits, the same on every machine and in every version, since fitted vocabularies are
 * stored as hashes. A word is FNV-1a over its UTF-16 code units, each unit as one step, then mixed; an n-gram
 * chains its words' hashes. Terms whose hashes are equal are one term: among 100,000 kept terms, a foreign term meets
 * one of them with a probability of 2 in 100,000.
 */
export const hashBasis = 0x811c9dc5
const prime = 0x01000193

export function hashStep(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, prime)
}

/** Spreads every bit over all (the finaliser of MurmurHash3). Never 0, which marks an empty slot in tables. */
export function hashFinish(hash: number): number {
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  hash ^= hash >>> 16
  return hash === 0 ? 1 : hash
}

/** The hash of a sequence whose hash so far is `left` and whose next word's is `right`. */
export function hashJoin(left: number, right: number): number {
  return hashFinish((Math.imul(left, 0x9e3779b1) + right) | 0)
}

export function hashWord(word: string): number {
  let hash = hashBasis
  for (let i = 0; i < word.length; i++) hash = hashStep(hash, word.charCodeAt(i))
  return hashFinish(hash)
}
