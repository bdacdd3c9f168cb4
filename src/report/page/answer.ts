import { formatCount, formatNumber, formatPercent } from '../../charts/format.ts'
import type { ReportData } from '../data.ts'
import {
  type ClassificationEvaluation,
  type Evaluation,
  type RegressionEvaluation,
  metricInfos,
} from '../evaluation.ts'
import { type Html, html } from './html.ts'

const unitless = {
  auc: true,
  averagePrecision: true,
  f1: true,
  macroF1: true,
  weightedF1: true,
  logLoss: true,
  brier: true,
  r2: true,
}

/** A metric's value as people read it. */
export function formatMetric(name: string, value: number): string {
  if (metricInfos[name]?.percent === true) return formatPercent(value)
  // Figures without a unit, mostly between 0 and 1: three digits say all that the test rows support.
  return name in unitless && Math.abs(value) < 10 ? value.toFixed(3) : formatNumber(value)
}

/** The result in words: how good, how sure, and beside what. */
export function headline({ question, evaluation }: ReportData): Html {
  return evaluation.kind === 'classification'
    ? classificationWords(question.target, evaluation)
    : regressionWords(question.target, evaluation)
}

function classificationWords(target: string, evaluation: ClassificationEvaluation): Html {
  const { rows, classes, metrics, intervals, baseline } = evaluation
  const pair = classes.length === 2 ? 'one row of each class' : 'a row of one class and a row of another'
  const { auc, expectedCalibrationError: gap } = metrics
  const ranking =
    auc === undefined
      ? ''
      : html` Shown ${pair}, it tells them apart <strong>${formatPercent(auc)}</strong> of the time (AUC).`
  const calibration =
    gap === undefined
      ? ''
      : html` Its probabilities are
        ${gap < 0.03 ? 'well calibrated' : gap < 0.08 ? 'roughly calibrated' : 'not well calibrated'}: off by
        ${formatPercent(gap)} on average.`
  return html`On ${formatCount(rows)} rows it had not seen, the model predicts <strong>${target}</strong> right for
    <strong>${formatPercent(metrics['accuracy']!)}</strong>${range('accuracy', intervals['accuracy'])}, where
    ${baseline.description} is right for ${formatPercent(baseline.metrics['accuracy']!)}.${ranking}${calibration}`
}

function regressionWords(target: string, { rows, metrics, intervals, baseline }: RegressionEvaluation): Html {
  const { r2, mae, medianAbsoluteError: median } = metrics
  const explained =
    r2 === undefined
      ? ''
      : r2 > 0
        ? html` It explains <strong>${formatPercent(r2)}</strong> of the variance.`
        : html` It explains none of the variance: the mean is the better guess.`
  return html`On ${formatCount(rows)} rows it had not seen, the model's <strong>${target}</strong> is off by
    <strong>${formatNumber(mae!)}</strong> on average${range('mae', intervals['mae'])}, where ${baseline.description} is
    off by ${formatNumber(baseline.metrics['mae']!)}. Half of the predictions are closer than
    ${formatNumber(median!)}.${explained}`
}

function range(name: string, interval: readonly [number, number] | undefined): Html | string {
  if (interval === undefined) return ''
  return html` <span class="muted"
    >(95 % interval ${formatMetric(name, interval[0])} to ${formatMetric(name, interval[1])})</span
  >`
}

/** Whether the model beats the baseline beyond chance, as a badge. */
export function verdict({ kind, intervals, baseline }: Evaluation): Html | undefined {
  const name = kind === 'classification' ? 'accuracy' : 'rmse'
  const interval = intervals[name]
  const base = baseline.metrics[name]
  if (interval === undefined || base === undefined) return undefined
  const better = kind === 'classification' ? interval[0] > base : interval[1] < base
  const worse = kind === 'classification' ? interval[1] < base : interval[0] > base
  if (better) return html`<span class="badge good">clearly better than the baseline</span>`
  if (worse) return html`<span class="badge bad">worse than the baseline</span>`
  return html`<span class="badge muted">not clearly better than the baseline</span>`
}

const tileNames = {
  classification: ['accuracy', 'balancedAccuracy', 'auc', 'f1', 'macroF1', 'logLoss', 'expectedCalibrationError'],
  regression: ['rmse', 'mae', 'medianAbsoluteError', 'r2', 'mape'],
} as const

/** The figures that matter most, each with its interval and the baseline's where it has one. */
export function tiles({ kind, metrics, intervals, baseline }: Evaluation): Html {
  const names = tileNames[kind].filter(
    (name) => metrics[name] !== undefined && !(name === 'macroF1' && 'f1' in metrics),
  )
  return html`<div class="tiles">
    ${names.map((name) => {
      const interval = intervals[name]
      const base = baseline.metrics[name]
      return html`<div class="tile" title="${metricInfos[name]!.meaning}">
        <div class="name">${metricInfos[name]!.label}</div>
        <div class="value">${formatMetric(name, metrics[name]!)}</div>
        <div class="range">
          ${interval === undefined ? '' : `${formatMetric(name, interval[0])} – ${formatMetric(name, interval[1])}`}
          ${base === undefined ? '' : html`<br />baseline ${formatMetric(name, base)}`}
        </div>
      </div>`
    })}
  </div>`
}

/** Every metric with its meaning. */
export function metricTable({ metrics, intervals, baseline }: Evaluation): Html {
  const rows = Object.keys(metricInfos).filter((name) => metrics[name] !== undefined)
  return html`<div class="scroll">
    <table class="wide">
      <thead>
        <tr>
          <th>metric</th>
          <th class="n">value</th>
          <th class="n">95 % interval</th>
          <th class="n">baseline</th>
          <th>what it says</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((name) => {
          const interval = intervals[name]
          const base = baseline.metrics[name]
          return html`<tr>
            <td>${metricInfos[name]!.label}</td>
            <td class="n">${formatMetric(name, metrics[name]!)}</td>
            <td class="n">
              ${interval === undefined ? '' : `${formatMetric(name, interval[0])} – ${formatMetric(name, interval[1])}`}
            </td>
            <td class="n">${base === undefined ? '' : formatMetric(name, base)}</td>
            <td class="muted">
              ${metricInfos[name]!.meaning} ${metricInfos[name]!.larger ? 'Larger is better.' : 'Smaller is better.'}
            </td>
          </tr>`
        })}
      </tbody>
    </table>
  </div>`
}
