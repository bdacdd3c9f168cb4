import type { OpName } from '../../../src/graph/index.ts'
import { type CaseDeclaration, type OpCase, declare } from '../op.ts'
import { attentionCases } from './attention.ts'
import { compositeCases } from './composites.ts'
import { binaryCases, selectCases, unaryCases } from './elementwise.ts'
import { fixtureCases } from './fixtures.ts'
import { indexingCases } from './indexing.ts'
import { orderingCases } from './ordering.ts'
import { recurrentCases } from './recurrent.ts'
import { matmulCases, reduceCases, shapeCases, sourceCases } from './structure.ts'
import { windowCases } from './windows.ts'

/** Total over the vocabulary: an op without a case does not compile. */
const declared = {
  ...sourceCases,
  ...unaryCases,
  ...binaryCases,
  ...selectCases,
  ...reduceCases,
  ...matmulCases,
  ...shapeCases,
  ...indexingCases,
  ...windowCases,
  ...compositeCases,
  ...recurrentCases,
  ...attentionCases,
  ...orderingCases,
} satisfies { readonly [K in OpName]: readonly CaseDeclaration<K>[] }

/** Every case of every op. A runtime runs them all and compares with the reference (see `runCase` and `checks.ts`). */
export const opCases: readonly OpCase[] = [
  ...(Object.keys(declared) as OpName[]).flatMap((op) =>
    declare(op, declared[op] as readonly CaseDeclaration<OpName>[]),
  ),
  ...fixtureCases,
]
