import { createHash } from 'node:crypto'
import { atOnce, type Steps } from '../../core/index.ts'
import { formatDate } from '../../charts/format.ts'
import type { ReportData } from '../data.ts'
import { headline, metricTable, tiles, verdict } from './answer.ts'
import { type Content, type Html, html, raw } from './html.ts'
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
import { script, style } from './style.ts'

interface Part {
  readonly id: string
  readonly title: string
  readonly content: Content
  /** May be split over printed pages. */
  readonly long?: boolean
}

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
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="generator" content="Fathom" />
        <title>${data.title} · Fathom report</title>
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <nav aria-label="Sections">
          <div>
            <b>${data.title}</b>${parts.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}<button
              id="theme"
              type="button"
              hidden
            >
              Dark
            </button>
          </div>
        </nav>
        <header>
          <div>
            <p class="kicker">
              ${data.evaluation.kind === 'classification' ? 'Classification' : 'Regression'} ·
              ${formatDate(Date.parse(data.generated))} UTC
            </p>
            <h1>${data.title}</h1>
            <p class="lead">${headline(data)}</p>
            ${verdict(data.evaluation)} ${tiles(data.evaluation)}
          </div>
        </header>
        <main>${notes(data.notes)} ${parts.map(section)}</main>
        <footer>Made by Fathom. Intervals are 95 % bootstrap intervals over the test rows.</footer>
        ${raw(`<script>${script}</script>`)}
      </body>
    </html> `
  return page.text
}

function section({ id, title, content, long }: Part): Html {
  return html`<section id="${id}" class="${long === true ? 'long' : ''}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section> `
}

function notes(list: readonly string[] | undefined): Content {
  if (list === undefined || list.length === 0) return ''
  return html`<aside class="notes" aria-labelledby="notes-title">
    <h2 id="notes-title">To know</h2>
    <ul>
      ${list.map((note) => html`<li>${note}</li>`)}
    </ul>
  </aside>`
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
