import { expect, test } from 'vitest'

import { Tensor } from '../../core/index.ts'
import { dense, embedding, globalAveragePooling1d, input, model, multiHeadAttention, sequential } from '../index.ts'

test('steps that an embedding masks are not seen', async () => {
  const tokens = input({ shape: [5], dtype: 'int32' })
  const embedded = embedding({ inputDim: 7, outputDim: 4, maskZero: true })(tokens)
  const attended = multiHeadAttention({ numHeads: 2, keyDim: 3 })(embedded)
  const made = model({ inputs: tokens, outputs: dense({ units: 1 })(globalAveragePooling1d()(attended)) })
  const short = sequential([
    input({ shape: [3], dtype: 'int32' }),
    embedding({ inputDim: 7, outputDim: 4, maskZero: true }),
    multiHeadAttention({ numHeads: 2, keyDim: 3 }),
    globalAveragePooling1d(),
    dense({ units: 1 }),
  ])
  const values = Object.values(made.getWeights())
  short.setWeights(Object.fromEntries(Object.keys(short.getWeights()).map((path, i) => [path, values[i]!])))
  const padded = await made.predict(new Tensor('int32', [1, 5], Int32Array.of(3, 1, 6, 0, 0)))
  const plain = await short.predict(new Tensor('int32', [1, 3], Int32Array.of(3, 1, 6)))
  expect(Number(padded.data[0])).toBeCloseTo(Number(plain.data[0]), 6)
})
