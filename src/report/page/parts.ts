import { formatBytes, formatCount, formatNumber, formatPercent, formatSeconds, shorten } from '../../charts/format.ts'
import { lineChart } from '../../charts/line.ts'
import type {
  ColumnProfile,
  DataProfile,
  FeatureSummary,
  Lineage,
  ModelSummary,
  QuestionSummary,
  Reproduction,
  RowCounts,
  TrainingSummary,
  WorstExample,
} from '../data.ts'
import { metricInfos } from '../evaluation.ts'
import { type Content, type Html, html, raw } from './html.ts'
import { figure } from './quality.ts'
import { classColor, shownClasses, sparkline } from './spark.ts'

export function questionPart({ inputs, inferences, target }: QuestionSummary, rows: RowCounts): Html {
  const all = rows.train + rows.validation + rows.test
  return html`<p>
      Predict <strong>${target}</strong> from
      ${inputs.map((input, i) => html`${i > 0 ? ', ' : ''}<code>${input}</code>`)}: ${formatCount(all)} rows, of which
      ${formatCount(rows.train)} to learn
      from${rows.validation === 0 ? '' : `, ${formatCount(rows.validation)} to decide when to stop`} and
      ${formatCount(rows.test)} to judge by${rows.split === undefined ? '' : ` (${rows.split})`}.
    </p>
    ${
      inferences.length === 0
        ? ''
        : html`<div class="scroll">
            <table class="wide">
              <thead>
                <tr>
                  <th>about</th>
                  <th>what was decided</th>
                  <th>why</th>
                </tr>
              </thead>
              <tbody>
                ${inferences.map(
                  ({ about, what, why }) =>
                    html`<tr>
                      <td>${about}</td>
                      <td>${what}</td>
                      <td class="muted">${why}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }`
}

const shownColumns = 36

export function profilePart({ rows, sampled, columns }: DataProfile): Html {
  const classes = columns.flatMap(({ distribution }) =>
    distribution?.target?.kind === 'classes' ? [distribution.target.classes] : [],
  )[0]
  const hasMeans = columns.some(({ distribution }) => distribution?.target?.kind === 'mean')
  const rest = columns.slice(shownColumns)
  return html`<p class="muted">
      ${formatCount(columns.length)} columns, seen on ${formatCount(rows)}
      rows${sampled === true ? ' drawn from the data' : ''}.
      ${classes !== undefined ? 'Bars are split by the class of their rows.' : ''}
      ${hasMeans ? 'The line, or the figure marked ⌀, is the target’s mean there.' : ''}
    </p>
    ${
      classes === undefined
        ? ''
        : html`<div class="legend">
            ${classes.slice(0, shownClasses).map((name, i) => html`<span><i style="background:${raw(classColor(i))}"></i>${name}</span>`)}${classes.length > shownClasses ? html`<span><i style="background:${raw(classColor(shownClasses))}"></i>${classes.length - shownClasses} others</span>` : ''}
          </div>`
    }
    <div class="cards">${columns.slice(0, shownColumns).map((column) => columnCard(column, rows))}</div>
    ${
      rest.length === 0
        ? ''
        : html`<details>
            <summary>The other ${formatCount(rest.length)} columns</summary>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>column</th>
                    <th>type</th>
                    <th>role</th>
                    <th class="n">missing</th>
                    <th class="n">distinct</th>
                  </tr>
                </thead>
                <tbody>
                  ${rest.slice(0, 1000).map(
                    ({ name, type, role, missing, distinct }) =>
                      html`<tr>
                        <td>${name}</td>
                        <td>${type}</td>
                        <td>${role}</td>
                        <td class="n">${formatPercent(missing / Math.max(1, rows))}</td>
                        <td class="n">${distinct === undefined ? '' : formatCount(distinct)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
          </details>`
    }`
}

function columnCard(
  { name, type, role, why, missing, distinct, figures, distribution }: ColumnProfile,
  rows: number,
): Html {
  const share = missing / Math.max(1, rows)
  const shown = Object.entries(figures ?? {}).slice(0, 4)
  return html`<div class="card">
    <h3>${shorten(name, 60)}<span>${type === role ? type : `${type} · ${role}`}</span></h3>
    ${distribution === undefined ? '' : raw(sparkline(name, distribution))}
    ${why === undefined ? '' : html`<p class="muted" style="margin:4px 0 0">${why}</p>`}
    <dl>
      ${
        distinct === undefined
          ? ''
          : html`<dt>distinct</dt>
              <dd>${formatCount(distinct)}</dd>`
      }
      ${shown.map(
        ([key, value]) =>
          html`<dt>${key}</dt>
            <dd>${typeof value === 'number' ? formatNumber(value) : shorten(value, 40)}</dd>`,
      )}
      <dt>missing</dt>
      <dd class="${share > 0.3 ? 'bad' : ''}">${missing === 0 ? 'none' : formatPercent(share)}</dd>
    </dl>
    ${missing === 0 ? '' : html`<div class="missing" role="presentation"><i style="width:${raw((share * 100).toFixed(1))}%"></i></div>`}
  </div>`
}

export function featuresPart(features: readonly FeatureSummary[]): Html {
  const shown = features.slice(0, 60)
  const wide = features.some(({ width }) => width !== undefined)
  return html`<div class="scroll">
      <table class="wide">
        <thead>
          <tr>
            <th>feature</th>
            <th>as</th>
            <th>what is done to it</th>
            ${wide && html`<th class="n">inputs</th>`}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            ({ name, role, detail, width }) =>
              html`<tr>
                <td>${name}</td>
                <td>${role}</td>
                <td class="muted">${detail}</td>
                ${wide && html`<td class="n">${width === undefined ? '' : formatCount(width)}</td>`}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${features.length > shown.length ? html`<p class="muted small">and ${features.length - shown.length} more</p>` : ''}`
}

export function modelPart(model: ModelSummary): Html {
  const facts: [string, string][] = [['parameters', formatCount(model.parameters)]]
  if (model.flopsPerExample !== undefined)
    facts.push(['arithmetic for one row', `${formatNumber(model.flopsPerExample)} operations`])
  if (model.peakMemory !== undefined) facts.push(['memory of training', formatBytes(model.peakMemory)])
  for (const [key, value] of Object.entries(model.settings ?? {})) {
    facts.push([key, typeof value === 'number' ? formatNumber(value) : value])
  }
  return html`<p>
      <strong>${model.name}</strong
      >${model.description === undefined ? '' : html` <span class="muted">${model.description}</span>`}
    </p>
    <div class="grid">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>layer</th>
              <th>type</th>
              <th>gives</th>
              <th class="n">parameters</th>
            </tr>
          </thead>
          <tbody>
            ${model.layers.slice(0, 200).map(
              ({ name, type, outputShape, parameters }) =>
                html`<tr>
                  <td>${name}</td>
                  <td>${type}</td>
                  <td class="mono">${outputShape}</td>
                  <td class="n">${formatCount(parameters)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <div>
        <table>
          <tbody>
            ${facts.map(
              ([key, value]) =>
                html`<tr>
                  <th>${key}</th>
                  <td class="n" style="white-space:normal">${value}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </div>`
}

export function trainingPart({ epochs, bestEpoch, stoppedEarly, seconds, examplesPerSecond }: TrainingSummary): Html {
  const names = [...new Set(epochs.flatMap(({ figures }) => Object.keys(figures)))]
  const measured = names.filter((name) => !/^val[A-Z]/.test(name) && !/^(learningRate|seconds)$/.test(name))
  const words = [
    `${epochs.length} epochs in ${formatSeconds(seconds)}`,
    examplesPerSecond === undefined ? '' : `${formatNumber(examplesPerSecond)} examples a second`,
    bestEpoch === undefined ? '' : `the weights of epoch ${bestEpoch} were kept`,
    stoppedEarly === true ? 'stopped early, when validation no longer improved' : '',
  ].filter((word) => word !== '')
  return html`<p class="muted">${words.join('; ')}.</p>
    <div class="grid">
      ${measured.slice(0, 4).map((name) => {
        const pair = `val${name[0]!.toUpperCase()}${name.slice(1)}`
        const series = [name, pair].flatMap((each, i) => {
          const points = epochs.filter(({ figures }) => Number.isFinite(figures[each]))
          if (points.length === 0) return []
          const [x, y] = [points.map(({ epoch }) => epoch), points.map(({ figures }) => figures[each]!)]
          return [{ name: i === 0 ? 'training' : 'validation', x, y, colorIndex: i }]
        })
        const label = metricInfos[name]?.label ?? name
        return figure(
          label,
          metricInfos[name]?.meaning ?? 'What training makes small.',
          lineChart(
            {
              series,
              points: epochs.length <= 30,
              wholeX: true,
              ...(bestEpoch === undefined ? {} : { mark: { x: bestEpoch, label: 'kept' } }),
            },
            { title: `${label} by epoch`, width: 460, height: 280, xLabel: 'epoch' },
          ),
        )
      })}
    </div>`
}

export function worstPart(examples: readonly WorstExample[]): Html {
  return html`<p class="muted">
      The test rows with the largest loss: mistaken labels, unusual cases, and what the model has not understood.
    </p>
    <div class="cards worst">${examples.slice(0, 48).map(worstCard)}</div>`
}

function worstCard({ content, actual, predicted, probability, source }: WorstExample): Html {
  const write = (value: string | number): string =>
    typeof value === 'number' ? formatNumber(value) : shorten(value, 60)
  return html`<div class="card">
    ${worstContent(content, write(actual))}
    <div class="verdict">
      <div>
        predicted
        <strong class="bad">${write(predicted)}</strong
        >${probability === undefined ? '' : html` <span class="muted">${formatPercent(probability.predicted)}</span>`}
      </div>
      <div>
        actually
        <strong>${write(actual)}</strong
        >${probability === undefined ? '' : html` <span class="muted">${formatPercent(probability.actual)}</span>`}
      </div>
      ${source === undefined ? '' : html`<div class="muted small">${source}</div>`}
    </div>
  </div>`
}

function worstContent(content: WorstExample['content'], actual: string): Content {
  if (content.kind === 'text')
    return html`<div class="body"><blockquote>${shorten(content.text, 600)}</blockquote></div>`
  if (content.kind === 'row') {
    return html`<div class="body">
      <dl style="margin:0">
        ${content.values.slice(0, 12).map(
          ([column, value]) =>
            html`<dt>${shorten(column, 30)}</dt>
              <dd>${value === null ? '–' : typeof value === 'number' ? formatNumber(value) : shorten(value, 60)}</dd>`,
        )}
      </dl>
    </div>`
  }
  // Nothing but a picture inside the page: no address that a reader's browser would fetch.
  if (!/^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]*$/.test(content.url)) return ''
  const small = content.url.length < 4000
  return html`<div class="picture">
    <img
      class="${small ? 'small-picture' : ''}"
      src="${content.url}"
      alt="${content.description ?? `A picture of class ${actual}`}"
    />
  </div>`
}

export function lineagePart({ data, versions, seed, config, machine }: Lineage): Html {
  const facts = { seed, ...versions, ...machine }
  return html`<div class="grid">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>data</th>
              <th class="n">rows</th>
              <th class="n">size</th>
              <th>sha256</th>
            </tr>
          </thead>
          <tbody>
            ${data.slice(0, 100).map(
              ({ path, rows, bytes, sha256 }) =>
                html`<tr>
                  <td>${path}</td>
                  <td class="n">${rows === undefined ? '' : formatCount(rows)}</td>
                  <td class="n">${bytes === undefined ? '' : formatBytes(bytes)}</td>
                  <td class="mono" title="${sha256}">${sha256 === undefined ? '' : `${sha256.slice(0, 12)}…`}</td>
                </tr>`,
            )}
          </tbody>
        </table>
        ${data.length > 100 ? html`<p class="muted small">and ${data.length - 100} more files</p>` : ''}
      </div>
      <div>
        <table>
          <tbody>
            ${Object.entries(facts).map(
              ([key, value]) =>
                html`<tr>
                  <th>${key}</th>
                  <td class="n" style="white-space:normal">${value}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </div>
    <details>
      <summary>Every option</summary>
      <pre>${JSON.stringify(config, null, 2)}</pre>
    </details>`
}

export function reproducePart({ commands, remark }: Reproduction): Html {
  return html`<h3 style="margin-top:22px">Reproduce it</h3>
    <pre>${commands.join('\n')}</pre>
    ${remark === undefined ? '' : html`<p class="muted">${remark}</p>`}`
}
