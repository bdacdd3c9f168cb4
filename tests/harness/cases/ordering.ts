import { type CaseDeclaration, distinct, given, integers, normal } from '../op.ts'

const sizes = { N: 3 }

type OrderingOp = 'cumsum' | 'argsort' | 'scatterMax'

export const orderingCases = {
  cumsum: [
    {
      title: 'last axis',
      sizes,
      inputs: [normal(['N', 4])],
      attributes: { axis: 1, exclusive: false, reverse: false },
    },
    {
      title: 'symbolic axis',
      sizes,
      inputs: [normal(['N', 2])],
      attributes: { axis: 0, exclusive: false, reverse: false },
    },
    { title: 'exclusive', sizes, inputs: [normal(['N', 4])], attributes: { axis: 1, exclusive: true, reverse: false } },
    { title: 'reverse', inputs: [normal([2, 3, 2])], attributes: { axis: 1, exclusive: false, reverse: true } },
    { title: 'exclusive, reverse', inputs: [normal([5])], attributes: { axis: 0, exclusive: true, reverse: true } },
    { title: 'int32', inputs: [integers([2, 5], -9, 9)], attributes: { axis: 1, exclusive: false, reverse: false } },
    { title: 'nothing', inputs: [normal([2, 0])], attributes: { axis: 1, exclusive: false, reverse: false } },
    {
      title: 'long rows',
      inputs: [normal([2, 3001])],
      tolerance: 1e-4,
      attributes: { axis: 1, exclusive: false, reverse: false },
      differentiate: false,
    },
  ],
  argsort: [
    { title: 'last axis', sizes, inputs: [distinct(['N', 7])], attributes: { axis: 1, descending: false } },
    { title: 'symbolic axis', sizes, inputs: [distinct(['N', 2])], attributes: { axis: 0, descending: true } },
    {
      title: 'equal ones keep their order',
      inputs: [integers([2, 40], 0, 5)],
      attributes: { axis: 1, descending: true },
    },
    { title: 'middle axis', inputs: [integers([2, 19, 3], 0, 5)], attributes: { axis: 1, descending: false } },
    { title: 'long rows', inputs: [normal([3, 1025])], attributes: { axis: 1, descending: true } },
  ],
  scatterMax: [
    {
      title: 'rows',
      sizes,
      inputs: [integers(['N'], 0, 2), distinct(['N', 2])],
      attributes: { size: 2 },
      differentiate: false,
    },
    { title: 'each its own', inputs: [given('int32', [3], [2, 0, 1]), distinct([3, 2])], attributes: { size: 3 } },
    {
      title: 'onto a symbolic size, out of range',
      sizes,
      inputs: [given('int32', [4], [-1, 9, 1, 1]), distinct([4])],
      attributes: (d) => ({ size: d('N') }),
      differentiate: false,
    },
    {
      title: 'wide rows',
      inputs: [integers([50], 0, 3), distinct([50, 67])],
      attributes: { size: 3 },
      differentiate: false,
    },
    { title: 'int32', inputs: [integers([5], 0, 3), integers([5], -9, 9)], attributes: { size: 4 } },
  ],
} satisfies { readonly [K in OrderingOp]: readonly CaseDeclaration<K>[] }
