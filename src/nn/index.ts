export { type Activation, type ActivationName, activate, activations } from './activations.ts'
export * from './callbacks/index.ts'
export type {
  AnyLayerType,
  CallContext,
  CommonOptions,
  FloatType,
  Layer,
  LayerInput,
  LayerType,
  SymbolicTensor,
} from './contracts.ts'
export { type Fans, type Initializer, type InitializerObject, initialize, initializers } from './initializers.ts'
export { type LayerDefinition, defineLayer } from './layer.ts'
export * from './layers/index.ts'
export {
  type Loss,
  type LossFunction,
  type LossName,
  type LossOptions,
  type LossReduction,
  alignLabels,
  alignTarget,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  cosineSimilarity,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  logCosh,
  losses,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  quantileLoss,
  reduceLoss,
  sparseCategoricalCrossentropy,
} from './losses/index.ts'
export {
  type Metric,
  type MetricName,
  accuracy,
  auc,
  binaryAccuracy,
  categoricalAccuracy,
  f1Score,
  logLoss,
  meanMetric,
  metrics,
  precision,
  r2Score,
  recall,
  rootMeanSquaredError,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
} from './metrics/index.ts'
export type { InputConfig, LayerConfig, ModelConfig } from './model/config.ts'
export {
  type CompileOptions,
  type ModelOptions,
  type PredictOptions,
  Model,
  model,
  modelFromJSON,
  sequential,
} from './model/model.ts'
export type { ParameterCounts } from './model/summary.ts'
export * from './optimizers/index.ts'
export {
  type OptionRule,
  type OptionRules,
  anyInteger,
  boolean,
  either,
  finite,
  listOf,
  notNegative,
  oneOf,
  optional,
  pairOf,
  positive,
  positiveInteger,
  rate,
  required,
} from './options.ts'
export type { Regularizer } from './regularizers.ts'
export * from './schedules.ts'
export { type BagInputOptions, type InputOptions, bagInput, fixed, input } from './symbolic.ts'
export type {
  ArrayData,
  Callback,
  CallbackState,
  CheckpointOptions,
  EpochRecord,
  FitContext,
  FitData,
  FitOptions,
  History,
  Json,
  Logs,
  TrainingState,
} from './training/contracts.ts'
export type { Plan } from './training/plan.ts'
export type { ProfileOptions as StepProfileOptions } from './training/profile.ts'
export { Variable, type WeightSpec } from './variable.ts'
