import { expectInputs, expectShape, shapeError } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOfShape, shapeText } from '../dims.ts'
import type { Shape, TensorType } from '../types.ts'

type RandomOp = 'randomUniform' | 'randomNormal'

function random<K extends RandomOp>(name: K, doc: string, flops: number): OpDefinition<K> {
  return {
    name,
    doc,
    infer(inputs: readonly TensorType[], { shape }: { readonly shape: Shape }) {
      const [step] = expectInputs(name, inputs, ['int32'])
      expectShape(name, 'a step', step, [])
      if (shape.some((dim) => typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0)))
        throw shapeError(name, 'sizes that are whole numbers of at least 0', shapeText(shape))
      return [{ dtype: 'float32', shape }]
    },
    gradient: 'none',
    onnx: { unsupported: 'Its numbers come from a counter and a seed, which no ONNX op does.' },
    flops: (_, [y]) => flops * boundOfShape(y!.shape),
  }
}

/** Counter-based random numbers: see the attributes for the exact words. */
export const randomOps = {
  randomUniform: random(
    'randomUniform',
    '(step int32 scalar) → float32 uniform in [0, 1) with 24 bits, a function of (seed, stream, step, position).',
    30,
  ),
  randomNormal: random(
    'randomNormal',
    '(step int32 scalar) → float32 standard normal by Box–Muller, a function of (seed, stream, step, position).',
    60,
  ),
} satisfies { readonly [K in RandomOp]: OpDefinition<K> }
