import { setImmediate as nextTurn } from 'node:timers/promises'
import { Random, philox } from '../core/index.ts'

/** Swaps made before the event loop gets a turn: some milliseconds of work. */
const swapsPerTurn = 16_384

/** A seed for one part of the work: a pure function of the seed and where the part is. */
export function childSeed(seed: number, tag: number, index: number, part = 0): number {
  const [low, high] = philox(index >>> 0, part >>> 0, tag >>> 0, 0x5eed, seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0)
  return low + (high & 0x1fffff) * 2 ** 32
}

/** 0 … length-1 in an order given by the seed. Leaves the event loop free while it works. */
export async function permutation(length: number, seed: number): Promise<Uint32Array> {
  const order = new Uint32Array(length)
  for (let i = 0; i < length; i++) order[i] = i
  await shuffle(order, seed)
  return order
}

/** Fisher–Yates in place. */
export async function shuffle(order: Uint32Array, seed: number): Promise<void> {
  const random = new Random(seed)
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1)
    const swap = order[i]!
    order[i] = order[j]!
    order[j] = swap
    if (i % swapsPerTurn === 0) await nextTurn()
  }
}

/** Where an epoch's examples come from: blocks of neighbours in shuffled order, read and shuffled again window by window. */
export interface Windows {
  readonly count: number
  /** The positions of window `index`, before the shuffle within it. */
  positions(index: number): Uint32Array
}

/**
 * Cuts 0 … size-1 into blocks, puts the blocks into `blockOrder`, and cuts that sequence into windows of `windowSize`.
 */
export function windowsOf(size: number, blockSize: number, windowSize: number, blockOrder: Uint32Array): Windows {
  const starts = new Float64Array(blockOrder.length + 1)
  blockOrder.forEach((block, i) => {
    starts[i + 1] = starts[i]! + Math.min(blockSize, size - block * blockSize)
  })
  return {
    count: Math.ceil(size / windowSize),
    positions(index) {
      const begin = index * windowSize
      const out = new Uint32Array(Math.min(windowSize, size - begin))
      let slot = lastAtMost(starts, begin)
      for (let filled = 0; filled < out.length; slot++) {
        const from = blockOrder[slot]! * blockSize + (begin + filled - starts[slot]!)
        const count = Math.min(starts[slot + 1]! - begin - filled, out.length - filled)
        for (let i = 0; i < count; i++) out[filled + i] = from + i
        filled += count
      }
      return out
    },
  }
}

/** The last slot whose start is at most `value`. */
function lastAtMost(starts: Float64Array, value: number): number {
  let low = 0
  let high = starts.length - 2
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (starts[middle]! <= value) low = middle
    else high = middle - 1
  }
  return low
}
