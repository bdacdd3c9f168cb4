import { atOnce, type Steps } from '../../core/index.ts'
import { formatDate } from '../../charts/format.ts'
import type { ReportData } from '../data.ts'
import { headline, metricTable, tiles, verdict } from './answer.ts'
import { html } from './html.ts'
import {
  featuresPart,
  lineagePart,
  modelPart,
  profilePart,
  questionPart,
  reproducePart,
  trainingPart,
  worstPart,
} from './parts.ts'
import { classificationFigures, importanceFigure, regressionFigures } from './quality.ts'
import { type Part, shell } from './shell.ts'

/**
 * The report as one self-contained page: no address outside it, light and dark, printable. Whatever names, values and
 * texts the data brings are escaped, and the page forbids itself any script but its own.
 */
export function renderReport(data: ReportData): string {
  return atOnce(reportSteps(data))
}

/** The same in steps. */
export function* reportSteps(data: ReportData): Steps<string> {
  const parts = yield* partsOf(data)
  return shell({
    title: data.title,
    kind: 'report',
    kicker: `${data.evaluation.kind === 'classification' ? 'Classification' : 'Regression'} · ${formatDate(Date.parse(data.generated))} UTC`,
    lead: headline(data),
    head: [verdict(data.evaluation), tiles(data.evaluation)],
    notes: data.notes,
    parts,
    footer: 'Made by Fathom. Intervals are 95 % bootstrap intervals over the test rows.',
  })
}

function* partsOf(data: ReportData): Steps<Part[]> {
  const { evaluation, question, importance, worst, profile, features, model, training, lineage, reproduce } = data
  const parts: Part[] = [{ id: 'question', title: 'Question', content: questionPart(question, data.rows) }]
  const figures =
    evaluation.kind === 'classification'
      ? classificationFigures(evaluation)
      : regressionFigures(question.target, evaluation)
  const table = html`<details>
    <summary>All metrics and what they say</summary>
    ${metricTable(evaluation)}
  </details>`
  yield
  parts.push({ id: 'quality', title: 'Right and wrong', content: [figures, table], long: true })
  if (importance !== undefined && importance.features.length > 0) {
    parts.push({ id: 'importance', title: 'What it relies on', content: importanceFigure(importance) })
  }
  yield
  if (worst !== undefined && worst.length > 0) {
    parts.push({ id: 'worst', title: 'Worst errors', content: worstPart(worst), long: true })
  }
  yield
  if (profile !== undefined) parts.push({ id: 'data', title: 'Data', content: profilePart(profile), long: true })
  yield
  if (features !== undefined && features.length > 0) {
    parts.push({ id: 'features', title: 'Features', content: featuresPart(features), long: true })
  }
  if (model !== undefined) parts.push({ id: 'model', title: 'Model', content: modelPart(model), long: true })
  if (training !== undefined && training.epochs.length > 0) {
    parts.push({ id: 'training', title: 'Training', content: trainingPart(training) })
  }
  yield
  if (lineage !== undefined || reproduce !== undefined) {
    const content = [
      lineage === undefined ? '' : lineagePart(lineage),
      reproduce === undefined ? '' : reproducePart(reproduce),
    ]
    parts.push({ id: 'lineage', title: 'Lineage', content, long: true })
  }
  return parts
}
