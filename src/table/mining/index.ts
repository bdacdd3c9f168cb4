export { type FeatureOptions, type FeatureState, type Scaling } from './features.ts'
export { KMeans, kMeans, type KMeansOptions } from './kmeans.ts'
export { type KnnOptions, knnPredict, type Metric, nearestNeighbors, type NeighborOptions } from './neighbors.ts'
export { Pca, pca, type PcaOptions } from './pca.ts'
export {
  LinearRegression,
  linearRegression,
  type LinearOptions,
  LogisticRegression,
  logisticRegression,
  type LogisticOptions,
} from './regression.ts'
export { type AssociationRules, associationRules, type RuleOptions } from './rules.ts'
export { decisionTree, type ForestOptions, randomForest, type TreeOptions, Trees } from './trees.ts'
