export { type CategoryState, categoryIds } from './category.ts'
export type { DateState } from './date.ts'
export {
  type ApplyOptions,
  type EncodedExamples,
  type FeatureDescription,
  FittedFeatures,
  targetField,
} from './features.ts'
export { fitFeatures } from './fit.ts'
export { encodePixels, imageStateOf } from './image/pixels.ts'
export type { ImageState } from './image/state.ts'
export { ColumnIssues, EncodingReport } from './issues.ts'
export { memorySource } from './memory-source.ts'
export type { NumericState } from './numeric.ts'
export { encodePixelExamples, fitPixels, type Pixels } from './pixels.ts'
export { batchOfRows, columnOf } from './rows.ts'
export { type FeatureState, type StateOf, transforms } from './registry.ts'
export type { FeatureSource, Frequencies, NumericStatistics } from './source.ts'
export type { Json, PackedState } from './state.ts'
export {
  classLabels,
  type ClassTargetState,
  decodeNumbers,
  type Label,
  type NumberTargetState,
  type TargetState,
} from './target.ts'
export { logCountRatios, type RatioOptions } from './text/ratios.ts'
export { tokenIds } from './text/sequence.ts'
export { defaultTerms, explainText, type TextState, type TextTerm } from './text/text.ts'
export { tokenize } from './text/tokenize.ts'
export * from './types.ts'
export {
  type ColumnDecision,
  type ColumnRole,
  columnRoles,
  inferFeatures,
  type InferOptions,
  type InferredFeatures,
} from './infer.ts'
export { type ColumnSummary, summarize } from './summary.ts'
export { type Queryable, tableSource } from './table-source.ts'
export { chooseFeatures } from './choose.ts'
export { featureSource, type SourceInput } from './input.ts'
export { findLeaks, type Leak } from './leaks.ts'
