/**
 * Counter-based random numbers: Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * Position n of stream s under a seed is a pure function, so shuffles and initial weights need no state to resume.
 */
const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85

/** The high and low words of a 32×32-bit product. */
function multiply(a: number, b: number): [high: number, low: number] {
  const al = a & 0xffff
  const ah = a >>> 16
  const bl = b & 0xffff
  const bh = b >>> 16
  const ll = al * bl
  const middle = ah * bl + (ll >>> 16)
  const middle2 = al * bh + (middle & 0xffff)
  const high = ah * bh + Math.floor(middle / 0x10000) + (middle2 >>> 16)
  return [high >>> 0, Math.imul(a, b) >>> 0]
}

/** Four 32-bit words at counter (c0, c1, c2, c3) under key (k0, k1). */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): [number, number, number, number] {
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = multiply(M0, c0)
    const [h1, l1] = multiply(M1, c2)
    c0 = (h1 ^ c1 ^ k0) >>> 0
    c1 = l1
    c2 = (h0 ^ c3 ^ k1) >>> 0
    c3 = l0
    k0 = (k0 + W0) >>> 0
    k1 = (k1 + W1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** A seeded stream of numbers. Two generators with the same seed and stream give the same numbers on every machine. */
export class Random {
  readonly seed: number
  readonly stream: number
  private counter = 0
  private block: [number, number, number, number] = [0, 0, 0, 0]

  constructor(seed: number, stream = 0) {
    this.seed = seed
    this.stream = stream
  }

  /** 32 random bits as an unsigned integer. */
  nextUint32(): number {
    const lane = this.counter & 3
    if (lane === 0) {
      const index = this.counter / 4
      this.block = philox(
        index >>> 0,
        Math.floor(index / 2 ** 32),
        this.stream >>> 0,
        0,
        this.seed >>> 0,
        Math.floor(this.seed / 2 ** 32) >>> 0,
      )
    }
    this.counter++
    return this.block[lane]!
  }

  /** Uniform in [0, 1) with 24 bits, exactly as the native kernels make it. */
  uniform(): number {
    return (this.nextUint32() >>> 8) / 2 ** 24
  }

  /** Standard normal by Box–Muller. */
  normal(): number {
    const u = 1 - this.uniform()
    const v = this.uniform()
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v)
  }

  /** An integer in [0, limit). */
  integer(limit: number): number {
    return Math.floor((this.nextUint32() / 2 ** 32) * limit)
  }

  /** 0 … length-1 in random order (Fisher–Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i)
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      const swap = order[i]!
      order[i] = order[j]!
      order[j] = swap
    }
    return order
  }
}
