import type { OpAttributes } from '../../../src/graph/index.ts'
import { type CaseDeclaration, bools, given, normal } from '../op.ts'

type AttentionOp = 'scaledDotProductAttention' | 'scaledDotProductAttentionGradient'

const plain: OpAttributes[AttentionOp] = {
  scale: 0.5, causal: false, masked: false, biased: false, dropout: 0, seed: [7, 9], stream: 3,
} // prettier-ignore
const sizes = { N: 2, T: 5, S: 4 }
const step = given('int32', [], [11])
const operands = (heads: number, keyHeads: number, depth: number, width: number) => [
  normal(['N', 'T', heads, depth]),
  normal(['N', 'S', keyHeads, depth]),
  normal(['N', 'S', keyHeads, width]),
]

/** What both ops share; the gradient's own inputs come behind. */
const shared: readonly CaseDeclaration<AttentionOp>[] = [
  { title: 'two heads', sizes, inputs: operands(2, 2, 3, 4), attributes: plain },
  { title: 'grouped queries', sizes, inputs: operands(4, 2, 3, 2), attributes: plain },
  { title: 'causal', sizes, inputs: operands(2, 1, 3, 3), attributes: { ...plain, causal: true } },
  {
    title: 'masked',
    sizes,
    inputs: [...operands(2, 2, 3, 4), bools(['N', 'S'])],
    attributes: { ...plain, masked: true },
  },
  {
    title: 'masked whole',
    inputs: [
      normal([2, 3, 1, 2]),
      normal([2, 3, 1, 2]),
      normal([2, 3, 1, 2]),
      given('bool', [2, 3], [0, 0, 0, 0, 1, 0]),
    ],
    attributes: { ...plain, masked: true, causal: true },
  },
  { title: 'dropout', sizes, inputs: [...operands(2, 1, 3, 4), step], attributes: { ...plain, dropout: 0.4 } },
  {
    title: 'one position',
    inputs: [normal([1, 1, 1, 1]), normal([1, 1, 1, 1]), normal([1, 1, 1, 1])],
    attributes: plain,
  },
  {
    title: 'several tiles, causal, dropout',
    inputs: [normal([1, 61, 2, 5]), normal([1, 133, 1, 5]), normal([1, 133, 1, 17]), bools([1, 133]), step],
    attributes: { ...plain, scale: 0.1, causal: true, masked: true, dropout: 0.1 },
    differentiate: false,
    tolerance: 1e-5,
  },
  {
    title: 'whole vectors',
    inputs: [normal([1, 64, 4, 32]), normal([1, 64, 4, 32]), normal([1, 64, 4, 32])],
    attributes: { ...plain, scale: 0.1 },
    differentiate: false,
    tolerance: 1e-5,
  },
]

/** The gradient's case of a forward one: the result, its logSumExp and their gradient behind. */
function withResult({ inputs, ...rest }: CaseDeclaration<AttentionOp>): CaseDeclaration<AttentionOp> {
  const [batch, queries, heads] = inputs[0]!.shape
  const width = inputs[2]!.shape[3]!
  const like = [batch!, queries!, heads!, width]
  return { ...rest, inputs: [...inputs, normal(like), normal([batch!, heads!, queries!]), normal(like)] }
}

export const attentionCases = {
  scaledDotProductAttention: [
    ...shared,
    {
      title: 'bias of each head',
      sizes,
      inputs: [...operands(4, 2, 3, 2), normal([1, 4, 'T', 'S'])],
      attributes: { ...plain, biased: true },
    },
    {
      title: 'bias of each example, masked, causal, dropout',
      sizes,
      inputs: [...operands(2, 2, 3, 2), bools(['N', 'S']), normal(['N', 1, 'T', 'S']), step],
      attributes: { ...plain, masked: true, causal: true, biased: true, dropout: 0.25 },
    },
  ],
  scaledDotProductAttentionGradient: shared.map(withResult),
} satisfies { readonly [K in AttentionOp]: readonly CaseDeclaration<K>[] }
