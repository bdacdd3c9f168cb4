import type { Recurrent } from '../../../src/graph/index.ts'
import { type CaseDeclaration, type CaseInput, bools, given, normal, uniform } from '../op.ts'

const plain: Recurrent = {
  cell: 'simpleRnn',
  activation: 'tanh',
  recurrentActivation: 'sigmoid',
  resetAfter: false,
  goBackwards: false,
  masked: false,
  dropout: false,
}
const widths = { simpleRnn: { gates: 1, kept: 0 }, lstm: { gates: 4, kept: 4 }, gru: { gates: 3, kept: 4 } } as const
type Size = number | string

interface Variant {
  readonly title: string
  readonly cell: Recurrent['cell']
  readonly batch?: Size
  readonly time?: Size
  readonly features?: number
  readonly units?: number
  readonly sizes?: Readonly<Record<string, number>>
  readonly mask?: CaseInput
  readonly attributes?: Partial<Recurrent>
  readonly differentiate?: boolean
  readonly tolerance?: number
}

/** Symbolic sizes unless told: two sequences of three steps. */
const sizes = { B: 2, T: 3 }
const two = { B: 2, T: 2 }

function attributesOf({ cell, attributes, mask }: Variant): Recurrent {
  return { ...plain, cell, resetAfter: cell === 'gru', masked: mask !== undefined, ...attributes }
}

function forward(variant: Variant): CaseDeclaration<'recurrent'> {
  const { batch = 'B', time = 'T', features = 2, units = 2, mask, cell } = variant
  const attributes = attributesOf(variant)
  const columns = widths[cell].gates * units
  return {
    ...rest(variant),
    inputs: [
      normal([batch, time, features]),
      normal([features, columns], 0.7),
      normal([units, columns], 0.9 / Math.sqrt(units)),
      normal(attributes.resetAfter ? [2, columns] : [columns], 0.5),
      normal([batch, units]),
      ...(cell === 'lstm' ? [normal([batch, units])] : []),
      ...(mask === undefined ? [] : [mask]),
      ...(attributes.dropout ? [uniform([widths[cell].gates, batch, units], 0, 2)] : []),
    ],
    attributes,
  }
}

function backward(variant: Variant, sequences = true): CaseDeclaration<'recurrentGradient'> {
  const { batch = 'B', time = 'T', units = 2, mask, cell } = variant
  const { gates, kept } = widths[cell]
  return {
    ...rest(variant),
    inputs: [
      normal([units, gates * units], 0.9 / Math.sqrt(units)),
      normal([batch, units]),
      ...(cell === 'lstm' ? [normal([batch, units])] : []),
      ...(mask === undefined ? [] : [mask]),
      uniform([batch, time, units], -0.9, 0.9),
      ...(kept > 0 ? [uniform([batch, time, kept * units], 0.1, 0.9)] : []),
      ...(cell === 'lstm' ? [normal([batch, time, units])] : []),
      ...(sequences ? [normal([batch, time, units])] : []),
      normal([batch, units]),
      ...(cell === 'lstm' ? [normal([batch, units])] : []),
    ],
    attributes: { ...attributesOf(variant), sequences },
  }
}

function rest({ title, cell, sizes: own = sizes, differentiate, tolerance }: Variant) {
  return {
    title: `${cell}, ${title}`,
    sizes: own,
    ...(differentiate === undefined ? {} : { differentiate }),
    ...(tolerance === undefined ? {} : { tolerance }),
  }
}

const everyCell = ['simpleRnn', 'lstm', 'gru'] as const
/** A gap, a start that is left out, and a row of which nothing counts. */
const gaps = given('bool', ['B', 'T'], [1, 0, 1, 0, 1, 1, 0, 0, 0])
const large = { differentiate: false, tolerance: 1e-5, sizes: {} } as const

const shared: readonly Variant[] = everyCell.flatMap((cell): Variant[] => [
  { cell, title: 'plain' },
  { cell, title: 'backwards', attributes: { goBackwards: true } },
  { cell, title: 'masked', sizes: { B: 3, T: 3 }, features: 1, units: 1, mask: gaps },
  {
    cell,
    title: 'masked backwards',
    sizes: { B: 3, T: 3 },
    mask: gaps,
    attributes: { goBackwards: true },
    differentiate: false,
  },
  { cell, title: 'one step of one', batch: 1, time: 1, features: 1, units: 1, sizes: {} },
  { cell, title: 'no sequences', batch: 0, time: 3, sizes: {} },
  { cell, title: 'odd sizes', batch: 5, time: 7, features: 3, units: 13, ...large },
  { cell, title: 'whole tiles', batch: 16, time: 4, features: 8, units: 32, ...large },
  { cell, title: 'wide, masked', batch: 17, time: 6, units: 37, mask: bools([17, 6]), ...large },
])

export const recurrentCases = {
  recurrent: [
    ...shared.map(forward),
    ...everyCell.map((cell) => forward({ cell, title: 'no steps', batch: 2, time: 0, sizes: {} })),
    ...everyCell.map((cell) =>
      forward({ cell, title: 'dropout', attributes: { dropout: true }, differentiate: cell === 'gru' }),
    ),
    forward({ cell: 'gru', title: 'reset before', attributes: { resetAfter: false } }),
    forward({
      cell: 'lstm',
      title: 'other activations',
      attributes: { activation: 'softsign', recurrentActivation: 'softplus' },
    }),
    ...(['linear', 'sigmoid', 'hardSigmoid', 'relu', 'elu', 'selu', 'gelu', 'silu', 'exponential'] as const).map(
      (activation) =>
        forward({ cell: 'simpleRnn', title: activation, attributes: { activation }, differentiate: false }),
    ),
  ],
  recurrentGradient: [
    // Differences are slow: going backwards is differentiated above.
    ...shared.map((variant) =>
      backward(
        variant.attributes === undefined
          ? { ...variant, sizes: variant.sizes ?? two }
          : { ...variant, differentiate: false },
      ),
    ),
    ...everyCell.map((cell) => backward({ cell, title: 'last state only' }, false)),
  ],
} satisfies {
  readonly recurrent: readonly CaseDeclaration<'recurrent'>[]
  readonly recurrentGradient: readonly CaseDeclaration<'recurrentGradient'>[]
}
