import { expectInputs, expectRank, expectShape } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOfShape, multiplyDims } from '../dims.ts'
import { add, and, cast, clip, floor, greaterEqual, lessEqual, mul, sub, where } from '../functions/elementwise.ts'
import { gather } from '../functions/indexing.ts'
import { expandDims, reshape, sliceAxis } from '../functions/shape.ts'
import { dimension, iota } from '../functions/sources.ts'
import type { Value } from '../graph.ts'
import type { Dim } from '../types.ts'

export const affineWarp: OpDefinition<'affineWarp'> = {
  name: 'affineWarp',
  doc: '(images[N,H,W,C], matrices[N,6]) → images. With x and y counted from the centre ((W-1)/2, (H-1)/2), output pixel (x, y) reads input (a·x+b·y+c, d·x+e·y+f) for the matrix row [a,b,c,d,e,f], bilinear; outside is 0 (`constant`) or the nearest pixel (`edge`).',
  infer(inputs) {
    const [images, matrices] = expectInputs('affineWarp', inputs, ['floating', 'floating'])
    expectRank('affineWarp', 'images [N,H,W,C]', images, 4)
    expectShape('affineWarp', 'matrices', matrices, [images.shape[0]!, 6])
    return [{ dtype: images.dtype, shape: images.shape }]
  },
  gradient: 'decompose',
  decompose(node) {
    const [images, matrices] = node.inputs as readonly [Value, Value]
    const { dtype } = images
    const [n, height, width, channels] = images.shape as readonly [Dim, Dim, Dim, Dim]
    const last = (size: Dim, type: 'int32' | typeof dtype) => sub(dimension(size, type), 1)
    const [lastX, lastY] = [last(width, dtype), last(height, dtype)]
    const [centreX, centreY] = [mul(lastX, 0.5), mul(lastY, 0.5)]
    const x = sub(reshape(cast(iota(width), dtype), [1, 1, width]), centreX)
    const y = sub(reshape(cast(iota(height), dtype), [1, height, 1]), centreY)
    const entry = (i: number) => reshape(sliceAxis(matrices, 1, i, 1), [n, 1, 1])
    const source = (i: number, centre: Value) =>
      add(add(add(mul(entry(i), x), mul(entry(i + 1), y)), entry(i + 2)), centre)
    const edge = node.attributes.fill === 'edge'
    const sx = edge ? clip(source(0, centreX), 0, lastX) : source(0, centreX)
    const sy = edge ? clip(source(3, centreY), 0, lastY) : source(3, centreY)
    const [x0, y0] = [floor(sx), floor(sy)]
    const [fx, fy] = [sub(sx, x0), sub(sy, y0)]

    const pixels = reshape(images, [multiplyDims(multiplyDims(n, height), width), channels])
    const row = mul(reshape(iota(n), [n, 1, 1]), mul(dimension(height), dimension(width)))
    const corner = (right: boolean, low: boolean): Value => {
      const px = right ? add(x0, 1) : x0
      const py = low ? add(y0, 1) : y0
      const share = mul(right ? fx : sub(1, fx), low ? fy : sub(1, fy))
      const inside = and(and(greaterEqual(px, 0), lessEqual(px, lastX)), and(greaterEqual(py, 0), lessEqual(py, lastY)))
      const column = cast(clip(px, 0, lastX), 'int32')
      const line = cast(clip(py, 0, lastY), 'int32')
      const index = add(add(row, mul(line, dimension(width))), column)
      return mul(gather(pixels, index), expandDims(edge ? share : where(inside, share, 0), -1))
    }
    return [add(add(corner(false, false), corner(true, false)), add(corner(false, true), corner(true, true)))]
  },
  onnx: { unsupported: 'It augments images in training only.' },
  flops: (_, [y]) => 8 * boundOfShape(y!.shape),
}
