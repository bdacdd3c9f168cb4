import { describe, expect, it } from 'vitest'
import { opCases } from '../../../tests/harness/cases/index.ts'
import { checkExpected, checkGradients, checkSymbolic, expectClose } from '../../../tests/harness/checks.ts'
import { buildCase, isDifferentiable, nameOf, runCase } from '../../../tests/harness/op.ts'
import { type Graph, type OpName, definitionOf, nodesOf, opTable, rewriteGraph } from '../../graph/index.ts'
import { kernels } from './kernels.ts'
import { referenceRuntime } from './runtime.ts'

describe('the reference runtime on every op', () => {
  it('runs every case and gives finite shapes and the inferred types', () => {
    for (const test of opCases) {
      const { graph } = buildCase(test)
      const found = runCase(referenceRuntime, test)
      for (const [name, value] of Object.entries(graph.outputs)) {
        expect(found[name]!.dtype, nameOf(test)).toBe(value.dtype)
        expect(found[name]!.shape, nameOf(test)).toEqual(value.shape)
      }
    }
  })

  it('has a case for every op but the state, which runtime.test.ts covers', () => {
    const covered = new Set(opCases.map(({ op }) => op))
    expect(Object.keys(opTable).filter((op) => !covered.has(op as OpName))).toEqual(['state'])
  })

  describe('agrees with PyTorch', () => {
    for (const test of opCases.filter(({ expected }) => expected !== undefined))
      it(nameOf(test), () => checkExpected(referenceRuntime, test))
  })

  describe('has the gradients, first and second, that differences give', () => {
    const differentiable = opCases.filter((test) => test.differentiate !== false && isDifferentiable(test))
    for (const test of differentiable) it(nameOf(test), () => checkGradients(referenceRuntime, test))
  })

  describe('computes the same with symbolic sizes', () => {
    for (const test of opCases.filter(({ sizes }) => Object.keys(sizes).length > 0))
      it(nameOf(test), () => checkSymbolic(referenceRuntime, test))
  })

  describe('agrees with the decomposition of ops it has a kernel for', () => {
    for (const test of opCases) {
      if (kernels[test.op] === 'decompose' || definitionOf(test.op).decompose === undefined) continue
      it(nameOf(test), () => {
        const { graph, feeds } = buildCase(test)
        const direct = runCase(referenceRuntime, test)
        const found = referenceRuntime.compile(decomposed(graph)).bind({}).runSync(feeds)
        for (const [name, tensor] of Object.entries(direct)) expectClose(found[name]!, tensor, 2e-6, name)
      })
    }
  })
})

function decomposed(graph: Graph): Graph {
  const result = rewriteGraph(graph, (node) => definitionOf<OpName>(node.op).decompose?.(node))
  expect(nodesOf(result).length).toBeGreaterThan(nodesOf(graph).length)
  return result
}
