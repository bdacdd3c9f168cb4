import type { FieldSignature } from '../../features/index.ts'
import { imageLearner } from './image.ts'
import type { Learner } from './learner.ts'
import { tabularLearner } from './tabular.ts'
import { textLearner } from './text.ts'

export type { BuiltModel, FoldPlan, Learner, LearnerInput } from './learner.ts'

/** What columns were taken for decides the family of models, and how much is held back to stop by. */
export interface Family {
  readonly name: 'image' | 'text' | 'tabular'
  readonly learner: Learner
  /** What `model` may name. */
  readonly models: readonly string[]
  /** Of the rows to train on. */
  readonly validationShare: (rows: number, attention: boolean) => number
}

const families: { readonly [K in Family['name']]: Family } = {
  // A validation part of some thousand pictures is enough.
  image: {
    name: 'image',
    learner: imageLearner,
    models: ['residual', 'cnn'],
    validationShare: (rows) => Math.min(0.1, Math.max(0.02, 1500 / rows)),
  },
  // The bag of n-grams is a convex problem on a fixed schedule: it needs no rows to stop by.
  text: {
    name: 'text',
    learner: textLearner,
    models: ['bag', 'attention'],
    validationShare: (_, attention) => (attention ? 0.1 : 0),
  },
  // The ensemble's members validate each other.
  tabular: { name: 'tabular', learner: tabularLearner, models: ['mlp'], validationShare: () => 0 },
}

export function familyOfRoles(roles: readonly string[]): Family {
  if (roles.includes('image')) return families.image
  const inputs = roles.filter((role) => role !== 'drop' && role !== 'target')
  return inputs.length > 0 && inputs.every((role) => role === 'text') ? families.text : families.tabular
}

export function familyOfFields(fields: readonly FieldSignature[]): Family {
  if (fields.some((field) => field.kind === 'dense' && field.dtype === 'uint8')) return families.image
  const isText = (field: FieldSignature) =>
    field.kind === 'bag' || (field.dtype === 'int32' && field.name.startsWith('tokens'))
  return fields.every(isText) ? families.text : families.tabular
}
