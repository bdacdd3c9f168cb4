import { OptionError } from '../core/index.ts'
import { FittedFeatures } from './features.ts'
import { featureSource, type SourceInput } from './input.ts'
import { type FeatureState, transforms } from './registry.ts'
import type { FeatureSource } from './source.ts'
import { fitTarget } from './target.ts'
import type { Transform } from './transform.ts'
import { type FeatureKind, featureKinds, type FeatureSetSpec, type FeatureSpec } from './types.ts'

/**
 * Fits features on a table or batches that hold the training part and nothing else. Features of one kind share queries.
 * @throws OptionError when there are no features; NotFoundError for a column that is not there; DataError when nothing
 * can be learned from the target.
 */
export async function fitFeatures(input: SourceInput, spec: FeatureSetSpec): Promise<FittedFeatures> {
  const source = await featureSource(input)
  if (spec.features.length === 0) {
    throw new OptionError({
      operation: 'fit features',
      problem: 'no column is left to learn from',
      hint: 'Keep a column by giving it a role',
    })
  }
  const target = spec.target === undefined ? undefined : await fitTarget(source, spec.target)
  const states = new Map<FeatureSpec, FeatureState>()
  for (const kind of featureKinds) await fitKind(kind, source, spec.features, states)
  return new FittedFeatures(
    spec.features.map((feature) => states.get(feature)!),
    target,
  )
}

async function fitKind(
  kind: FeatureKind,
  source: FeatureSource,
  features: readonly FeatureSpec[],
  states: Map<FeatureSpec, FeatureState>,
): Promise<void> {
  const specs = features.filter((feature) => feature.kind === kind)
  if (specs.length === 0) return
  // The table's entry for a kind takes that kind's specs, which indexing by a union cannot say.
  const fit = transforms[kind].fit as unknown as (
    source: FeatureSource,
    specs: readonly FeatureSpec[],
  ) => ReturnType<Transform<FeatureKind, FeatureState>['fit']>
  const fitted = await fit(source, specs)
  specs.forEach((spec, i) => states.set(spec, fitted[i]!))
}
