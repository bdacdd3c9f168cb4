// What a user of tables needs besides: expressions and aggregates.
export {
  anyValue,
  approxCountDistinct,
  approxQuantile,
  call,
  col,
  collect,
  correlation,
  count,
  countDistinct,
  Expr,
  first,
  lit,
  max,
  mean,
  median,
  min,
  mode,
  parseCondition,
  quantile,
  stddev,
  sum,
  variance,
  when,
} from '../plan/index.ts'
export { configureEngine, defaultEngine } from '../engines/index.ts'
export type { OddValue, ReadOptions, ReadReport } from '../sources/index.ts'
export * from './contracts/index.ts'
export * from './profile-types.ts'
export * from './read.ts'
export * from './role.ts'
export * from './show.ts'
export * from './table.ts'
export type { WriteOptions } from './write.ts'
