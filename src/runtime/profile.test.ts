import { describe, expect, test } from 'vitest'

import { OptionError, Tensor } from '../core/index.ts'
import * as g from '../graph/index.ts'
import { chromeTrace, measureRoof, nativeRuntime, profileText, referenceRuntime } from './index.ts'

const ramp = (shape: readonly [number, number]) =>
  new Tensor(
    'float32',
    shape,
    Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => (i % 7) - 3),
  )

const x = g.input('x', 'float32', [64, 32])
const w = g.state('w', 'float32', [32, 16])
const product = g.withScope('dense', () => g.matmul(x, w))
const graph = { outputs: { y: g.sum(g.tanh(product)) }, updates: { w: g.mul(w, g.scalar(0.5)) } }

describe.each([nativeRuntime, referenceRuntime])('profile on $name', (runtime) => {
  const session = () => runtime.compile(graph).bind({ w: ramp([32, 16]) })
  const feeds = { x: ramp([64, 32]) }

  test('tells time, arithmetic and bytes of each operation, in the order they run', () => {
    const { operations, runs, milliseconds, flops } = session().profile(feeds, { runs: 3 })
    expect(runs).toBe(3)
    const matmul = operations.find(({ label }) => label.includes('matmul'))!
    expect(matmul.scope).toContain('dense')
    expect(matmul.flops).toBeGreaterThanOrEqual(2 * 64 * 32 * 16)
    expect(matmul.bytes).toBeGreaterThanOrEqual(4 * (64 * 32 + 32 * 16 + 64 * 16))
    expect(matmul.milliseconds).toBeGreaterThan(0)
    expect(operations.reduce((sum, each) => sum + each.milliseconds, 0)).toBeCloseTo(milliseconds, 10)
    expect(operations.reduce((sum, each) => sum + each.flops, 0)).toBe(flops)
  })
  test('refuses no runs', () => {
    expect(() => session().profile(feeds, { runs: 0 })).toThrow(OptionError)
  })
  test('measures shares of a roof', () => {
    const { operations } = session().profile(feeds, { runs: 1, roof: { gigaflops: 1, gigabytes: 1 } })
    for (const { flops, bytes, milliseconds, roofShare } of operations)
      if (milliseconds > 0) expect(roofShare).toBeCloseTo(Math.max(flops, bytes) / 1e6 / milliseconds, 6)
  })
})

test('the roof of the processor is measured', () => {
  const { gigaflops, gigabytes } = measureRoof(nativeRuntime, { threads: 1 })
  expect(gigaflops).toBeGreaterThan(0.1)
  expect(gigabytes).toBeGreaterThan(0.1)
})

test('a profile is shown as a table and as a Chrome trace', () => {
  const operation = { label: 'matmul', scope: 'dense', flops: 2e6, bytes: 4e6, milliseconds: 2, roofShare: 0.5 }
  const small = { ...operation, label: 'add', scope: '', milliseconds: 0.001 }
  const profile = { runs: 5, milliseconds: 2.001, flops: 4e6, operations: [small, operation], roof: undefined }
  expect(profileText(profile)).toBe(
    [
      '2.001 ms in 2 operations, 4.0 MFLOP, median of 5 runs',
      '   ms    share  GFLOP/s  GB/s  of roof  operation',
      '2.000  100.0 %      1.0   2.0   50.0 %  matmul  (dense)',
      '0.001    0.0 %                          1 more operation',
    ].join('\n'),
  )
  const { traceEvents } = chromeTrace(profile, 'step')
  const complete = traceEvents.filter((event) => (event as { ph: string }).ph === 'X') as {
    name: string
    ts: number
    dur: number
  }[]
  expect(complete.map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
    ['add', 0, 1],
    ['matmul', 1, 2000],
  ])
})
