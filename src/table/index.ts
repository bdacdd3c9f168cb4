// What a user of tables needs besides: expressions and aggregates.
export {
  anyValue,
  approxCountDistinct,
  approxQuantile,
  approxTopK,
  argMax,
  argMin,
  boolAnd,
  boolOr,
  call,
  col,
  collect,
  collectSet,
  correlation,
  count,
  countDistinct,
  countIf,
  covariance,
  covariancePop,
  cumeDist,
  currentDate,
  currentTimestamp,
  type DataType,
  type Datum,
  denseRank,
  entropy,
  Expr,
  type FillMethod,
  first,
  firstValue,
  grouping,
  histogram,
  type JoinType,
  type JsType,
  kurtosis,
  lag,
  last,
  lastValue,
  lead,
  list,
  lit,
  makeDate,
  makeTimestamp,
  mapOf,
  max,
  mean,
  median,
  min,
  mode,
  nthValue,
  ntile,
  parseCondition,
  percentRank,
  product,
  quantile,
  quantileDisc,
  rank,
  regressionIntercept,
  regressionR2,
  regressionSlope,
  rowNumber,
  type Scalar,
  sequence,
  skewness,
  type SortInput,
  stddev,
  stddevPop,
  stringJoin,
  struct,
  sum,
  sumIf,
  type TimeUnit,
  type Value,
  variance,
  variancePop,
  when,
  type WindowOptions,
} from '../plan/index.ts'
export { configureEngine, defaultEngine } from '../engines/index.ts'
export { dateFormatsOf } from '../sources/index.ts'
export type { OddValue, ReadOptions, ReadReport } from '../sources/index.ts'
export { fromArrow } from './arrow.ts'
export type { Chart, ChartKind } from '../charts/index.ts'
export * from './chart/types.ts'
export * from './contracts/index.ts'
export type {
  BatchColumns,
  BatchFunction,
  FlatMapFunction,
  MapFunction,
  MapOptions,
  MapRow,
  ModuleFunction,
} from './map/map.ts'
export * from './mining/index.ts'
export type { Association } from './associations.ts'
export { formatProfile, type ProfileTextOptions } from './profile-text.ts'
export * from './profile-types.ts'
export * from './read.ts'
export * from './role.ts'
export * from './show.ts'
export * from './table.ts'
export type { AnyRow, Columns, NoSuchColumn, RowObject, RowOf, SchemaOf } from './typed.ts'
export { type WriteMode, writeModes } from './atomic.ts'
export type { BinOptions, BinRule } from './verbs/bins.ts'
export type { ColumnInput } from './verbs/check.ts'
export type { CastOptions } from './verbs/columns.ts'
export type { AsOfOptions, JoinKeys, JoinOptions, Side } from './verbs/join.ts'
export type { DropNullOptions, FillOptions } from './verbs/missing.ts'
export type { GapFill, ResampleOptions } from './verbs/resample.ts'
export type { ExplodeOptions, PivotOptions, UnpivotOptions } from './verbs/reshape.ts'
export type { SampleOptions, SampleSize } from './verbs/rows.ts'
export type { SetOptions, UnionOptions } from './verbs/sets.ts'
export type { Ordered, RankMethod, RankOptions, RollingOptions } from './verbs/windows.ts'
export { type WriteFormat, writeFormats, type WriteOptions } from './write.ts'
