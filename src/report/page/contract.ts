import { type CheckResult, type ContractReport, exampleText, summaryOf } from '../../table/index.ts'
import { formatCount, formatDate, formatPercent, formatSeconds } from '../../charts/format.ts'
import { type Content, type Html, html } from './html.ts'
import { figureTiles, type Part, shell } from './shell.ts'

/** What the page says beside the report. */
export interface ContractPageOptions {
  /** The files that were checked. */
  readonly inputs: readonly string[]
  /** ISO 8601. */
  readonly generated: string
}

/** A contract's report as a page of the house's style. */
export function renderContractReport(report: ContractReport, { inputs, generated }: ContractPageOptions): string {
  const broken = report.results.filter(({ passed }) => !passed)
  const kept = report.results.filter(({ passed }) => passed)
  const errors = broken.filter(({ severity }) => severity === 'error')
  const warnings = broken.filter(({ severity }) => severity === 'warn')
  const parts: Part[] = []
  if (errors.length > 0) parts.push({ id: 'errors', title: 'Broken', content: table(errors), long: true })
  if (warnings.length > 0) parts.push({ id: 'warnings', title: 'Warnings', content: table(warnings), long: true })
  if (kept.length > 0) parts.push({ id: 'kept', title: 'Kept', content: table(kept), long: true })
  return shell({
    title: report.name ?? 'contract',
    kind: 'contract',
    kicker: `Contract · ${formatDate(Date.parse(generated))} UTC`,
    lead: html`<strong class="${report.passed ? 'good' : 'bad'}">${report.passed ? 'Kept' : 'Broken'}</strong>:
      ${summaryOf(report)}.`,
    head: figureTiles([
      { name: 'rows', value: formatCount(report.rows), note: inputs.join(', ') },
      { name: 'checks', value: formatCount(report.results.length), note: `in ${formatSeconds(report.seconds)}` },
      { name: 'broken', value: formatCount(report.errors) },
      { name: 'warnings', value: formatCount(report.warnings) },
    ]),
    parts,
    footer: 'Made by Fathom.',
  })
}

function table(results: readonly CheckResult[]): Html {
  return html`<div class="scroll">
    <table class="wide">
      <thead>
        <tr>
          <th></th>
          <th>promise</th>
          <th>found</th>
          <th class="n">failing rows</th>
          <th class="n">share</th>
        </tr>
      </thead>
      <tbody>
        ${results.map(row)}
      </tbody>
    </table>
  </div>`
}

function row(result: CheckResult): Html {
  const { passed, severity, expected, found, failing, share, because } = result
  const mark = passed
    ? html`<span class="good">✓</span>`
    : html`<span class="bad">${severity === 'error' ? '✗' : '!'}</span>`
  return html`<tr>
    <td>${mark}</td>
    <td>${expected}${because === undefined ? '' : html`<div class="muted small">because ${because}</div>`}</td>
    <td>${found}${examples(result)}</td>
    <td class="n">${failing === undefined || failing === 0 ? '' : formatCount(failing)}</td>
    <td class="n">${share === undefined || share === 0 ? '' : formatPercent(share)}</td>
  </tr>`
}

function examples({ examples }: CheckResult): Content {
  if (examples.length === 0) return ''
  return html`<div class="mono muted small">${examples.map((each) => html`<div>${exampleText(each)}</div>`)}</div>`
}
