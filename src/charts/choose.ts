import {
  type AnyColumn,
  type ColumnBatch,
  type ColumnType,
  DataError,
  OptionError,
  didYouMean,
  toFloat64,
  valueAt,
} from '../core/index.ts'
import { type BarData, barChart } from './bar.ts'
import { type BoxData, boxChart, boxSummary } from './box.ts'
import type { ChartFrame } from './draw.ts'
import { formatDate } from './format.ts'
import { type HeatmapData, heatmapChart } from './heatmap.ts'
import { type HistogramData, binned, histogramChart } from './histogram.ts'
import { type LineData, lineChart } from './line.ts'
import { type ScatterData, scatterChart } from './scatter.ts'
import { type TextFrame, barText, boxText, heatmapText, histogramText, lineText, scatterText } from './text.ts'

interface ChartData {
  bar: BarData
  line: LineData
  scatter: ScatterData
  histogram: HistogramData
  heatmap: HeatmapData
  box: BoxData
}
export const chartKinds = ['bar', 'line', 'scatter', 'histogram', 'heatmap', 'box'] as const
export type ChartKind = (typeof chartKinds)[number]

/** A chart of a table's columns, to be drawn as SVG or as text. */
export interface Chart {
  readonly kind: ChartKind
  readonly title: string
  /** Self-contained SVG, light and dark by CSS variables; `toPng` makes a picture file of it. */
  readonly svg: (frame?: Partial<ChartFrame>) => string
  /** For a terminal. */
  readonly text: (frame?: TextFrame) => string
}

const drawers: {
  readonly [K in ChartKind]: {
    readonly svg: (data: ChartData[K], frame: ChartFrame) => string
    readonly text: (data: ChartData[K], frame: TextFrame) => string
  }
} = {
  bar: { svg: barChart, text: barText },
  line: { svg: lineChart, text: lineText },
  scatter: { svg: scatterChart, text: scatterText },
  histogram: { svg: histogramChart, text: histogramText },
  heatmap: { svg: heatmapChart, text: heatmapText },
  box: { svg: boxChart, text: boxText },
}

type Role = 'number' | 'time' | 'category'
interface Variable {
  readonly name: string
  readonly role: Role
  readonly column: AnyColumn
  readonly length: number
}

/** Bars, cells and groups beyond this are not readable. */
const maxGroups = 60
const maxSeries = 8

/**
 * Chooses the chart that a table's columns call for (`'auto'`), or the one that is named, and lays its data out.
 * One number: histogram. One category: bars of its counts. A category and numbers: bars where each category occurs
 * once, else boxes. A date (or rising numbers) and numbers: lines. Two numbers: scatter. Two categories: heat map.
 * @throws OptionError for an unknown kind or columns that the kind cannot show; DataError without rows.
 */
export function chartFor(batch: ColumnBatch, kind: ChartKind | 'auto' = 'auto'): Chart {
  if (kind !== 'auto' && !chartKinds.includes(kind)) {
    throw new OptionError({
      operation: 'chart',
      expected: `auto or one of ${chartKinds.join(', ')}`,
      received: `"${kind as string}"`,
      hint: didYouMean(kind, chartKinds),
    })
  }
  if (batch.length === 0) throw new DataError({ operation: 'chart', expected: 'at least one row', received: 'none' })
  const variables = batch.schema.flatMap(({ name }, i) => variable(name, batch.columns[i]!, batch.length))
  return lay(kind === 'auto' ? choose(variables) : kind, variables)
}

type Laid<K extends ChartKind> = [data: ChartData[K], frame: ChartFrame]

function lay<K extends ChartKind>(kind: K, variables: readonly Variable[]): Chart & { readonly kind: K } {
  const [data, frame] = layouts[kind](variables)
  return {
    kind,
    title: frame.title,
    svg: (own = {}) => drawers[kind].svg(data, { ...frame, ...own }),
    text: (own = {}) => drawers[kind].text(data, { title: frame.title, ...own }),
  }
}

const roles: { readonly [K in ColumnType]: Role | undefined } = {
  int32: 'number',
  int64: 'number',
  float64: 'number',
  date: 'time',
  timestamp: 'time',
  string: 'category',
  boolean: 'category',
  binary: undefined,
  nested: undefined,
}

function variable(name: string, column: AnyColumn, length: number): Variable[] {
  const role = roles[column.type]
  return role === undefined ? [] : [{ name, role, column, length }]
}

function choose(variables: readonly Variable[]): ChartKind {
  const of = (role: Role): Variable[] => variables.filter((variable) => variable.role === role)
  const [numbers, times, categories] = [of('number'), of('time'), of('category')]
  if (times.length > 0) return numbers.length > 0 ? 'line' : 'histogram'
  if (categories.length >= 2) return 'heatmap'
  if (categories.length === 1) {
    if (numbers.length === 0) return 'bar'
    if (new Set(labels(categories[0]!)).size === categories[0]!.length) return 'bar'
    return numbers.length >= 2 ? 'scatter' : 'box'
  }
  if (numbers.length === 1) return 'histogram'
  return numbers.length > 1 && isRising(values(numbers[0]!)) ? 'line' : 'scatter'
}

function bars(variables: readonly Variable[]): Laid<'bar'> {
  const axis = variables.find(({ role }) => role === 'category') ?? variables.find(({ role }) => role === 'time')
  const numbers = variables.filter((each) => each.role === 'number')
  const by = axis ?? numbers.shift()
  if (by === undefined) throw unfit('bar', 'a category and numbers, or a category alone', variables)
  const names = labels(by)
  if (numbers.length === 0) {
    const counts = countOf(names)
    const shown = [...counts].sort((a, b) => b[1] - a[1]).slice(0, maxGroups)
    const series = [{ name: 'rows', values: shown.map(([, count]) => count) }]
    return [
      { labels: shown.map(([name]) => name), series },
      { title: `rows by ${by.name}`, xLabel: 'rows' },
    ]
  }
  const series = numbers.slice(0, maxSeries).map((each) => ({
    name: each.name,
    values: Array.from(values(each).subarray(0, maxGroups), (value) => (Number.isNaN(value) ? null : value)),
  }))
  const title = `${numbers.map(({ name }) => name).join(', ')} by ${by.name}`
  return [
    { labels: names.slice(0, maxGroups), series },
    { title, ...(series.length === 1 ? { xLabel: series[0]!.name } : {}) },
  ]
}

function lines(variables: readonly Variable[]): Laid<'line'> {
  const axis = variables.find(({ role }) => role === 'time') ?? variables.find(({ role }) => role === 'number')
  const numbers = variables.filter((each) => each !== axis && each.role === 'number')
  if (axis === undefined || numbers.length === 0) throw unfit('line', 'a date or number, and numbers', variables)
  const x = values(axis)
  const category = variables.find(({ role }) => role === 'category')
  const groups = category === undefined ? undefined : grouped(labels(category))
  const series = (
    groups === undefined
      ? numbers.map((each) => ({ name: each.name, rows: indices(x.length), y: values(each) }))
      : [...groups].map(([name, rows]) => ({ name, rows, y: values(numbers[0]!) }))
  )
    .slice(0, maxSeries)
    .map(({ name, rows, y }) => {
      const order = rows.filter((i) => Number.isFinite(x[i])).sort((a, b) => x[a]! - x[b]!)
      return { name, x: order.map((i) => x[i]!), y: order.map((i) => (Number.isNaN(y[i]) ? null : y[i]!)) }
    })
  const what = groups === undefined ? numbers.map(({ name }) => name).join(', ') : numbers[0]!.name
  return [
    { series, dates: axis.role === 'time' },
    {
      title: `${what} over ${axis.name}`,
      xLabel: axis.name,
      ...(numbers.length === 1 ? { yLabel: numbers[0]!.name } : {}),
    },
  ]
}

function scatter(variables: readonly Variable[]): Laid<'scatter'> {
  const [first, second] = variables.filter(({ role }) => role !== 'category')
  if (first === undefined || second === undefined) throw unfit('scatter', 'two numbers', variables)
  const category = variables.find(({ role }) => role === 'category')
  const [x, y] = [values(first), values(second)]
  const groups = category === undefined ? new Map([['rows', indices(x.length)]]) : grouped(labels(category))
  const series = [...groups].slice(0, maxSeries).map(([name, rows]) => {
    const shown = rows.filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i]))
    return { name, x: shown.map((i) => x[i]!), y: shown.map((i) => y[i]!) }
  })
  return [{ series }, { title: `${second.name} against ${first.name}`, xLabel: first.name, yLabel: second.name }]
}

function histogram(variables: readonly Variable[]): Laid<'histogram'> {
  const of = variables.find(({ role }) => role !== 'category')
  if (of === undefined) throw unfit('histogram', 'a number or date', variables)
  return [
    { ...binned(values(of)), dates: of.role === 'time' },
    { title: `distribution of ${of.name}`, xLabel: of.name },
  ]
}

function heatmap(variables: readonly Variable[]): Laid<'heatmap'> {
  const categories = variables.filter(({ role }) => role !== 'number')
  const numbers = variables.filter(({ role }) => role === 'number')
  while (categories.length < 2 && numbers.length > 0) categories.push(numbers.shift()!)
  const [down, across] = categories
  if (down === undefined || across === undefined) throw unfit('heatmap', 'two categories', variables)
  const [rowNames, columnNames] = [labels(down), labels(across)]
  const [rows, columns] = [rowNames, columnNames].map((names) => [...new Set(names)].sort().slice(0, maxGroups))
  const measure = numbers[0]
  const amounts = measure === undefined ? undefined : values(measure)
  const cells = new Map<string, number>()
  rowNames.forEach((row, i) => {
    const key = JSON.stringify([row, columnNames[i]])
    cells.set(key, (cells.get(key) ?? 0) + (amounts === undefined ? 1 : amounts[i]!))
  })
  const table = rows!.map((row) => columns!.map((column) => cells.get(JSON.stringify([row, column])) ?? null))
  const title = `${measure?.name ?? 'rows'} by ${down.name} and ${across.name}`
  return [
    { rows: rows!, columns: columns!, values: table },
    { title, xLabel: across.name, yLabel: down.name },
  ]
}

function boxes(variables: readonly Variable[]): Laid<'box'> {
  const number = variables.find(({ role }) => role === 'number')
  if (number === undefined) throw unfit('box', 'a number, and a category or none', variables)
  const category = variables.find(({ role }) => role === 'category')
  const y = values(number)
  const groups = category === undefined ? new Map([[number.name, indices(y.length)]]) : grouped(labels(category))
  const summaries = [...groups].slice(0, maxGroups).map(([name, rows]) =>
    boxSummary(
      name,
      rows.map((i) => y[i]!),
    ),
  )
  const title = category === undefined ? number.name : `${number.name} by ${category.name}`
  return [{ groups: summaries }, { title, xLabel: number.name }]
}

const layouts: { readonly [K in ChartKind]: (variables: readonly Variable[]) => Laid<K> } = {
  bar: bars,
  line: lines,
  scatter,
  histogram,
  heatmap,
  box: boxes,
}

/** Numbers; dates and times as milliseconds. */
function values({ column }: Variable): Float64Array {
  const numbers = toFloat64(column)
  const scale = column.type === 'date' ? 86_400_000 : column.type === 'timestamp' ? 1000 : 1
  return scale === 1 ? numbers : numbers.map((value) => value * scale)
}

function labels({ column, role, length }: Variable): string[] {
  return Array.from({ length }, (_, i) => {
    const value = valueAt(column, i)
    if (value === null || value === undefined) return '(missing)'
    return role === 'time' ? formatDate((value as Date).getTime()) : `${value as string | number | bigint | boolean}`
  })
}

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** Rows by name, the most frequent name first. */
function grouped(names: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  names.forEach((name, i) => {
    const rows = groups.get(name)
    if (rows === undefined) groups.set(name, [i])
    else rows.push(i)
  })
  return new Map([...groups].sort((a, b) => b[1].length - a[1].length))
}

function indices(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}

function isRising(values: Float64Array): boolean {
  return values.length > 2 && values.every((value, i) => i === 0 || value > values[i - 1]!)
}

function unfit(kind: ChartKind, expected: string, variables: readonly Variable[]): OptionError {
  return new OptionError({
    operation: `${kind} chart`,
    expected,
    received: variables.map(({ name, role }) => `${name} (${role})`).join(', ') || 'no column that can be drawn',
    hint: 'Select other columns, or let the chart be chosen with "auto"',
  })
}
