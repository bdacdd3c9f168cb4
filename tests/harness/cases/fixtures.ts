import { readFileSync, readdirSync } from 'node:fs'
import { type DType, Tensor, type TypedArray, typedArray } from '../../../src/core/index.ts'
import type { OpAttributes, OpName } from '../../../src/graph/index.ts'
import { type OpCase, given } from '../op.ts'

interface TensorJson {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly values: readonly (number | string)[]
}
interface FixtureJson {
  readonly op: OpName
  readonly title: string
  readonly attributes: OpAttributes[OpName]
  readonly inputs: readonly TensorJson[]
  readonly outputs: readonly TensorJson[]
  readonly cotangents: readonly (TensorJson | null)[]
  readonly gradients: readonly (TensorJson | null)[]
}

function tensorOf({ dtype, shape, values }: TensorJson): Tensor {
  const data: TypedArray = typedArray(dtype, values.length)
  values.forEach((value, i) => {
    data[i] = Number(value)
  })
  return new Tensor(dtype, shape, data)
}

const folder = new URL('../../fixtures/ops/', import.meta.url)

/** What PyTorch computed: see scripts/fixtures/ops.py. */
export const fixtureCases: readonly OpCase[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) => (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: FixtureJson[] }).cases)
  .map(({ op, title, attributes, inputs, outputs, cotangents, gradients }) => ({
    op,
    title: `${title} (PyTorch)`,
    sizes: {},
    attributes: () => attributes,
    inputs: inputs.map(({ dtype, shape, values }) => given(dtype, shape, values.map(Number))),
    expected: {
      outputs: outputs.map(tensorOf),
      cotangents: cotangents.map((each) => (each === null ? undefined : tensorOf(each))),
      gradients: gradients.map((each) => (each === null ? undefined : tensorOf(each))),
    },
    // The fixtures go to kinks and ties on purpose.
    differentiate: false,
  }))
