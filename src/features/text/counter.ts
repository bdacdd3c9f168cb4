/**
 * Counts in how many texts each hash occurs, in bounded memory: when the table is full, the rarest are forgotten (lossy
 * counting), so that a count may fall short by `forgotten` at most. The outcome depends on the order of the texts
 * alone.
 */
export class DocumentCounter {
  /** Counts of up to this may have been forgotten; 0 while everything fitted. */
  forgotten = 0
  private size = 0
  private keys: Int32Array
  private counts: Int32Array
  private stamps: Int32Array
  private text = 0
  private readonly limit: number

  /** @param limit the largest table, a power of two slots of 12 bytes each; at most half of them are used. */
  constructor(limit = 2 ** 22) {
    this.limit = limit
    const slots = Math.min(2 ** 16, limit)
    this.keys = new Int32Array(slots)
    this.counts = new Int32Array(slots)
    this.stamps = new Int32Array(slots)
  }

  /** The texts so far. */
  get texts(): number {
    return this.text
  }

  nextText(): void {
    this.text++
  }

  /** Counts `hash` (not 0) for the current text, once however often it is added. */
  add(hash: number): void {
    const { keys } = this
    const mask = keys.length - 1
    let at = hash & mask
    while (keys[at] !== 0) {
      if (keys[at] === hash) {
        if (this.stamps[at] !== this.text) {
          this.stamps[at] = this.text
          this.counts[at] = this.counts[at]! + 1
        }
        return
      }
      at = (at + 1) & mask
    }
    keys[at] = hash
    this.counts[at] = 1
    this.stamps[at] = this.text
    if (++this.size * 2 > keys.length) this.makeRoom()
  }

  /** At most `limit` hashes in at least `least` texts, the most frequent first, ties by hash. */
  ranked(least: number, limit: number): { hashes: Int32Array; counts: Int32Array } {
    // Most counts are small and shared by many: hashes are gathered by count, then sorted as numbers.
    const sizes = new Map<number, number>()
    for (let at = 0; at < this.keys.length; at++) {
      const count = this.counts[at]!
      if (this.keys[at] !== 0 && count >= least) sizes.set(count, (sizes.get(count) ?? 0) + 1)
    }
    const groups = [...sizes].sort(([a], [b]) => b - a)
    const starts = new Map<number, number>()
    let total = 0
    for (const [count, size] of groups) {
      starts.set(count, total)
      total += size
    }
    const hashes = new Uint32Array(total)
    const filled = new Map(starts)
    for (let at = 0; at < this.keys.length; at++) {
      const count = this.counts[at]!
      if (this.keys[at] === 0 || count < least) continue
      const place = filled.get(count)!
      hashes[place] = this.keys[at]!
      filled.set(count, place + 1)
    }
    const counts = new Int32Array(total)
    for (const [count, size] of groups) {
      const from = starts.get(count)!
      if (from >= limit) break
      hashes.subarray(from, from + size).sort()
      counts.fill(count, from, from + size)
    }
    return { hashes: Int32Array.from(hashes.subarray(0, limit)), counts: counts.slice(0, limit) }
  }

  private makeRoom(): void {
    if (this.keys.length < this.limit) {
      this.rebuild(this.keys.length * 2, 0)
      return
    }
    // Until half of the room is free again, so that this happens seldom.
    while (this.size * 4 > this.keys.length) this.rebuild(this.keys.length, ++this.forgotten)
  }

  private rebuild(slots: number, forget: number): void {
    const { keys, counts, stamps } = this
    this.keys = new Int32Array(slots)
    this.counts = new Int32Array(slots)
    this.stamps = new Int32Array(slots)
    this.size = 0
    const mask = slots - 1
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0 || counts[i]! <= forget) continue
      let at = keys[i]! & mask
      while (this.keys[at] !== 0) at = (at + 1) & mask
      this.keys[at] = keys[i]!
      this.counts[at] = counts[i]!
      this.stamps[at] = stamps[i]!
      this.size++
    }
  }
}

/** Finds the index of a hash in a fixed vocabulary. */
export class HashIndex {
  private readonly keys: Int32Array
  private readonly indices: Int32Array
  private readonly mask: number

  constructor(hashes: Int32Array) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, hashes.length * 2)))
    this.keys = new Int32Array(slots)
    this.indices = new Int32Array(slots)
    this.mask = slots - 1
    hashes.forEach((hash, index) => {
      let at = hash & this.mask
      while (this.keys[at] !== 0) at = (at + 1) & this.mask
      this.keys[at] = hash
      this.indices[at] = index
    })
  }

  /** −1 where there is none. */
  get(hash: number): number {
    const { keys, mask } = this
    let at = hash & mask
    while (keys[at] !== 0) {
      if (keys[at] === hash) return this.indices[at]!
      at = (at + 1) & mask
    }
    return -1
  }
}
