import { barChart } from '../../charts/bar.ts'
import { formatCount, formatDate, formatNumber, formatPercent } from '../../charts/format.ts'
import { correlationData, heatmapChart } from '../../charts/heatmap.ts'
import type { Association, ColumnProfile as TableColumn, TableProfile } from '../../table/index.ts'
import type { ColumnProfile, DataProfile, Distribution } from '../data.ts'
import { type Content, type Html, html } from './html.ts'
import { profilePart } from './parts.ts'
import { figure } from './quality.ts'
import { figureTiles, type Part, shell } from './shell.ts'

export interface ProfilePageOptions {
  /** What the table is called. */
  readonly title: string
  /** ISO 8601. */
  readonly generated: string
}

/** A table's profile as a page of the house's style. */
export function renderProfile(profile: TableProfile, { title, generated }: ProfilePageOptions): string {
  const { rows, columns, duplicates, associations = [], target, comparison } = profile
  const missing = columns.reduce((sum, column) => sum + column.missing, 0)
  const cells = rows * columns.length
  const parts: Part[] = [{ id: 'columns', title: 'Columns', content: profilePart(dataProfile(profile)), long: true }]
  if (target !== undefined)
    parts.push({ id: 'target', title: `What goes with ${target}`, content: targetPart(profile, target) })
  if (associations.length > 0)
    parts.push({ id: 'relations', title: 'What goes together', content: relationsPart(profile), long: true })
  const outliers = outliersPart(columns)
  if (outliers !== undefined) parts.push({ id: 'outliers', title: 'Outliers', content: outliers, long: true })
  if (comparison !== undefined)
    parts.push({ id: 'drift', title: 'What has moved', content: driftPart(profile), long: true })
  return shell({
    title,
    kind: 'profile',
    kicker: `Profile · ${formatDate(Date.parse(generated))} UTC`,
    lead: html`${formatCount(rows)} rows of ${formatCount(columns.length)}
    columns${cells === 0 || missing === 0 ? ', without a missing value' : html`, of which ${formatPercent(missing / cells)} hold no value`}.`,
    head: figureTiles([
      { name: 'rows', value: formatCount(rows) },
      { name: 'columns', value: formatCount(columns.length), note: rolesText(columns) },
      { name: 'missing values', value: cells === 0 ? '0' : formatPercent(missing / cells) },
      ...(duplicates === undefined ? [] : [{ name: 'rows that repeat another', value: formatCount(duplicates) }]),
    ]),
    notes: profile.notes,
    parts,
    footer: 'Made by Fathom.',
  })
}

function rolesText(columns: readonly TableColumn[]): string {
  const counts = new Map<string, number>()
  for (const { role } of columns) counts.set(role, (counts.get(role) ?? 0) + 1)
  return [...counts].map(([role, count]) => `${count} ${role}`).join(', ')
}

const shownCategories = 8

/** The profile as the report page's cards take it. */
export function dataProfile({ rows, columns, target }: TableProfile): DataProfile {
  return {
    rows,
    columns: columns.map((column): ColumnProfile => {
      const { name, role, missing, distinct, reason } = column
      const distribution = distributionOf(column, rows)
      return {
        name,
        type: typeName(column),
        role: name === target ? 'target' : role,
        why: reason,
        missing,
        distinct,
        figures: figuresOf(column),
        ...(distribution === undefined ? {} : { distribution }),
      }
    }),
  }
}

function typeName({ type, role }: TableColumn): string {
  if (type === 'int32' || type === 'int64' || type === 'float64') return 'number'
  return type === 'string' ? (role === 'text' ? 'text' : 'category') : type
}

function figuresOf({ numbers, dates, text }: TableColumn): Record<string, number | string> {
  if (numbers !== undefined) {
    return { mean: numbers.mean, median: numbers.quantiles['0.5'], smallest: numbers.min, largest: numbers.max }
  }
  if (dates !== undefined) return { first: formatDate(dates.first.getTime()), last: formatDate(dates.last.getTime()) }
  return text === undefined ? {} : { 'mean words': text.meanWords, 'longest, characters': text.maxLength }
}

function distributionOf(column: TableColumn, rows: number): Distribution | undefined {
  const { histogram, top } = column
  if (histogram !== undefined && column.distinct > 6) return { kind: 'histogram', ...histogram }
  if (top.length === 0) return histogram && { kind: 'histogram', ...histogram }
  const shown = top.slice(0, shownCategories)
  return {
    kind: 'categories',
    labels: shown.map(({ value }) => value),
    counts: shown.map(({ count }) => count),
    others: Math.max(0, rows - column.missing - shown.reduce((sum, { count }) => sum + count, 0)),
  }
}

function sampleNote({ associationRows, rows }: TableProfile): Html {
  return associationRows === undefined || associationRows >= rows
    ? html``
    : html`<p class="muted">Measured on a sample of ${formatCount(associationRows)} rows.</p>`
}

function targetPart(profile: TableProfile, target: string): Content {
  const own = (profile.associations ?? [])
    .filter(({ a, b }) => a === target || b === target)
    .toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, 24)
  if (own.length === 0) return html`<p class="muted">No column has a measurable association with ${target}.</p>`
  return html`${sampleNote(profile)}${figure(
    'Strength of association',
    'Numbers with numbers: Pearson’s correlation. Categories: Cramér’s V. A number and a category: η. 1 is full.',
    barChart(
      {
        labels: own.map(({ a, b }) => (a === target ? b : a)),
        series: [{ name: 'association', values: own.map(({ value }) => value) }],
        format: (value) => value.toFixed(2),
      },
      { title: `Association with ${target}` },
    ),
  )}`
}

const shownInMatrix = 24

function relationsPart(profile: TableProfile): Content {
  const associations = profile.associations ?? []
  const matrices = [
    matrix(
      associations,
      'pearson',
      ({ value }) => value,
      'Pearson’s correlation',
      'How closely two numbers lie on a line; red is falling.',
    ),
    matrix(
      associations,
      'pearson',
      ({ spearman }) => spearman,
      'Spearman’s correlation',
      'The same of their ranks: any rising curve counts.',
    ),
    matrix(associations, 'cramersV', ({ value }) => value, 'Cramér’s V', 'How much one category tells of another.'),
  ].filter((each) => each !== undefined)
  const strongest = associations.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 20)
  return html`${sampleNote(profile)}
    <div class="grid">${matrices}</div>
    <details>
      <summary>The strongest pairs</summary>
      <table>
        <thead>
          <tr>
            <th>column</th>
            <th>column</th>
            <th>measure</th>
            <th class="n">value</th>
            <th class="n">ranks</th>
            <th class="n">rows</th>
          </tr>
        </thead>
        <tbody>
          ${strongest.map(
            ({ a, b, measure, value, spearman, rows }) =>
              html`<tr>
                <td>${a}</td>
                <td>${b}</td>
                <td>${measureName[measure]}</td>
                <td class="n">${value.toFixed(3)}</td>
                <td class="n">${spearman === undefined ? '' : spearman.toFixed(3)}</td>
                <td class="n">${formatCount(rows)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>`
}

const measureName = { pearson: 'Pearson', cramersV: 'Cramér’s V', correlationRatio: 'η' } as const

function matrix(
  associations: readonly Association[],
  measure: Association['measure'],
  of: (association: Association) => number | undefined,
  title: string,
  meaning: string,
): Html | undefined {
  const own = associations.filter((each) => each.measure === measure)
  const names = [...new Set(own.flatMap(({ a, b }) => [a, b]))].slice(0, shownInMatrix)
  if (names.length < 2) return undefined
  const found = new Map(
    own.flatMap(
      (each) =>
        [
          [JSON.stringify([each.a, each.b]), of(each)],
          [JSON.stringify([each.b, each.a]), of(each)],
        ] as const,
    ),
  )
  const values = names.map((a) => names.map((b) => (a === b ? 1 : (found.get(JSON.stringify([a, b])) ?? null))))
  return figure(title, meaning, heatmapChart(correlationData(names, values), { title, width: 520 }))
}

function outliersPart(columns: readonly TableColumn[]): Html | undefined {
  const with_ = columns.filter(
    ({ outliers }) => outliers !== undefined && outliers.below + outliers.above + (outliers.far ?? 0) > 0,
  )
  if (with_.length === 0) return undefined
  return html`<p class="muted">
      Beyond the fences: further than 1.5 interquartile ranges from the quartiles. Far: a modified z-score above 3.5.
    </p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>column</th>
            <th class="n">fences</th>
            <th class="n">below</th>
            <th class="n">above</th>
            <th class="n">far</th>
          </tr>
        </thead>
        <tbody>
          ${with_.map(
            ({ name, outliers }) =>
              html`<tr>
                <td>${name}</td>
                <td class="n">${formatNumber(outliers!.low)} – ${formatNumber(outliers!.high)}</td>
                <td class="n">${formatCount(outliers!.below)}</td>
                <td class="n">${formatCount(outliers!.above)}</td>
                <td class="n">${outliers!.far === undefined ? '' : formatCount(outliers!.far)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

function driftPart({ comparison, rows }: TableProfile): Html {
  const { drifts, rows: before } = comparison!
  return html`<p class="muted">
      ${formatCount(rows)} rows here, ${formatCount(before)} there. PSI below 0.1 is little, above 0.25 much.
    </p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>column</th>
            <th class="n">PSI</th>
            <th class="n">Jensen–Shannon</th>
            <th class="n">KS</th>
            <th class="n">p of χ²</th>
            <th>what moved most</th>
          </tr>
        </thead>
        <tbody>
          ${drifts.map(
            ({ column, drift: { psi, jensenShannon, ks, chiSquared, most } }) =>
              html`<tr>
                <td>${column}</td>
                <td class="n ${psi > 0.25 ? 'bad' : ''}">${psi.toFixed(3)}</td>
                <td class="n">${jensenShannon.toFixed(3)}</td>
                <td class="n">${ks === undefined ? '' : ks.statistic.toFixed(3)}</td>
                <td class="n">${chiSquared.p < 1e-4 ? '< 0.0001' : chiSquared.p.toFixed(4)}</td>
                <td>
                  ${most === undefined ? '' : `${most.label}: ${formatPercent(most.before)} before, ${formatPercent(most.now)} now`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}
