import { expectAxis, expectInputs } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOf, boundOfShape } from '../dims.ts'
import { cumsum as cumulated } from '../functions/ordering.ts'
import { onnxType } from './onnx.ts'

export const cumsum: OpDefinition<'cumsum'> = {
  name: 'cumsum',
  doc: 'Sums of the elements up to each along `axis`; without the element itself if `exclusive`; from the end if `reverse`.',
  infer(inputs, { axis }) {
    const [x] = expectInputs('cumsum', inputs, ['signed'])
    expectAxis('cumsum', axis, x.shape.length)
    return [x]
  },
  // Each element is counted in all sums behind it.
  gradient: ({ attributes: { axis, exclusive, reverse } }, [dy]) => [
    cumulated(dy!, axis, { exclusive, reverse: !reverse }),
  ],
  onnx: (emitter, { attributes: { axis, exclusive, reverse } }, [x]) =>
    emitter.node('CumSum', [x!, emitter.int64([axis], [])], { exclusive: Number(exclusive), reverse: Number(reverse) }),
  flops: ([x]) => boundOfShape(x!.shape),
}

export const argsort: OpDefinition<'argsort'> = {
  name: 'argsort',
  doc: 'The int32 indices that sort x along `axis`, equal elements in their order; NaN comes last, whichever the direction.',
  infer(inputs, { axis }) {
    const [x] = expectInputs('argsort', inputs, ['numeric'])
    expectAxis('argsort', axis, x.shape.length)
    return [{ dtype: 'int32', shape: x.shape }]
  },
  gradient: 'none',
  onnx(emitter, { attributes: { axis, descending }, inputs: [value] }, [x]) {
    const size = emitter.shape([value!.shape[axis]!])
    const [, indices] = emitter.node('TopK', [x!, size], { axis, largest: Number(descending), sorted: 1 }, 2)
    return emitter.node('Cast', [indices!], { to: onnxType.int32 })
  },
  flops: ([x], _, { axis }) => boundOfShape(x!.shape) * Math.ceil(Math.log2(Math.max(2, boundOf(x!.shape[axis]!)))),
}
