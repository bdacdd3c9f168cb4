import {
  binsFor,
  type BoxSummary,
  type ChartData,
  type ChartFrame,
  type ChartKind,
  correlationData,
  inNumberOrder,
  maxGroups,
  maxSeries,
  scatterNote,
  boxNote,
  unfit,
} from '../../charts/index.ts'
import {
  approxQuantile,
  approxCountDistinct,
  col,
  correlation,
  countDistinct,
  count,
  type Expr,
  lit,
  max,
  min,
  type Plan,
} from '../../plan/index.ts'
import {
  aggregateOf,
  filtered,
  grouped,
  label,
  largest,
  numberOf,
  type Place,
  position,
  type Queries,
} from './queries.ts'
import type { ChartAggregate } from './types.ts'

/** What a picture of a large table is drawn from. */
export interface Reduced<K extends ChartKind> {
  readonly data: ChartData[K]
  readonly frame: ChartFrame
}

export interface Reduction {
  readonly queries: Queries
  readonly places: readonly Place[]
  readonly rows: number
  readonly aggregate: ChartAggregate
}

/** Points of a line, and of a cloud. */
const linePoints = 600
const cloudPoints = 4000

const written = (value: number): string => value.toLocaleString('en-US')

async function bars({ queries, places, rows, aggregate }: Reduction): Promise<Reduced<'bar'>> {
  const by = places.find(({ role }) => role === 'category') ?? places.find(({ role }) => role === 'time') ?? places[0]
  const numbers = places.filter((place) => place.role === 'number' && place !== by).slice(0, maxSeries)
  if (by === undefined) throw unfit('bar', 'a category and numbers, or a category alone', places)
  const values = Object.fromEntries(numbers.map((place, i) => [`v${i}`, aggregateOf[aggregate](position(place))]))
  const keys = grouped(queries.plan, { label: label(by) }, { ...values, rows: count() })
  const [found, { distinct }] = await Promise.all([
    queries.rows(largest(keys, 'rows', maxGroups, 'label')),
    queries.one({ distinct: distinctOf(by.name, rows) }),
  ])
  // The largest first; what follows a calendar in its order.
  if (by.role === 'time') found.sort((a, b) => ((a['label'] as string) < (b['label'] as string) ? -1 : 1))
  else if (numbers.length > 0) found.sort((a, b) => order(b['v0']) - order(a['v0']))
  const what = numbers.map(({ name }) => name).join(', ')
  const title = numbers.length === 0 ? `rows by ${by.name}` : `${aggregate} of ${what} by ${by.name}`
  const left = numberOf(distinct) > found.length && found.length === maxGroups
  return {
    data: {
      labels: found.map((row) => row['label'] as string),
      series:
        numbers.length === 0
          ? [{ name: 'rows', values: found.map((row) => numberOf(row['rows'])) }]
          : numbers.map(({ name }, i) => ({ name, values: found.map((row) => present(row[`v${i}`])) })),
    },
    frame: {
      title,
      ...(numbers.length > 1 ? {} : { xLabel: numbers.length === 0 ? 'rows' : `${aggregate} of ${what}` }),
      note: `${written(rows)} rows${left ? `; the ${maxGroups} most frequent values of ${by.name}, of ${rows > exactRows ? 'about ' : ''}${written(numberOf(distinct))}` : ''}`,
    },
  }
}

async function lines(
  { queries, places, rows, aggregate }: Reduction,
  kind: 'line' | 'area',
): Promise<Reduced<'line'> & Reduced<'area'>> {
  const axis = places.find(({ role }) => role === 'time') ?? places.find(({ role }) => role === 'number')
  const numbers = places.filter((place) => place.role === 'number' && place !== axis)
  const category = places.find(({ role }) => role === 'category')
  if (axis === undefined || numbers.length === 0) throw unfit(kind, 'a date or number, and numbers', places)
  const x = position(axis)
  const { low, high, q1, q2, distinct } = await queries.one({
    low: min(x),
    high: max(x),
    q1: approxQuantile(x, 0.002),
    q2: approxQuantile(x, 0.998),
    distinct: distinctOf(axis.name, rows),
  })
  const [from, to] = reach(numberOf(low), numberOf(high), numberOf(q1), numberOf(q2))
  const cut = from > numberOf(low) || to < numberOf(high)
  const span = to - from
  const width =
    numberOf(distinct) <= linePoints || !(span > 0) ? undefined : stepOf(span / linePoints, axis.role === 'time')
  const key = width === undefined ? x : x.divide(width).floor().multiply(width)
  const names = category === undefined ? undefined : await top(queries, category, maxSeries)
  const measured = category === undefined ? numbers.slice(0, maxSeries) : numbers.slice(0, 1)
  const values = Object.fromEntries(measured.map((place, i) => [`v${i}`, aggregateOf[aggregate](position(place))]))
  const within = cut ? filtered(queries.plan, x.between(from, to)) : queries.plan
  const kept = category === undefined ? within : filtered(within, label(category).in(names!.values))
  const points = await queries.rows({
    kind: 'sort',
    keys: [col('x').ascending()],
    input: filtered(
      grouped(kept, { x: key, ...(category === undefined ? {} : { series: label(category) }) }, values),
      col('x').isNotNull(),
    ),
  })
  const series =
    names === undefined
      ? measured.map(({ name }, i) => ({
          name,
          x: points.map((row) => numberOf(row['x'])),
          y: points.map((row) => present(row[`v${i}`])),
        }))
      : names.values.map((name) => {
          const own = points.filter((row) => row['series'] === name)
          return { name, x: own.map((row) => numberOf(row['x'])), y: own.map((row) => present(row['v0'])) }
        })
  const what = measured.map(({ name }) => name).join(', ')
  const steps =
    width === undefined ? '' : `, a point for each ${axis.role === 'time' ? durationOf(width) : written(width)}`
  const far = cut ? '; rows far outside are left out' : ''
  const left =
    names === undefined || names.all <= maxSeries ? '' : `; the ${maxSeries} most frequent values of ${category!.name}`
  return {
    data: { series, dates: axis.role === 'time' },
    frame: {
      title: `${aggregate} of ${what} over ${axis.name}`,
      xLabel: axis.name,
      ...(measured.length === 1 ? { yLabel: `${aggregate} of ${what}` } : {}),
      note: `${written(rows)} rows${steps}${left}${far}`,
    },
  }
}

async function scatter({ queries, places, rows }: Reduction): Promise<Reduced<'scatter'>> {
  const [first, second] = places.filter(({ role }) => role !== 'category')
  if (first === undefined || second === undefined) throw unfit('scatter', 'two numbers', places)
  const category = places.find(({ role }) => role === 'category')
  const names = category === undefined ? undefined : await top(queries, category, maxSeries)
  const chosen: Plan = {
    kind: 'project',
    input: queries.plan,
    columns: [
      { name: 'x', expression: position(first).node },
      { name: 'y', expression: position(second).node },
      ...(category === undefined ? [] : [{ name: 'series', expression: label(category).node }]),
    ],
  }
  const sample: Plan = {
    kind: 'sample',
    input: filtered(chosen, col('x').isNotNull().and(col('y').isNotNull())),
    size: { fraction: Math.min(1, cloudPoints / rows) },
    seed: 0,
  }
  const points = await queries.rows(sample)
  const of = (name: string | undefined) => {
    const own = name === undefined ? points : points.filter((row) => row['series'] === name)
    return { name: name ?? 'rows', x: own.map((row) => numberOf(row['x'])), y: own.map((row) => numberOf(row['y'])) }
  }
  const series = names === undefined ? [of(undefined)] : names.values.map(of)
  const left = scatterNote({ series })
  return {
    data: {
      series,
      datesX: first.role === 'time',
      datesY: second.role === 'time',
    },
    frame: {
      title: `${second.name} against ${first.name}`,
      xLabel: first.name,
      yLabel: second.name,
      note: `${written(points.length)} of ${written(rows)} rows, drawn at random${left === undefined ? '' : `; ${left}`}`,
    },
  }
}

async function histogram({ queries, places, rows }: Reduction): Promise<Reduced<'histogram'>> {
  const of = places.find(({ role }) => role !== 'category')
  if (of === undefined) throw unfit('histogram', 'a number or date', places)
  const x = position(of)
  const { low, high, q1, q3, present } = await queries.one({
    low: min(x),
    high: max(x),
    q1: approxQuantile(x, 0.25),
    q3: approxQuantile(x, 0.75),
    present: count(x),
  })
  const bins = binsFor({
    low: numberOf(low),
    high: numberOf(high),
    spread: numberOf(q3) - numberOf(q1),
    rows: numberOf(present),
    whole: of.whole,
  })
  const counts = Array.from({ length: bins.count }, () => 0)
  const bin = x.divide(bins.width).floor().subtract(bins.first)
  for (const row of await queries.rows(grouped(filtered(queries.plan, x.isNotNull()), { bin }, { rows: count() }))) {
    const place = Math.min(bins.count - 1, Math.max(0, numberOf(row['bin'])))
    counts[place]! += numberOf(row['rows'])
  }
  const missing = rows - numberOf(present)
  return {
    data: { edges: bins.edges, counts, whole: of.whole, dates: of.role === 'time' },
    frame: {
      title: `distribution of ${of.name}`,
      xLabel: of.name,
      note: `${written(rows)} rows${missing > 0 ? `, ${written(missing)} without a number` : ''}`,
    },
  }
}

async function boxes({ queries, places, rows }: Reduction): Promise<Reduced<'box'>> {
  const of = places.find(({ role }) => role === 'number')
  if (of === undefined) throw unfit('box', 'a number, and a category or none', places)
  const category = places.find(({ role }) => role === 'category')
  const value = position(of)
  const group = category === undefined ? lit(of.name).cast('string') : label(category)
  const quartiles = largest(
    grouped(
      filtered(queries.plan, value.isNotNull()),
      { group },
      {
        rows: count(),
        q1: approxQuantile(value, 0.25),
        median: approxQuantile(value, 0.5),
        q3: approxQuantile(value, 0.75),
      },
    ),
    'rows',
    maxGroups,
    'group',
  )
  const groups = await queries.rows(quartiles)
  const fences: Plan = {
    kind: 'project',
    input: quartiles,
    columns: [
      { name: 'group', expression: col('group').node },
      { name: 'least', expression: col('q1').subtract(col('q3').subtract(col('q1')).multiply(1.5)).node },
      { name: 'most', expression: col('q3').add(col('q3').subtract(col('q1')).multiply(1.5)).node },
    ],
  }
  const joined: Plan = {
    kind: 'join',
    type: 'inner',
    suffix: '_right',
    on: [{ left: 'group', right: 'group' }],
    left: {
      kind: 'project',
      input: filtered(queries.plan, value.isNotNull()),
      columns: [
        { name: 'group', expression: group.node },
        { name: 'value', expression: value.node },
      ],
    },
    right: fences,
  }
  const inside = col('value').between(col('least'), col('most'))
  const ends = await queries.rows(
    grouped(
      joined,
      { group: col('group') },
      {
        low: min('value').filter(inside),
        high: max('value').filter(inside),
        least: min('value').filter(col('value').less(col('least'))),
        most: max('value').filter(col('value').greater(col('most'))),
        beyond: count().filter(inside.not()),
      },
    ),
  )
  const byGroup = new Map(ends.map((row) => [row['group'], row]))
  const summaries = groups.map((row): BoxSummary => {
    const own = byGroup.get(row['group']) ?? {}
    return {
      name: row['group'] as string,
      low: numberOf(own['low']),
      q1: numberOf(row['q1']),
      median: numberOf(row['median']),
      q3: numberOf(row['q3']),
      high: numberOf(own['high']),
      outliers: [own['least'], own['most']].map(numberOf).filter((each) => !Number.isNaN(each)),
    }
  })
  const beyond = ends.reduce((sum, row) => sum + numberOf(row['beyond']), 0)
  return {
    data: { groups: inNumberOrder(summaries) },
    frame: {
      title: category === undefined ? of.name : `${of.name} by ${category.name}`,
      xLabel: of.name,
      note: `${written(rows)} rows, ${written(beyond)} of them beyond the whiskers; ${boxNote({ groups: summaries }) ?? 'the outermost are drawn'}`,
    },
  }
}

async function heatmap({ queries, places, rows, aggregate }: Reduction): Promise<Reduced<'heatmap'>> {
  const categories = places.filter(({ role }) => role !== 'number')
  const numbers = places.filter(({ role }) => role === 'number')
  while (categories.length < 2 && numbers.length > 0) categories.push(numbers.shift()!)
  const [down, across] = categories
  if (down === undefined || across === undefined) throw unfit('heatmap', 'two categories', places)
  const [rowNames, columnNames] = [await top(queries, down, maxGroups), await top(queries, across, maxGroups)]
  const measure = numbers[0]
  const cells = await queries.rows(
    grouped(
      filtered(queries.plan, label(down).in(rowNames.values).and(label(across).in(columnNames.values))),
      { row: label(down), column: label(across) },
      { value: measure === undefined ? count() : aggregateOf[aggregate](position(measure)) },
    ),
  )
  const found = new Map(cells.map((row) => [JSON.stringify([row['row'], row['column']]), present(row['value'])]))
  const [sortedRows, sortedColumns] = [rowNames, columnNames].map(({ values }) =>
    inNumberOrder(values.toSorted().map((name) => ({ name }))).map(({ name }) => name),
  ) as [string[], string[]]
  const left =
    rowNames.all > maxGroups || columnNames.all > maxGroups ? `; the ${maxGroups} most frequent values of each` : ''
  return {
    data: {
      rows: sortedRows,
      columns: sortedColumns,
      values: sortedRows.map((row) => sortedColumns.map((column) => found.get(JSON.stringify([row, column])) ?? null)),
    },
    frame: {
      title: `${measure === undefined ? 'rows' : `${aggregate} of ${measure.name}`} by ${down.name} and ${across.name}`,
      xLabel: across.name,
      yLabel: down.name,
      note: `${written(rows)} rows${left}`,
    },
  }
}

async function correlations({ queries, places, rows }: Reduction): Promise<Reduced<'correlation'>> {
  const numbers = places.filter(({ role }) => role === 'number').slice(0, maxGroups)
  if (numbers.length < 2) throw unfit('correlation', 'two numbers or more', places)
  const pairs: Record<string, Expr> = {}
  numbers.forEach((a, i) =>
    numbers.slice(0, i + 1).forEach((b, j) => (pairs[`${i}.${j}`] = correlation(position(a), position(b)))),
  )
  const found = await queries.one(pairs)
  const at = (i: number, j: number): number | null => present(found[i >= j ? `${i}.${j}` : `${j}.${i}`])
  return {
    data: correlationData(
      numbers.map(({ name }) => name),
      numbers.map((_, i) => numbers.map((_, j) => at(i, j))),
    ),
    frame: { title: `correlation of ${numbers.length} columns`, note: `${written(rows)} rows` },
  }
}

/** Draws a table that does not fit a picture: each kind by the queries that sum it up. */
export const reductions: { readonly [K in ChartKind]: (of: Reduction) => Promise<Reduced<K>> } = {
  bar: bars,
  line: (of) => lines(of, 'line'),
  area: (of) => lines(of, 'area'),
  scatter,
  histogram,
  box: boxes,
  heatmap,
  correlation: correlations,
}

async function top(
  queries: Queries,
  place: Place,
  most: number,
): Promise<{ readonly values: string[]; readonly all: number }> {
  const found = await queries.rows(
    largest(grouped(queries.plan, { label: label(place) }, { rows: count() }), 'rows', most + 1, 'label'),
  )
  const kept = found.slice(0, most).map((row) => ({ name: row['label'] as string }))
  return { values: inNumberOrder(kept).map(({ name }) => name), all: found.length }
}

/** Different values are counted up to this many rows, and estimated beyond. */
const exactRows = 1_000_000

function distinctOf(name: string, rows: number): Expr {
  return rows <= exactRows ? countDistinct(name) : approxCountDistinct(name)
}

/** All values, or where a few lie ten times as far out as the bulk, the bulk. */
function reach(low: number, high: number, most: number, least: number): readonly [number, number] {
  const [from, to] = [Math.min(most, least), Math.max(most, least)]
  if (!(to > from) || high - low <= 10 * (to - from)) return [low, high]
  const margin = (to - from) * 0.02
  return [Math.max(low, from - margin), Math.min(high, to + margin)]
}

function order(value: unknown): number {
  return present(value) ?? Number.NEGATIVE_INFINITY
}

function present(value: unknown): number | null {
  const number = numberOf(value)
  return Number.isFinite(number) ? number : null
}

const second = 1000
/** Steps of time that people count in, in milliseconds, up to a year of 365 days. */
const timeSteps = [
  1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000, 7_776_000, 31_536_000,
].map((seconds) => seconds * second)

function stepOf(least: number, time: boolean): number {
  if (time) return timeSteps.find((step) => step >= least) ?? Math.ceil(least / timeSteps.at(-1)!) * timeSteps.at(-1)!
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? least
}

function durationOf(milliseconds: number): string {
  const [size, unit] = (
    [
      [86_400, 'day'],
      [3600, 'hour'],
      [60, 'minute'],
      [1, 'second'],
    ] as const
  ).find(([size]) => milliseconds / second >= size) ?? [1, 'second']
  const number = milliseconds / second / size
  return number === 1 ? unit : `${written(number)} ${unit}s`
}
