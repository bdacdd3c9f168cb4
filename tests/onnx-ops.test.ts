import { describe, it } from 'vitest'
import { type DType, Tensor, type TypedArray } from '../src/core/index.ts'
import { encodeOnnx } from '../src/formats/index.ts'
import { type Attention, type Recurrent, definitionOf, sym } from '../src/graph/index.ts'
import { referenceRuntime } from '../src/runtime/index.ts'
import { opCases } from './harness/cases/index.ts'
import { expectClose } from './harness/checks.ts'
import { type OpCase, buildCase, nameOf, runCase } from './harness/op.ts'

const ort = await import('onnxruntime-node').catch(() => undefined)

describe.skipIf(ort === undefined)("every op's ONNX form computes in onnxruntime what the reference does", () => {
  for (const test of opCases.filter(hasRule)) {
    for (const symbolic of Object.keys(test.sizes).length > 0 ? [false, true] : [false]) {
      it(`${nameOf(test)}${symbolic ? ', symbolic' : ''}`, async () => {
        const { graph, feeds } = buildCase(test, { symbolic })
        const expected = runCase(referenceRuntime, test, { symbolic })
        const outputs = Object.fromEntries(Object.entries(graph.outputs).filter(([name]) => isInferred(test, name)))
        const found = await run(encodeOnnx({ outputs, updates: {} }, {}), feeds)
        for (const [name, tensor] of Object.entries(expected))
          if (name in outputs) expectClose(found[name]!, tensor, 5 * (test.tolerance ?? 2e-6), name)
      })
    }
  }
})

/** What a recurrent layer keeps for its gradient has no name in ONNX. */
function isInferred({ op, attributes }: OpCase, name: string): boolean {
  if (op !== 'recurrent') return true
  const { cell } = attributes((symbol) => sym(symbol, 1), 'float32') as Recurrent
  return !name.startsWith('y') || Number(name.slice(1)) < (cell === 'lstm' ? 3 : 2)
}

/** Ops without a rule of their own are exported as what they decompose into. ONNX has no counterpart of our random numbers. */
function hasRule({ op, attributes }: OpCase): boolean {
  const { onnx, decompose } = definitionOf(op)
  const { dropout = 0 } = attributes((symbol) => sym(symbol, 1), 'float32') as Partial<Attention>
  if (op.startsWith('scaledDotProductAttention') && dropout > 0) return false
  return onnx !== 'source' && (decompose !== undefined || !(typeof onnx === 'object' && 'unsupported' in onnx))
}

async function run(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = await ort!.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 })
  const inputs = Object.entries(feeds).map(([name, { dtype, shape, data }]) => {
    return [name, new ort!.Tensor(dtype as 'float32', data as Float32Array, [...shape])] as const
  })
  const outputs = await session.run(Object.fromEntries(inputs))
  await session.release()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { type, data, dims }]) => [
      name,
      new Tensor(type as DType, dims, data as TypedArray),
    ]),
  )
}
