import { broadcastShapes, expectInputs, expectRank, shapeError, typeText } from '../checks.ts'
import type { OpDefinition } from '../definition.ts'
import { boundOf, boundOfShape, equalDims } from '../dims.ts'
import { matmul as multiply } from '../functions/neural.ts'
import { reshape, sumTo } from '../functions/shape.ts'
import type { Value } from '../graph.ts'

export const matmul: OpDefinition<'matmul'> = {
  name: 'matmul',
  doc: 'a[…,M,K] × b[…,K,N] → […,M,N]; transposeA reads a as […,K,M], transposeB b as […,N,K]. Leading dimensions broadcast.',
  infer(inputs, { transposeA, transposeB }) {
    const [a, b] = expectInputs('matmul', inputs, ['floating', 'floating'])
    expectRank('matmul', 'a left matrix', a, 2, true)
    expectRank('matmul', 'a right matrix', b, 2, true)
    const [m, k] = ends(a.shape, transposeA)
    const [k2, n] = ends(b.shape, transposeB)
    if (!equalDims(k, k2))
      throw shapeError(
        'matmul',
        'inner dimensions that are equal',
        `${typeText(a)}${transposeA ? ' transposed' : ''} × ${typeText(b)}${transposeB ? ' transposed' : ''}`,
      )
    const leading = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2))
    return [{ dtype: a.dtype, shape: [...leading, m, n] }]
  },
  gradient(node, [dy]) {
    const [a, b] = node.inputs as readonly [Value, Value]
    const { transposeA: ta, transposeB: tb } = node.attributes
    if (b.shape.length === 2 && a.shape.length > 2 && !ta) return flattened(a, b, tb, dy!)
    const da = ta ? multiply(b, dy!, { transposeA: tb, transposeB: true }) : multiply(dy!, b, { transposeB: !tb })
    const db = tb ? multiply(dy!, a, { transposeA: true, transposeB: ta }) : multiply(a, dy!, { transposeA: !ta })
    return [sumTo(da, a.shape), sumTo(db, b.shape)]
  },
  onnx(emitter, node, inputs) {
    const { transposeA, transposeB } = node.attributes
    const [a, b] = node.inputs as readonly [Value, Value]
    if (a.shape.length === 2 && b.shape.length === 2 && (transposeA || transposeB))
      return emitter.node('Gemm', inputs, { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 })
    const swapped = (name: string, { shape }: Value, transposed: boolean) => {
      if (!transposed) return name
      const perm = shape.map((_, i) => i)
      perm.push(...perm.splice(-2).reverse())
      return emitter.node('Transpose', [name], { perm })[0]!
    }
    return emitter.node('MatMul', [swapped(inputs[0]!, a, transposeA), swapped(inputs[1]!, b, transposeB)])
  },
  flops([a], [y], { transposeA }) {
    return 2 * boundOfShape(y!.shape) * boundOf(a!.shape.at(transposeA ? -2 : -1)!)
  },
}

/** [rows, columns] of the last two dimensions. */
function ends(shape: Value['shape'], transposed: boolean): [Value['shape'][number], Value['shape'][number]] {
  const [first, second] = [shape.at(-2)!, shape.at(-1)!]
  return transposed ? [second, first] : [first, second]
}

/** One matrix product over all leading dimensions instead of a batch of them that is then summed. */
function flattened(a: Value, b: Value, transposeB: boolean, dy: Value): readonly Value[] {
  const rows = reshape(a, [-1, a.shape.at(-1)!])
  const gradients = reshape(dy, [-1, dy.shape.at(-1)!])
  const db = transposeB
    ? multiply(gradients, rows, { transposeA: true })
    : multiply(rows, gradients, { transposeA: true })
  return [reshape(multiply(gradients, b, { transposeB: !transposeB }), a.shape), db]
}
