import { OptionError } from '../core/index.ts'
import type { BarData } from './bar.ts'
import { type BoxData, boxNote, boxSummary } from './box.ts'
import type { ChartFrame } from './draw.ts'
import { type HeatmapData, correlationData } from './heatmap.ts'
import { type HistogramData, binned } from './histogram.ts'
import type { LineData } from './line.ts'
import { bulk, type ScatterData } from './scatter.ts'
import {
  countOf,
  grouped,
  indices,
  inNumberOrder,
  isRising,
  labels,
  meansBy,
  type Variable,
  values,
} from './variables.ts'

export interface ChartData {
  bar: BarData
  line: LineData
  area: LineData
  scatter: ScatterData
  histogram: HistogramData
  box: BoxData
  heatmap: HeatmapData
  correlation: HeatmapData
}
export const chartKinds = ['bar', 'line', 'area', 'scatter', 'histogram', 'box', 'heatmap', 'correlation'] as const
export type ChartKind = (typeof chartKinds)[number]

/** Bars, cells and groups beyond this are not readable. */
export const maxGroups = 40
export const maxSeries = 8

/** What a kind draws, and what it says besides. `note`: what was left out or summed up. */
export interface Laid<K extends ChartKind> {
  readonly data: ChartData[K]
  readonly frame: ChartFrame
}

/** Which kind columns call for. The rules are told in docs/profile-and-charts.md. */
export function choose(variables: readonly Variable[]): ChartKind {
  const of = (role: Variable['role']): Variable[] => variables.filter((variable) => variable.role === role)
  const [numbers, times, categories] = [of('number'), of('time'), of('category')]
  if (times.length > 0) return numbers.length > 0 ? 'line' : 'histogram'
  if (categories.length >= 2) return 'heatmap'
  if (categories.length === 1) {
    if (numbers.length === 0) return 'bar'
    if (new Set(labels(categories[0]!)).size === categories[0]!.length) return 'bar'
    return numbers.length >= 2 ? 'scatter' : 'box'
  }
  if (numbers.length === 1) return 'histogram'
  if (numbers.length > 1 && isRising(values(numbers[0]!))) return 'line'
  return numbers.length > 2 ? 'correlation' : 'scatter'
}

function shownOf(shown: number, all: number, what: string): Pick<ChartFrame, 'note'> {
  return shown < all ? { note: `${shown.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} ${what} shown` } : {}
}

function noted(...notes: readonly (string | undefined)[]): Pick<ChartFrame, 'note'> {
  const said = notes.filter((note) => note !== undefined)
  return said.length === 0 ? {} : { note: said.join('; ') }
}

function bars(variables: readonly Variable[]): Laid<'bar'> {
  const axis = variables.find(({ role }) => role === 'category') ?? variables.find(({ role }) => role === 'time')
  const numbers = variables.filter((each) => each.role === 'number')
  const by = axis ?? numbers.shift()
  if (by === undefined) throw unfit('bar', 'a category and numbers, or a category alone', variables)
  const names = labels(by)
  if (numbers.length === 0) {
    const counts = countOf(names)
    const shown = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, maxGroups)
    const series = [{ name: 'rows', values: shown.map(([, count]) => count) }]
    return {
      data: { labels: shown.map(([name]) => name), series },
      frame: {
        title: `rows by ${by.name}`,
        xLabel: 'rows',
        ...shownOf(shown.length, counts.size, `values of ${by.name}`),
      },
    }
  }
  const means = numbers.slice(0, maxSeries).map((each) => meansBy(names, values(each)))
  const distinct = [...means[0]!.keys()]
  const repeated = distinct.length < names.length
  // A query's own order stays; what is summed up here goes by size.
  if (repeated && by.role === 'category') {
    const size = (name: string): number => means[0]!.get(name) ?? Number.NEGATIVE_INFINITY
    distinct.sort((a, b) => size(b) - size(a))
  }
  const shown = distinct.slice(0, maxGroups)
  const series = means.map((each, i) => ({ name: numbers[i]!.name, values: shown.map((name) => each.get(name)!) }))
  const what = numbers.map(({ name }) => name).join(', ')
  return {
    data: { labels: shown, series },
    frame: {
      title: `${repeated ? 'mean of ' : ''}${what} by ${by.name}`,
      ...(series.length === 1 ? { xLabel: `${repeated ? 'mean of ' : ''}${series[0]!.name}` } : {}),
      ...shownOf(shown.length, distinct.length, `values of ${by.name}`),
    },
  }
}

function lines(variables: readonly Variable[], kind: 'line' | 'area' = 'line'): Laid<'line'> & Laid<'area'> {
  const axis = variables.find(({ role }) => role === 'time') ?? variables.find(({ role }) => role === 'number')
  const numbers = variables.filter((each) => each !== axis && each.role === 'number')
  if (axis === undefined || numbers.length === 0) throw unfit(kind, 'a date or number, and numbers', variables)
  const x = values(axis)
  const category = variables.find(({ role }) => role === 'category')
  const groups = category === undefined ? undefined : grouped(labels(category))
  let repeated = false
  const all =
    groups === undefined
      ? numbers.map((each) => ({ name: each.name, rows: indices(x.length), y: values(each) }))
      : [...groups].map(([name, rows]) => ({ name, rows, y: values(numbers[0]!) }))
  const series = all.slice(0, maxSeries).map(({ name, rows, y }) => {
    const order = rows.filter((i) => Number.isFinite(x[i])).sort((a, b) => x[a]! - x[b]!)
    const means = meansBy(
      order.map((i) => x[i]!),
      Float64Array.from(order, (i) => y[i]!),
    )
    repeated ||= means.size < order.length
    return { name, x: [...means.keys()], y: [...means.values()] }
  })
  const what = groups === undefined ? numbers.map(({ name }) => name).join(', ') : numbers[0]!.name
  const mean = repeated ? 'mean of ' : ''
  return {
    data: { series, dates: axis.role === 'time' },
    frame: {
      title: `${mean}${what} over ${axis.name}`,
      xLabel: axis.name,
      ...(numbers.length === 1 || groups !== undefined ? { yLabel: `${mean}${numbers[0]!.name}` } : {}),
      ...shownOf(series.length, all.length, groups === undefined ? 'columns' : `values of ${category!.name}`),
    },
  }
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
  return {
    data: { series, datesX: first.role === 'time', datesY: second.role === 'time' },
    frame: {
      title: `${second.name} against ${first.name}`,
      xLabel: first.name,
      yLabel: second.name,
      ...noted(
        category === undefined ? undefined : shownOf(series.length, groups.size, `values of ${category.name}`).note,
        scatterNote({ series }),
      ),
    },
  }
}

/** How many points lie so far out that they are not drawn. */
export function scatterNote({ series }: ScatterData): string | undefined {
  const [across, upwards] = [bulk(series.flatMap(({ x }) => x)), bulk(series.flatMap(({ y }) => y))]
  const outside = (value: number, range: readonly [number, number] | undefined): boolean =>
    range !== undefined && (value < range[0] || value > range[1])
  let left = 0
  for (const { x, y } of series) x.forEach((x, i) => (left += outside(x, across) || outside(y[i]!, upwards) ? 1 : 0))
  return left === 0 ? undefined : `${left} points far outside are not drawn`
}

function histogram(variables: readonly Variable[]): Laid<'histogram'> {
  const of = variables.find(({ role }) => role !== 'category')
  if (of === undefined) throw unfit('histogram', 'a number or date', variables)
  const whole = of.column.type === 'int32' || of.column.type === 'int64'
  return {
    data: { ...binned(values(of), whole), dates: of.role === 'time' },
    frame: { title: `distribution of ${of.name}`, xLabel: of.name },
  }
}

function heatmap(variables: readonly Variable[]): Laid<'heatmap'> {
  const categories = variables.filter(({ role }) => role !== 'number')
  const numbers = variables.filter(({ role }) => role === 'number')
  while (categories.length < 2 && numbers.length > 0) categories.push(numbers.shift()!)
  const [down, across] = categories
  if (down === undefined || across === undefined) throw unfit('heatmap', 'two categories', variables)
  const [rowNames, columnNames] = [labels(down), labels(across)]
  const all = [rowNames, columnNames].map((names) => [...new Set(names)].sort(inOrder))
  const [rows, columns] = all.map((names) => names.slice(0, maxGroups))
  const measure = numbers[0]
  const keys = rowNames.map((row, i) => JSON.stringify([row, columnNames[i]]))
  const cells = measure === undefined ? countOf(keys) : meansBy(keys, values(measure))
  const table = rows!.map((row) => columns!.map((column) => cells.get(JSON.stringify([row, column])) ?? null))
  const what = measure === undefined ? 'rows' : `${cells.size < keys.length ? 'mean of ' : ''}${measure.name}`
  const most = Math.max(...all.map((names) => names.length))
  return {
    data: { rows: rows!, columns: columns!, values: table },
    frame: {
      title: `${what} by ${down.name} and ${across.name}`,
      xLabel: across.name,
      yLabel: down.name,
      ...shownOf(
        Math.min(most, maxGroups),
        most,
        `values of ${(all[0]!.length >= all[1]!.length ? down : across).name}`,
      ),
    },
  }
}

/** Numbers in their own order, texts in theirs. */
function inOrder(a: string, b: string): number {
  const [x, y] = [Number(a.replaceAll(',', '')), Number(b.replaceAll(',', ''))]
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y
  return a < b ? -1 : a > b ? 1 : 0
}

function correlation(variables: readonly Variable[]): Laid<'correlation'> {
  const numbers = variables.filter(({ role }) => role === 'number').slice(0, maxGroups)
  if (numbers.length < 2) throw unfit('correlation', 'two numbers or more', variables)
  const columns = numbers.map(values)
  return {
    data: correlationData(
      numbers.map(({ name }) => name),
      columns.map((a) => columns.map((b) => pearson(a, b))),
    ),
    frame: { title: `correlation of ${numbers.length} columns` },
  }
}

/** Over the rows where both are present; null where one does not vary. */
function pearson(a: Float64Array, b: Float64Array): number | null {
  const rows = indices(a.length).filter((i) => Number.isFinite(a[i]) && Number.isFinite(b[i]))
  const mean = (of: Float64Array): number => rows.reduce((sum, i) => sum + of[i]!, 0) / rows.length
  const [meanA, meanB] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (const i of rows) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa > 0 && bb > 0 ? Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb))) : null
}

function boxes(variables: readonly Variable[]): Laid<'box'> {
  const number = variables.find(({ role }) => role === 'number')
  if (number === undefined) throw unfit('box', 'a number, and a category or none', variables)
  const category = variables.find(({ role }) => role === 'category')
  const y = values(number)
  const groups = category === undefined ? new Map([[number.name, indices(y.length)]]) : grouped(labels(category))
  const summaries = [...groups]
    .slice(0, maxGroups)
    .map(([name, rows]) =>
      boxSummary(
        name,
        rows.map((i) => y[i]!),
      ),
    )
    .filter(({ median }) => !Number.isNaN(median))
  return {
    data: { groups: inNumberOrder(summaries) },
    frame: {
      title: category === undefined ? number.name : `${number.name} by ${category.name}`,
      xLabel: number.name,
      ...noted(
        category === undefined
          ? undefined
          : shownOf(Math.min(groups.size, maxGroups), groups.size, `values of ${category.name}`).note,
        boxNote({ groups: summaries }),
      ),
    },
  }
}

export const layouts: { readonly [K in ChartKind]: (variables: readonly Variable[]) => Laid<K> } = {
  bar: bars,
  line: (variables) => lines(variables),
  area: (variables) => lines(variables, 'area'),
  scatter,
  histogram,
  box: boxes,
  heatmap,
  correlation,
}

export function unfit(
  kind: ChartKind,
  expected: string,
  variables: readonly Pick<Variable, 'name' | 'role'>[],
): OptionError {
  return new OptionError({
    operation: `${kind} chart`,
    expected,
    received: variables.map(({ name, role }) => `${name} (${role})`).join(', ') || 'no column that can be drawn',
    hint: 'Select other columns, or let the chart be chosen with "auto"',
  })
}
