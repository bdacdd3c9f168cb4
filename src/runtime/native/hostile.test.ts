import { array, assert, constantFrom, integer, nat, oneof, property, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as g from '../../graph/index.ts'
import { nativeAddon } from './addon.ts'
import { compileParts } from './compile.ts'

const { addon, kernels } = nativeAddon()

/** Programs over all families of kernels, small so that a mutated one that is still valid runs in no time. */
function programs() {
  const n = g.sym('n', 4)
  const x = g.input('x', 'float32', [n, 6, 6, 4])
  const w = g.state('w', 'float32', [3, 3, 4, 8])
  const ids = g.input('ids', 'int32', [n])
  const step = g.state('step', 'int32', [])
  const y = g.maxPool2d(g.relu(g.conv2d(x, w, { padding: 'same' })))
  const flat = g.reshape(y, [n, 72])
  const v = g.state('v', 'float32', [72, 5])
  const logits = g.matmul(g.dropout(flat, 0.5, step), v)
  const loss = g.mean(g.sparseSoftmaxCrossEntropy(logits, ids))
  const [dw, dv] = g.gradients(loss, [w, v])
  const train = {
    outputs: { loss, probabilities: g.softmax(logits) },
    updates: { w: g.sub(w, g.mul(dw!, 0.1)), v: g.sub(v, g.mul(dv!, 0.1)), step: g.add(step, 1) },
  }
  const table = g.state('table', 'float32', [9, 6])
  const rows = g.gather(table, ids)
  const moved = g.concat([g.transpose(rows), g.pad(g.slice(g.transpose(rows), { begin: [1, 0], size: [3, n] }), { before: [2, 0], after: [1, 0] })], 0)
  const other = {
    outputs: {
      moved,
      top: g.argmax(rows, 1),
      back: g.scatterAdd(ids, rows, 9),
      hot: g.oneHot(ids, 5),
      normal: g.layerNormalization(rows, g.full([6], 1), g.full([6], 0)),
      flipped: g.flip(rows, 1),
      taken: g.takeAlongAxis(rows, g.argmax(rows, 1, { keepDims: true }), 1),
      wide: g.cast(g.add(g.iota(7), 1), 'float64'),
    },
    updates: { table: g.mul(table, g.sum(rows)) },
  }
  return [train, other].map((graph) => compileParts(graph, {}))
}

interface Slots {
  readonly feeds: number
  readonly states: number
  readonly outputs: number
  readonly symbols: number
}

/** Loads, binds and runs whatever it is. True if it ran; a Failure of native code is fine, a crash ends the process. */
function attempt(encoding: Float64Array, constants: Uint8Array, slots: Slots): boolean {
  const buffers = (count: number) => Array.from({ length: count }, () => new Uint8Array(65_536))
  try {
    const { program } = addon.load(encoding, constants)
    const session = addon.bind(program, buffers(slots.states), 2)
    const sizes = Float64Array.from({ length: slots.symbols }, () => 3)
    addon.runSync(session, sizes, buffers(slots.feeds), buffers(slots.outputs), new Float64Array(0))
    return true
  } catch (cause) {
    expect(cause).toBeInstanceOf(Error)
    expect((cause as { code?: string }).code).toMatch(/^(PROGRAM|SHAPE|MEMORY|NATIVE)$/)
    return false
  }
}

describe('encodings from elsewhere', () => {
  const valid = programs().map(({ encoded: { encoding, constants } }) => ({
    encoding,
    constants,
    slots: { symbols: encoding[2]!, feeds: encoding[5]!, states: encoding[6]!, outputs: encoding[7]! },
  }))

  test('run when nothing is wrong with them', () => {
    for (const { encoding, constants, slots } of valid) expect(attempt(encoding, constants, slots)).toBe(true)
  })

  const value = oneof(
    integer({ min: -2, max: 40 }),
    constantFrom(64, 128, 255, 256, 1000, 65_536, 2 ** 31, 2 ** 32, 2 ** 46, 2 ** 53, -(2 ** 31), 0.5, NaN, Infinity, -Infinity),
  )
  test('never crash, however numbers in them are changed', () => {
    let ran = 0
    assert(
      property(
        nat(valid.length - 1),
        array(tuple(nat(100_000), value), { minLength: 1, maxLength: 4 }),
        (which, changes) => {
          const { encoding, constants, slots } = valid[which]!
          const mutated = encoding.slice()
          // The arena stays small: a large one is valid, and slow to touch.
          for (const [at, number] of changes) if (at % mutated.length !== 9) mutated[at % mutated.length] = number
          if (attempt(mutated, constants, slots)) ran++
        },
      ),
      { numRuns: 4000, seed: 7 },
    )
    expect(ran).toBeGreaterThan(50)
  })
  test('never crash, however they are cut or shifted', () => {
    assert(
      property(nat(valid.length - 1), nat(100_000), integer({ min: -3, max: 3 }), (which, at, by) => {
        const { encoding, constants, slots } = valid[which]!
        const cut = at % encoding.length
        attempt(encoding.slice(0, cut), constants, slots)
        const shifted = by > 0 ? [...encoding.slice(0, cut), ...Array.from({ length: by }, () => 1), ...encoding.slice(cut)] : [...encoding.slice(0, cut), ...encoding.slice(cut - by)]
        attempt(Float64Array.from(shifted), constants, slots)
        attempt(encoding, constants.slice(0, cut), slots)
      }),
      { numRuns: 600, seed: 8 },
    )
  })
  test('refuse wrong handles and arrays', () => {
    const { encoding, constants } = valid[0]!
    const { program } = addon.load(encoding, constants)
    const wrong = program as never
    expect(() => addon.cancel(wrong)).toThrow(/expected a program or session/)
    expect(() => addon.bind(program, [], 2)).toThrow(/number of states/)
    expect(() => addon.bind(program, [new Uint8Array(4), new Uint8Array(4), new Uint8Array(4)], 2)).toThrow(/smaller/)
    expect(() => addon.load(new Uint8Array(4) as never, constants)).toThrow(/typed array/)
  })
})

test('every kernel has a check', () => {
  expect(addon.info().kernels).not.toContain('')
  expect(kernels.size).toBe(addon.info().kernels.length)
})
