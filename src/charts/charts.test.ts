import { describe, expect, test } from 'vitest'
import type { AnyColumn, ColumnBatch, ColumnType } from '../core/index.ts'
import { OptionError } from '../core/index.ts'
import { type ChartKind, binned, boxSummary, chartFor, chartKinds, displayWidth, toPng } from './index.ts'
import { escapeHtml, formatBytes, formatNumber, formatPercent, formatSeconds, shorten } from './format.ts'

type Values = readonly (number | string | bigint | null)[]
/** A table of columns given as [type, values]. */
function table(columns: Record<string, readonly [ColumnType, Values]>): ColumnBatch {
  const built = Object.values(columns).map(([type, values]): AnyColumn => {
    const validity = values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
    if (type === 'string')
      return { type, values: values.map((value) => (value === null ? null : String(value))), validity }
    if (type === 'int64' || type === 'timestamp')
      return { type, values: BigInt64Array.from(values, (v) => BigInt(v ?? 0)), validity }
    if (type === 'date' || type === 'int32') return { type, values: Int32Array.from(values, Number), validity }
    return { type: 'float64', values: Float64Array.from(values, (value) => Number(value ?? 0)), validity }
  })
  const schema = Object.keys(columns).map((name, i) => ({ name, type: built[i]!.type, sqlType: '', nullable: true }))
  return { schema, columns: built, length: Object.values(columns)[0]![1].length }
}
const rows = (count: number, of: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => of(i))
const numbers = rows(60, (i) => Math.sin(i * 1.7) * 10)
const groups = Array.from({ length: 60 }, (_, i) => `group ${i % 3}`)

const tables: Record<string, { batch: ColumnBatch; kind: ChartKind; title: string }> = {
  'a category once each and a number': {
    batch: table({
      category: ['string', ['Furniture', 'Office', 'Technology']],
      'avg(sales)': ['float64', [349.8, 119.3, -45]],
    }),
    kind: 'bar',
    title: 'avg(sales) by category',
  },
  'a category once each and two numbers': {
    batch: table({ c: ['string', ['a', 'b', null]], x: ['int64', [1n, 2n, 3n]], y: ['float64', [2, null, 3]] }),
    kind: 'bar',
    title: 'x, y by c',
  },
  'a category alone': { batch: table({ c: ['string', groups] }), kind: 'bar', title: 'rows by c' },
  'a date and numbers': {
    batch: table({ day: ['date', rows(60, (i) => 19_000 + i)], a: ['float64', numbers], b: ['float64', numbers] }),
    kind: 'line',
    title: 'a, b over day',
  },
  'a time, a category and a number': {
    batch: table({
      at: ['timestamp', Array.from({ length: 60 }, (_, i) => BigInt(i) * 3_600_000_000n)],
      c: ['string', groups],
      a: ['float64', numbers],
    }),
    kind: 'line',
    title: 'a over at',
  },
  'rising numbers and numbers': {
    batch: table({ year: ['int32', rows(20, (i) => 2000 + i)], total: ['float64', numbers.slice(0, 20)] }),
    kind: 'line',
    title: 'total over year',
  },
  'two numbers': {
    batch: table({ x: ['float64', numbers], y: ['float64', [...numbers].reverse()] }),
    kind: 'scatter',
    title: 'y against x',
  },
  'a number': {
    batch: table({ x: ['float64', [...numbers.slice(1), null]] }),
    kind: 'histogram',
    title: 'distribution of x',
  },
  'a date alone': {
    batch: table({ day: ['date', rows(60, (i) => 19_000 + i * i)] }),
    kind: 'histogram',
    title: 'distribution of day',
  },
  'two categories': {
    batch: table({ g: ['string', groups], h: ['string', [...groups].reverse()] }),
    kind: 'heatmap',
    title: 'rows by g and h',
  },
  'a repeated category and a number': {
    batch: table({ g: ['string', groups], x: ['float64', numbers] }),
    kind: 'box',
    title: 'x by g',
  },
}

describe.each(Object.entries(tables))('%s', (_name, { batch, kind, title }) => {
  const chart = chartFor(batch)

  test('gets the chart that suits it', () => {
    expect([chart.kind, chart.title]).toEqual([kind, title])
  })

  test('is drawn as SVG with a title and sound coordinates', () => {
    const svg = chart.svg()
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" viewBox="0 0 \d+ \d+"/)
    expect(svg).toContain(`<title>${escapeHtml(title)}</title>`)
    expect(svg).not.toMatch(/NaN|undefined|<style|<script/)
    expect(svg.match(/var\(--/g)!.length).toBeGreaterThan(2)
  })

  test.each([40, 100])('is drawn as text within %i columns', (width) => {
    const lines = chart.text({ width }).split('\n')
    expect(lines[0]).toBe(title)
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) expect(Array.from(line).length, line).toBeLessThanOrEqual(width)
    expect(lines.join('')).not.toMatch(/NaN|undefined/)
  })
})

test('bars are as long as their values', () => {
  const batch = table({ c: ['string', ['a', 'b', 'c']], x: ['float64', [10, 20, 5]] })
  const lengths = chartFor(batch)
    .text({ width: 60 })
    .split('\n')
    .slice(2)
    .map((line) => line.match(/█/g)!.length)
  expect(lengths[1]! / lengths[0]!).toBeCloseTo(2, 1)
  expect(lengths[0]! / lengths[2]!).toBeCloseTo(2, 0)
})

test('a PNG is made in light and dark', async () => {
  const { svg } = chartFor(tables['two numbers']!.batch)
  for (const scheme of ['light', 'dark'] as const) {
    const png = await toPng(svg({ width: 300, height: 200 }), { scheme, scale: 1 })
    expect([...png.subarray(1, 4)].map((code) => String.fromCharCode(code)).join('')).toBe('PNG')
    expect(new DataView(png.buffer, png.byteOffset).getUint32(16)).toBe(300)
  }
})

test('hostile names and values stay text', () => {
  const evil = '</text><script>alert(1)</script>\u0000'
  for (const kind of chartKinds) {
    const batch = table({
      [evil]: ['string', groups.map((group) => evil + group)],
      [`${evil}2`]: ['float64', numbers],
      [`${evil}3`]: ['float64', numbers],
    })
    const svg = chartFor(batch, kind).svg()
    expect(svg, kind).not.toContain('<script')
    expect(svg, kind).not.toContain('\u0000')
    expect(chartFor(batch, kind).text(), kind).not.toContain('\u0000')
  }
})

test('a kind that the columns cannot show is refused with what it needs', () => {
  const words = table({ c: ['string', ['a', 'b']] })
  for (const kind of ['line', 'scatter', 'histogram', 'heatmap', 'box'] as const) {
    expect(() => chartFor(words, kind), kind).toThrow(OptionError)
    expect(() => chartFor(words, kind), kind).toThrow(/received c \(category\)/)
  }
  expect(() => chartFor(words, 'lines' as 'line')).toThrow(/Did you mean "line"/)
})

test.each(chartKinds)('without rows, a %s is a sentence', (kind) => {
  const none = table({ c: ['string', []], d: ['string', []], x: ['float64', []], y: ['float64', []] })
  const chart = chartFor(none, kind)
  expect(chart.kind).toBe(kind)
  expect(chart.svg()).toContain('There are no rows to draw.')
  expect(chart.text()).toBe(`${chart.title}\n\nThere are no rows to draw.`)
})

test('pictures carry their title and what was left out', () => {
  const many = table({
    [`${'long '.repeat(40)}name`]: ['string', rows(100, (i) => i)],
    x: ['float64', rows(100, (i) => i)],
  })
  const chart = chartFor(many)
  expect(chart.note).toMatch(/^40 of 100 values of /)
  const svg = chart.svg({ width: 400 })
  expect(svg.match(/font-weight="600"/g)).toHaveLength(3)
  expect(svg).toContain('>40 of 100 values of')
  expect(chart.svg({ title: 'My <title>', heading: true })).toContain('>My &lt;title&gt;</text>')
  expect(chart.svg({ heading: false })).not.toContain('font-weight')
  expect(chart.text()).toContain('\n40 of 100 values of')
})

test('a category that occurs more than once has the mean of its numbers', () => {
  const batch = table({ c: ['string', ['a', 'b', 'a']], x: ['float64', [1, 5, 3]] })
  const chart = chartFor(batch, 'bar')
  expect(chart.title).toBe('mean of x by c')
  expect(chart.text()).toMatch(/b │.* 5\na │.* 2/)
  const line = chartFor(table({ t: ['int32', [1, 1, 2]], x: ['float64', [2, 4, 9]] }), 'line')
  expect(line.title).toBe('mean of x over t')
})

test('correlations are those of the columns', () => {
  const up = rows(50, (i) => i)
  const batch = table({
    a: ['float64', [...up].reverse()],
    b: ['float64', up],
    c: ['float64', up.map((x) => (x - 24.5) ** 2)],
    d: ['float64', up.map(() => 1)],
  })
  const text = chartFor(batch).text()
  expect(chartFor(batch).kind).toBe('correlation')
  expect(text.split('\n')[3]!.trim().split(/\s+/)).toEqual(['a', '█1.00', '█-1.00', '0', '·'])
})

test('colour is there where it is asked for, and nowhere else', () => {
  for (const { batch } of Object.values(tables)) {
    expect(chartFor(batch).text()).not.toContain('\u001b')
    const coloured = chartFor(batch).text({ width: 60, color: true })
    expect(coloured.replaceAll(/\p{Cc}\[\d+m/gu, '')).not.toContain('\u001b')
  }
  const lines = chartFor(tables['a date and numbers']!.batch).text({ color: true })
  expect(lines).toContain('\u001b[34m● a\u001b[0m  \u001b[33m● b\u001b[0m')
})

test('wide characters keep the bars in line', () => {
  const text = chartFor(table({ c: ['string', ['売上高', 'ab']], x: ['float64', [1, 2]] })).text()
  const [first, second] = text.split('\n').slice(2)
  expect(displayWidth(first!.split('│')[0]!)).toBe(displayWidth(second!.split('│')[0]!))
})

test('large tables are drawn', () => {
  const many = table({ x: ['float64', rows(300_000, (i) => (i * 7919) % 1000)] })
  expect(chartFor(many).svg().length).toBeLessThan(50_000)
  const labels = table({ c: ['string', Array.from({ length: 5000 }, (_, i) => `c${i}`)] })
  expect(chartFor(labels).text().split('\n').length).toBeLessThan(70)
})

test('bins are round and hold every value', () => {
  for (const values of [numbers, rows(1000, (i) => 0.001 * i), rows(50, (i) => i * i * 1e6), [1e-9, 2e-9, 5e-9]]) {
    const { edges, counts } = binned(values)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length)
    expect(edges.length).toBe(counts.length + 1)
    expect(edges[0]).toBeLessThanOrEqual(Math.min(...values))
    expect(edges.at(-1)).toBeGreaterThanOrEqual(Math.max(...values))
  }
  expect(binned([3, 3, 3]).counts).toEqual([3])
})

test('boxes follow Tukey', () => {
  const { q1, median, q3, low, high, outliers } = boxSummary('x', [1, 2, 3, 4, 5, 6, 7, 8, 9, 100])
  expect([q1, median, q3, low, high, outliers]).toEqual([3.25, 5.5, 7.75, 1, 9, [100]])
})

test('numbers are written for people', () => {
  expect([0, 0.93123, 12.5, 349.83, 1234.5, 3_210_000, 42_000_000, -45, 0.00001].map(formatNumber)).toEqual([
    '0', '0.9312', '12.5', '349.8', '1,235', '3,210,000', '42M', '-45', '1.0e-5',
  ]) // prettier-ignore
  expect(formatNumber(Number.NaN)).toBe('–')
  expect([0.934, 0.99996, 1].map((share) => formatPercent(share))).toEqual([
    '93.4\u00a0%',
    '99.996\u00a0%',
    '100.0\u00a0%',
  ])
  expect([3.21, 61, 7260].map(formatSeconds)).toEqual(['3.2 s', '1 min 1 s', '2 h 1 min'])
  expect([12, 1536, 2.5e9].map(formatBytes)).toEqual(['12 B', '1.5 kB', '2.5 GB'])
  expect(shorten('😀😀😀😀', 3)).toBe('😀😀…')
})
