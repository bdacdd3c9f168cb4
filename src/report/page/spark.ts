import { svgElement } from '../../charts/draw.ts'
import { escapeHtml, formatCount, formatDate, formatNumber, shorten } from '../../charts/format.ts'
import { color, seriesColor } from '../../charts/theme.ts'
import type { Distribution } from '../data.ts'

/** Small pictures of columns. Drawn by hand: a page has a hundred of them, and each must stay small. */
const width = 220
const barHeight = 64
/** Classes beyond this share the last colour. */
export const shownClasses = 6

export function classColor(index: number): string {
  return index < shownClasses ? seriesColor(index) : seriesColor(7)
}

/** A column's distribution, each bar split by the target's classes or marked with the target's mean. */
export function sparkline(name: string, distribution: Distribution): string {
  return distribution.kind === 'histogram' ? histogram(name, distribution) : categories(name, distribution)
}

function histogram(name: string, distribution: Extract<Distribution, { kind: 'histogram' }>): string {
  const { counts, edges, dates, target } = distribution
  const write = dates === true ? formatDate : formatNumber
  const most = Math.max(1, ...counts)
  const step = width / Math.max(1, counts.length)
  const parts = counts.map((count, i) => {
    const label = `${write(edges[i]!)} – ${write(edges[i + 1]!)}: ${formatCount(count)} rows`
    const shares = target?.kind === 'classes' ? target.counts[i] : undefined
    return `<g><title>${escapeHtml(label)}</title>${stack(i * step + 0.5, step - 1, (count / most) * barHeight, shares)}</g>`
  })
  if (target?.kind === 'mean') parts.push(means(target.means, step))
  const y = barHeight + 14
  parts.push(
    `<line x1="0" x2="${width}" y1="${barHeight}" y2="${barHeight}" stroke="${color('muted')}" stroke-width="1"/>`,
    `<text x="0" y="${y}" text-anchor="start" font-size="10" fill="${color('muted')}">${escapeHtml(write(edges[0] ?? 0))}</text>`,
    `<text x="${width}" y="${y}" text-anchor="end" font-size="10" fill="${color('muted')}">${escapeHtml(write(edges.at(-1) ?? 0))}</text>`,
  )
  return svgElement(width, barHeight + 18, { title: `Distribution of ${name}` }, parts.join(''))
}

function stack(x: number, wide: number, high: number, shares: readonly number[] | undefined): string {
  const total = shares?.reduce((sum, share) => sum + share, 0) ?? 0
  if (shares === undefined || total === 0) return rect(x, barHeight - high, wide, high, color('accent'))
  let bottom = barHeight
  return shares
    .map((share, k) => {
      const part = (share / total) * high
      bottom -= part
      return part < 0.05 ? '' : rect(x, bottom, wide, part, classColor(k))
    })
    .join('')
}

function means(values: readonly (number | null)[], step: number): string {
  const present = values.filter((value) => value !== null)
  const [low, high] = [Math.min(...present), Math.max(...present)]
  const points = values.flatMap((value, i) => {
    if (value === null) return []
    const y = high > low ? barHeight - 5 - ((value - low) / (high - low)) * (barHeight - 10) : barHeight / 2
    return [[round((i + 0.5) * step), round(y)] as const]
  })
  const line = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x},${y}`).join('')
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.2"/>`).join('')
  return `<path d="${line}" fill="none" stroke="${seriesColor(1)}" stroke-width="1.5"/><g fill="${seriesColor(1)}">${dots}</g>`
}

function categories(name: string, distribution: Extract<Distribution, { kind: 'categories' }>): string {
  const { labels, counts, others, target } = distribution
  const shown = Math.min(6, labels.length)
  const rest = others + counts.slice(shown).reduce((sum, count) => sum + count, 0)
  const rows = labels.slice(0, shown).map((label, i) => ({ label, count: counts[i]!, index: i }))
  if (rest > 0) rows.push({ label: 'all others', count: rest, index: -1 })
  const most = Math.max(1, ...rows.map(({ count }) => count))
  const longest = Math.max(...rows.map(({ label }) => Math.min(14, Array.from(label).length)))
  const [left, line] = [Math.min(84, longest * 7 + 8), 16]
  const room = width - left - 38
  const parts = rows.map(({ label, count, index }, i) => {
    const y = i * line
    const length = (count / most) * room
    const shares = target?.kind === 'classes' && index >= 0 ? target.counts[index] : undefined
    const bar =
      index < 0
        ? rect(left, y + 3, length, line - 6, color('muted'), 0.5)
        : across(left, y + 3, length, line - 6, shares)
    const mean = target?.kind === 'mean' && index >= 0 ? target.means[index] : undefined
    const note = mean === undefined || mean === null ? formatNumber(count) : `⌀ ${formatNumber(mean)}`
    return (
      `<g><title>${escapeHtml(`${label}: ${formatCount(count)} rows`)}</title>` +
      `<text x="${left - 6}" y="${y + line / 2}" dy="0.35em" text-anchor="end" font-size="10.5">${escapeHtml(shorten(label, 14))}</text>${bar}` +
      `<text x="${round(left + length + 4)}" y="${y + line / 2}" dy="0.35em" text-anchor="start" font-size="10" fill="${color('muted')}">${escapeHtml(note)}</text></g>`
    )
  })
  return svgElement(
    width,
    Math.max(line, rows.length * line),
    { title: `Most frequent values of ${name}` },
    parts.join(''),
  )
}

function across(x: number, y: number, length: number, high: number, shares: readonly number[] | undefined): string {
  const total = shares?.reduce((sum, share) => sum + share, 0) ?? 0
  if (shares === undefined || total === 0) return rect(x, y, length, high, color('accent'))
  let left = x
  return shares
    .map((share, k) => {
      const part = (share / total) * length
      left += part
      return part < 0.05 ? '' : rect(left - part, y, part, high, classColor(k))
    })
    .join('')
}

function rect(x: number, y: number, wide: number, high: number, fill: string, opacity = 1): string {
  const faded = opacity === 1 ? '' : ` fill-opacity="${opacity}"`
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, wide))}" height="${round(Math.max(0, high))}" fill="${fill}"${faded}/>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
