import type { ClassificationEvaluation } from './classification.ts'
import type { RegressionEvaluation } from './regression.ts'

export * from './classification.ts'
export * from './regression.ts'
export type { BootstrapOptions, Intervals } from './bootstrap.ts'
export type { Curve } from './ranking.ts'

export type Evaluation = ClassificationEvaluation | RegressionEvaluation

export interface MetricInfo {
  /** For people: "log loss". */
  readonly label: string
  /** Whether a larger value is better. */
  readonly larger: boolean
  /** How it is written: a share as a percentage, or a number. */
  readonly percent: boolean
  /** What it says, in one sentence. */
  readonly meaning: string
}

/** Every metric that evaluations hold, in the order in which they are shown. */
export const metricInfos: Readonly<Record<string, MetricInfo>> = {
  accuracy: { label: 'accuracy', larger: true, percent: true, meaning: 'Share of rows predicted right.' },
  balancedAccuracy: {
    label: 'balanced accuracy',
    larger: true,
    percent: true,
    meaning: 'Mean over the classes of the share predicted right: rare classes count as much as frequent ones.',
  },
  auc: {
    label: 'AUC',
    larger: true,
    percent: false,
    meaning: 'How often a row of the class is ranked above one that is not of it. 0.5 is chance.',
  },
  averagePrecision: {
    label: 'average precision',
    larger: true,
    percent: false,
    meaning: 'Area under the precision-recall curve.',
  },
  precision: {
    label: 'precision',
    larger: true,
    percent: true,
    meaning: 'Of the rows predicted positive, the share that are.',
  },
  recall: { label: 'recall', larger: true, percent: true, meaning: 'Of the positive rows, the share that were found.' },
  f1: { label: 'F1', larger: true, percent: false, meaning: 'Harmonic mean of precision and recall.' },
  macroF1: { label: 'macro F1', larger: true, percent: false, meaning: 'Mean F1 over the classes.' },
  weightedF1: {
    label: 'weighted F1',
    larger: true,
    percent: false,
    meaning: 'Mean F1 over the classes, by their rows.',
  },
  logLoss: {
    label: 'log loss',
    larger: false,
    percent: false,
    meaning: 'Mean surprise at what came true: small when probabilities are right, large when sure and wrong.',
  },
  brier: { label: 'Brier score', larger: false, percent: false, meaning: 'Mean squared error of the probabilities.' },
  expectedCalibrationError: {
    label: 'calibration error',
    larger: false,
    percent: true,
    meaning: 'How far predicted probabilities are from what came true, on average.',
  },
  rmse: {
    label: 'RMSE',
    larger: false,
    percent: false,
    meaning: "Root mean squared error, in the target's own unit: large errors weigh more.",
  },
  mae: { label: 'MAE', larger: false, percent: false, meaning: "Mean absolute error, in the target's own unit." },
  medianAbsoluteError: {
    label: 'median error',
    larger: false,
    percent: false,
    meaning: 'Half of the predictions are closer than this.',
  },
  r2: {
    label: 'R²',
    larger: true,
    percent: false,
    meaning: "Share of the target's variance that is explained. 0 is predicting the mean.",
  },
  mape: {
    label: 'MAPE',
    larger: false,
    percent: true,
    meaning: 'Mean absolute error as a share of the actual value.',
  },
}
