import { z } from 'zod'

import { category, categoryState } from './category.ts'
import { date, dateState } from './date.ts'
import { image } from './image/image.ts'
import { imageState } from './image/state.ts'
import { numeric, numericState } from './numeric.ts'
import { keywords, keywordsState } from './text/keywords.ts'
import { textSequence, textSequenceState } from './text/sequence.ts'
import { text, textState } from './text/text.ts'
import type { Transform } from './transform.ts'
import type { FeatureKind } from './types.ts'

/** What each kind of feature is once fitted. */
export const featureState = z.discriminatedUnion('kind', [
  numericState,
  categoryState,
  dateState,
  keywordsState,
  textState,
  textSequenceState,
  imageState,
])
export type FeatureState = z.infer<typeof featureState>
export type StateOf<K extends FeatureKind> = Extract<FeatureState, { readonly kind: K }>

/** Every kind of feature. A new one is a file, a state above and a line here. */
export const transforms: { readonly [K in FeatureKind]: Transform<K, StateOf<K>> } = {
  numeric,
  category,
  date,
  keywords,
  text,
  textSequence,
  image,
}
