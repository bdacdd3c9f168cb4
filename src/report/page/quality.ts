import { barChart } from '../../charts/bar.ts'
import { formatCount, formatNumber, formatPercent } from '../../charts/format.ts'
import { heatmapChart } from '../../charts/heatmap.ts'
import { histogramChart } from '../../charts/histogram.ts'
import { lineChart } from '../../charts/line.ts'
import { scatterChart } from '../../charts/scatter.ts'
import type { Importance } from '../data.ts'
import type { ClassificationEvaluation, RegressionEvaluation } from '../evaluation.ts'
import { metricInfos } from '../evaluation.ts'
import { type Content, type Html, html, raw } from './html.ts'

/** Charts beside each other have this width in their own units. */
const half = 460
/** A matrix beyond this many classes is a list of its largest cells. */
const maxMatrix = 30
const maxCurves = 8

export function figure(caption: string, note: Content, svg: string, natural = false): Html {
  return html`<figure class="${natural ? 'natural' : ''}">
    <figcaption>${caption}<span>${note}</span></figcaption>
    <div class="scroll">${raw(svg)}</div>
  </figure>`
}

/** Where a classifier is right and wrong. */
export function classificationFigures(evaluation: ClassificationEvaluation): Html {
  const { classes } = evaluation
  return html`<div class="grid">
      ${classes.length <= maxMatrix ? confusionMatrix(evaluation) : ''} ${perClass(evaluation)}
      ${evaluation.roc.length > 0 ? curves(evaluation) : ''} ${calibration(evaluation)}
    </div>
    ${classes.length > 2 ? confusions(evaluation) : ''}`
}

function confusionMatrix({ classes, confusion }: ClassificationEvaluation): Html {
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0))
  const svg = heatmapChart(
    {
      rows: classes,
      columns: classes,
      values: confusion.map((row, i) => row.map((count) => (count === 0 && totals[i] === 0 ? null : count))),
      shade: (count, row) => count / Math.max(1, totals[row]!),
      isBad: (row, column) => row !== column,
      format: (count) => (count === 0 ? '' : formatNumber(count)),
    },
    {
      title: 'Confusion matrix',
      description: 'Rows are the actual classes, columns the predicted ones; each cell counts test rows.',
      width: half,
      xLabel: 'predicted',
      yLabel: 'actual',
    },
  )
  return figure('Confusion matrix', 'Counts of test rows. The darker, the larger the share of its row.', svg, true)
}

function perClass({ perClass }: ClassificationEvaluation): Html {
  const shown = perClass.toSorted((a, b) => a.f1 - b.f1).slice(0, 40)
  return html`<div>
    <h3>
      By class${perClass.length > shown.length ? html` <span class="muted">(the ${shown.length} hardest)</span>` : ''}
    </h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>class</th>
            <th class="n">rows</th>
            <th class="n">precision</th>
            <th class="n">recall</th>
            <th class="n">F1</th>
          </tr>
        </thead>
        <tbody>
          ${(perClass.length > 12 ? shown : perClass).map(
            ({ name, support, precision, recall, f1 }) =>
              html`<tr>
                <td>${name}</td>
                <td class="n">${formatCount(support)}</td>
                <td class="n">${formatPercent(precision)}</td>
                <td class="n">${formatPercent(recall)}</td>
                <td class="n">${f1.toFixed(3)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="muted small">
      Precision: of the rows predicted so, the share that are. Recall: of the rows that are, the share found.
    </p>
  </div>`
}

function curves({ roc, precisionRecall, perClass, classes, metrics, confusion }: ClassificationEvaluation): Content {
  const two = classes.length === 2
  const area = new Map(perClass.map(({ name, auc }) => [name, auc ?? 1]))
  const hardest = roc
    .toSorted((a, b) => area.get(a.name)! - area.get(b.name)!)
    .slice(0, maxCurves)
    .map(({ name }) => name)
  const some = roc.length > hardest.length ? ` The ${hardest.length} classes hardest to tell.` : ''
  const series = (all: typeof roc): { name: string; x: readonly number[]; y: readonly number[] }[] =>
    hardest.flatMap((name) => all.filter((each) => each.name === name).map(({ curve: { x, y } }) => ({ name, x, y })))
  const frame = { width: half, height: 340 }
  const unit = { xDomain: [0, 1], yDomain: [0, 1], points: false } as const
  const positive = confusion[1]?.reduce((sum, count) => sum + count, 0) ?? 0
  const share = positive / confusion.flat().reduce((sum, count) => sum + count, 0)
  const which = two ? `of “${classes[1]}”` : 'of each class against the rest'
  return [
    figure(
      'ROC curve',
      `How many ${which} are found, at the price of how many false alarms. Area ${metrics['auc']!.toFixed(3)}; the diagonal is chance.${some}`,
      lineChart(
        { series: series(roc), diagonal: true, ...unit },
        {
          ...frame,
          title: 'ROC curve',
          xLabel: 'false alarms (share of the others)',
          yLabel: 'found (share of the class)',
        },
      ),
    ),
    figure(
      'Precision and recall',
      `When more ${which} are to be found, how many of those predicted are right. ${two ? `Guessing has a precision of ${formatPercent(share)}.` : ''}${some}`,
      lineChart(
        { series: series(precisionRecall), ...unit },
        { ...frame, title: 'Precision-recall curve', xLabel: 'recall', yLabel: 'precision' },
      ),
    ),
  ]
}

function calibration({ calibration, classes }: ClassificationEvaluation): Content {
  if (calibration.length < 2) return ''
  // A bin of a few rows says nothing, and its point would draw the eye.
  const filled = calibration.filter(({ rows }) => rows >= 5)
  const points = filled.length < 3 ? calibration : filled
  const of = classes.length === 2 ? `“${classes[1]}”` : 'the predicted class'
  const largest = Math.max(...calibration.map(({ rows }) => rows))
  return [
    figure(
      'Calibration',
      `When the model says that ${of} has this probability, how often it is so. On the diagonal, probabilities can be taken at their word.`,
      lineChart(
        {
          series: [
            {
              name: 'observed',
              x: points.map(({ predicted }) => predicted),
              y: points.map(({ observed }) => observed),
            },
          ],
          diagonal: true,
          xDomain: [0, 1],
          yDomain: [0, 1],
          format: (value) => formatPercent(value, 0),
        },
        {
          title: 'Calibration curve',
          width: half,
          height: 340,
          xLabel: 'predicted probability',
          yLabel: 'observed share',
        },
      ),
    ),
    figure(
      'How sure it is',
      `Test rows by the predicted probability of ${of}; ${formatCount(largest)} in the fullest bin.`,
      histogramChart(histogramOf(calibration), {
        title: 'Distribution of predicted probabilities',
        width: half,
        height: 340,
        xLabel: 'predicted probability',
      }),
    ),
  ]
}

function histogramOf(bins: ClassificationEvaluation['calibration']): { edges: number[]; counts: number[] } {
  const edges = Array.from({ length: 11 }, (_, i) => i / 10)
  return {
    edges,
    counts: edges.slice(0, 10).map((low) => bins.find((bin) => Math.abs(bin.low - low) < 1e-9)?.rows ?? 0),
  }
}

function confusions({ classes, confusion }: ClassificationEvaluation): Content {
  const pairs = confusion
    .flatMap((row, i) =>
      row.map((count, j) => ({ actual: classes[i]!, predicted: classes[j]!, count, right: i === j })),
    )
    .filter(({ right, count }) => !right && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 8)
  if (pairs.length === 0) return ''
  return html`<h3 style="margin-top:24px">Most frequent confusions</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>actual</th>
            <th>predicted</th>
            <th class="n">rows</th>
          </tr>
        </thead>
        <tbody>
          ${pairs.map(
            ({ actual, predicted, count }) =>
              html`<tr>
                <td>${actual}</td>
                <td>${predicted}</td>
                <td class="n">${formatCount(count)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

/** How far a regression is off, and where. */
export function regressionFigures(target: string, evaluation: RegressionEvaluation): Html {
  const { points, rows, residuals, residualHistogram } = evaluation
  const shown =
    points.length < rows ? ` ${formatCount(points.length)} of ${formatCount(rows)} rows, drawn at random.` : ''
  const actual = points.map((point) => point.actual)
  const predicted = points.map((point) => point.predicted)
  const errors = points.map((point) => point.predicted - point.actual)
  const frame = { width: half, height: 360 }
  return html`<div class="grid">
    ${figure(
      'Predicted and actual',
      `On the dashed line a prediction is exact.${shown}`,
      scatterChart(
        { series: [{ name: target, x: actual, y: predicted }], reference: 'equal' },
        {
          ...frame,
          title: 'Predicted against actual values',
          xLabel: `actual ${target}`,
          yLabel: `predicted ${target}`,
        },
      ),
    )}
    ${figure(
      'Errors by prediction',
      `Predicted minus actual. A pattern here is something the model has not learnt.${shown}`,
      scatterChart(
        { series: [{ name: 'error', x: predicted, y: errors }], reference: 'zero' },
        { ...frame, title: 'Errors against predictions', xLabel: `predicted ${target}`, yLabel: 'error' },
      ),
    )}
    ${figure(
      'Distribution of errors',
      'Predicted minus actual; what lies beyond counts in the outermost bins.',
      histogramChart(
        { ...residualHistogram, zero: true },
        { ...frame, title: 'Distribution of errors', xLabel: 'error' },
      ),
    )}
    <div>
      <h3>How large errors are</h3>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>share of rows</th>
              <th class="n">error is below</th>
            </tr>
          </thead>
          <tbody>
            ${residuals.map(
              ({ quantile, value }) =>
                html`<tr>
                  <td>${formatPercent(quantile, 0)}</td>
                  <td class="n">${formatNumber(value)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </div>
  </div>`
}

const maxImportances = 20

/** What the model relies on. */
export function importanceFigure({ metric, repeats, features }: Importance): Html {
  const sorted = features.toSorted((a, b) => b.mean - a.mean)
  const shown = sorted.slice(0, maxImportances)
  const label = metricInfos[metric]?.label ?? metric
  const useless = sorted.filter(({ mean, deviation }) => mean <= deviation).length
  const strongest = shown[0]
  const harm = `${metricInfos[metric]?.larger === true ? 'drop' : 'rise'} of ${label}`
  const note = html`How much worse the ${label} gets when one feature's values are shuffled among the test rows (mean of
  ${repeats}; lines show the spread).
  ${strongest !== undefined && strongest.mean > 0 ? html`Most depends on <strong>${strongest.name}</strong>.` : ''}
  ${useless > 0 ? `${useless} of ${sorted.length} make no clear difference on their own.` : ''}`
  return html`<p class="muted">${note}</p>
    <figure class="broad">
      <div class="scroll">
        ${raw(
          barChart(
            {
              labels: shown.map(({ name }) => name),
              series: [{ name: label, values: shown.map(({ mean }) => mean) }],
              errors: shown.map(({ deviation }) => deviation),
            },
            { title: 'Permutation importance of the features', width: 860, xLabel: harm },
          ),
        )}
      </div>
    </figure>
    ${
      sorted.length > shown.length
        ? html`<details>
            <summary>The other ${sorted.length - shown.length} features</summary>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>feature</th>
                    <th class="n">${harm}</th>
                    <th class="n">spread</th>
                  </tr>
                </thead>
                <tbody>
                  ${sorted.slice(maxImportances, 500).map(
                    ({ name, mean, deviation }) =>
                      html`<tr>
                        <td>${name}</td>
                        <td class="n">${formatNumber(mean)}</td>
                        <td class="n">${formatNumber(deviation)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
          </details>`
        : ''
    }`
}
