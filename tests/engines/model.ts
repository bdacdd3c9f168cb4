import { call, col, count, countDistinct, type Expr, lit, max, mean, min, sum, when } from '../../src/plan/index.ts'
import type { Table } from '../../src/table/index.ts'

// A query engine of a few hundred lines of plain TypeScript, which knows rows as arrays: what random plans are held against.

export type ModelType = 'int' | 'float' | 'text' | 'bool'
export interface ModelColumn {
  readonly name: string
  readonly type: ModelType
}
export type Row = readonly unknown[]
/** A table twice: as a plan, and as the rows that it must give. */
export interface Pair {
  readonly table: Table
  readonly columns: readonly ModelColumn[]
  readonly rows: readonly Row[]
}
/** An expression twice. */
interface Term {
  readonly expr: Expr
  readonly of: (row: Row) => unknown
}

/** Numbers that decide what a plan becomes; zero where they have run out, so that shorter ones give simpler plans. */
export class Choices {
  private readonly numbers: readonly number[]
  private at = 0
  private names = 0

  constructor(numbers: readonly number[]) {
    this.numbers = numbers
  }
  below(n: number): number {
    return (this.numbers[this.at++] ?? 0) % n
  }
  /** A name that no column of the plan has. */
  name(stem = 'c'): string {
    return `${stem}_${++this.names}`
  }
  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}

/** SQL's order of present values: NaN greater than all, text by its UTF-8 bytes. */
export function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return a < b ? -1 : a > b ? 1 : 0
  }
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Number(a) - Number(b)
}
const key = (value: unknown): string =>
  typeof value === 'number' ? `n${value + 0}` : `${typeof value}${String(value)}`
const keys = (values: readonly unknown[]): string => JSON.stringify(values.map(key))
const present = (value: unknown): boolean => value !== null

// ── expressions ────────────────────────────────────────────────────────────────────────────────────────────────────────

const constants: { readonly [T in ModelType]: readonly (string | number | boolean)[] } = {
  int: [0, 1, -3, 7],
  float: [0, 0.5, -2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
  text: ['', 'a', 'B', 'é', 'e\u0301', '\u{1f600}', 'ab%'],
  bool: [true, false],
}
type Binary = (a: unknown, b: unknown) => unknown
const strict =
  (f: (a: never, b: never) => unknown): Binary =>
  (a, b) =>
    present(a) && present(b) ? f(a as never, b as never) : null
const comparisons = {
  equal: (n: number) => n === 0,
  notEqual: (n: number) => n !== 0,
  less: (n: number) => n < 0,
  lessEqual: (n: number) => n <= 0,
  greater: (n: number) => n > 0,
  greaterEqual: (n: number) => n >= 0,
} as const

function leaf(type: ModelType, columns: readonly ModelColumn[], choices: Choices): Term {
  const fitting = columns.flatMap((column, i) => (column.type === type ? [{ name: column.name, i }] : []))
  if (fitting.length > 0 && choices.below(4) > 0) {
    const { name, i } = choices.one(fitting)
    return { expr: col(name), of: (row) => row[i] }
  }
  const value = choices.one(constants[type])
  // An integer constant would be one for floats too.
  return { expr: type === 'float' ? lit(value).cast('float64') : lit(value), of: () => value }
}

/** A random expression of a type. Integers stay below 10, so that nothing overflows. */
export function term(type: ModelType, columns: readonly ModelColumn[], choices: Choices, depth = 2): Term {
  if (depth === 0 || choices.below(3) === 0) return leaf(type, columns, choices)
  const inner = (of: ModelType): Term => term(of, columns, choices, depth - 1)
  const general = choices.below(4)
  if (general === 0) {
    const [test, a, b] = [inner('bool'), inner(type), inner(type)]
    return {
      expr: when(test.expr, a.expr).otherwise(b.expr),
      of: (row) => (test.of(row) === true ? a.of(row) : b.of(row)),
    }
  }
  if (general === 1) {
    const [a, b] = [inner(type), inner(type)]
    return { expr: a.expr.coalesce(b.expr), of: (row) => a.of(row) ?? b.of(row) }
  }
  return special[type](inner, choices)
}

function binary(a: Term, b: Term, name: 'add' | 'subtract' | 'multiply' | 'and' | 'or' | 'concat', f: Binary): Term {
  return { expr: call(name, a.expr, b.expr), of: (row) => f(a.of(row), b.of(row)) }
}

const special: { readonly [T in ModelType]: (inner: (type: ModelType) => Term, choices: Choices) => Term } = {
  int: (inner, choices) => {
    const name = choices.one(['add', 'subtract', 'multiply', 'length'] as const)
    if (name === 'length') {
      const text = inner('text')
      return {
        expr: text.expr.length().modulo(10),
        of: (row) => strict((t: string) => Array.from(t).length % 10)(text.of(row), 0),
      }
    }
    const f = { add: (a: number, b: number) => a + b, subtract: (a: number, b: number) => a - b, multiply: (a: number, b: number) => a * b }[name] // prettier-ignore
    const whole = binary(inner('int'), inner('int'), name, strict(f))
    // `+ 0` since JavaScript's remainder may be -0.
    return {
      expr: whole.expr.modulo(10),
      of: (row) => strict((n: number) => (n % 10) + 0)(whole.of(row), 0),
    }
  },
  float: (inner, choices) => {
    const name = choices.one(['add', 'subtract', 'multiply', 'divide', 'negate'] as const)
    const a = inner('float')
    if (name === 'negate') return { expr: a.expr.negate(), of: (row) => strict((n: number) => -n)(a.of(row), 0) }
    const b = inner('float')
    if (name === 'divide') {
      return {
        expr: a.expr.divide(b.expr),
        of: (row) => strict((n: number, by: number) => (by === 0 ? null : n / by))(a.of(row), b.of(row)),
      }
    }
    const f = { add: (x: number, y: number) => x + y, subtract: (x: number, y: number) => x - y, multiply: (x: number, y: number) => x * y }[name] // prettier-ignore
    return binary(a, b, name, strict(f))
  },
  text: (inner, choices) => {
    const a = inner('text')
    switch (choices.below(4)) {
      case 0:
        return {
          expr: a.expr.reverse(),
          of: (row) => strict((t: string) => Array.from(t).reverse().join(''))(a.of(row), 0),
        }
      case 1:
        return {
          expr: a.expr.substring(2, 2),
          of: (row) => strict((t: string) => Array.from(t).slice(1, 3).join(''))(a.of(row), 0),
        }
      case 2: {
        const b = inner('text')
        // Short, so that concatenation does not grow without end.
        const joined = binary(
          a,
          b,
          'concat',
          strict((t: string, u: string) => t + u),
        )
        return {
          expr: joined.expr.left(4),
          of: (row) => strict((t: string) => Array.from(t).slice(0, 4).join(''))(joined.of(row), 0),
        }
      }
      default:
        return {
          expr: a.expr.replace('a', 'é'),
          of: (row) => strict((t: string) => t.replaceAll('a', 'é'))(a.of(row), 0),
        }
    }
  },
  bool: (inner, choices) => {
    const kind = choices.below(6)
    if (kind === 0) {
      const a = inner('bool')
      return { expr: a.expr.not(), of: (row) => strict((b: boolean) => !b)(a.of(row), 0) }
    }
    if (kind === 1) {
      return binary(inner('bool'), inner('bool'), 'and', (a, b) =>
        a === false || b === false ? false : a === null || b === null ? null : true,
      )
    }
    if (kind === 2) {
      return binary(inner('bool'), inner('bool'), 'or', (a, b) =>
        a === true || b === true ? true : a === null || b === null ? null : false,
      )
    }
    const type = choices.one(['int', 'float', 'text'] as const)
    const a = inner(type)
    if (kind === 3) return { expr: a.expr.isNull(), of: (row) => !present(a.of(row)) }
    const b = inner(type)
    if (kind === 4) {
      return {
        expr: a.expr.isDistinctFrom(b.expr),
        of: (row) => {
          const [x, y] = [a.of(row), b.of(row)]
          return present(x) && present(y) ? order(x, y) !== 0 : present(x) !== present(y)
        },
      }
    }
    const name = choices.one(Object.keys(comparisons) as (keyof typeof comparisons)[])
    return {
      expr: call(name, a.expr, b.expr),
      of: (row) => strict((x: unknown, y: unknown) => comparisons[name](order(x, y)))(a.of(row), b.of(row)),
    }
  },
}

// ── plans ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

type Step = (pair: Pair, other: Pair, choices: Choices) => Pair
const distinctRows = (rows: readonly Row[]): Row[] => [...new Map(rows.map((row) => [keys(row), row])).values()]

function grouped(
  rows: readonly Row[],
  by: (row: Row) => readonly unknown[],
): readonly (readonly [Row, readonly Row[]])[] {
  const groups = new Map<string, [Row, Row[]]>()
  for (const row of rows) {
    const values = by(row)
    const group = groups.get(keys(values)) ?? [values, []]
    group[1].push(row)
    groups.set(keys(values), group)
  }
  return [...groups.values()]
}

const aggregates: readonly (readonly [
  types: readonly ModelType[],
  of: (name: string) => Expr,
  result: (type: ModelType) => ModelType,
  reduce: (values: readonly unknown[]) => unknown,
])[] = [
  [['int', 'float', 'text', 'bool'], (c) => count(c).modulo(10), () => 'int', (v) => v.length % 10],
  [['int', 'float', 'text'], (c) => countDistinct(c).modulo(10), () => 'int', (v) => new Set(v.map(key)).size % 10],
  [['int', 'float', 'text'], min, (type) => type, (v) => [...v].sort(order)[0] ?? null],
  [['int', 'float', 'text'], max, (type) => type, (v) => [...v].sort(order).at(-1) ?? null],
  [
    ['int'],
    (c) => sum(c).modulo(10),
    () => 'int',
    (v) => (v.length === 0 ? null : ((v as number[]).reduce((a, b) => a + b, 0) % 10) + 0),
  ],
  [
    ['int'],
    mean,
    () => 'float',
    (v) => (v.length === 0 ? null : (v as number[]).reduce((a, b) => a + b, 0) / v.length),
  ],
]

const steps: readonly Step[] = [
  function filter(pair, _, choices) {
    const { expr, of } = term('bool', pair.columns, choices, 3)
    return { ...pair, table: pair.table.filter(expr), rows: pair.rows.filter((row) => of(row) === true) }
  },
  function withColumn(pair, _, choices) {
    const type = choices.one(['int', 'float', 'text', 'bool'] as const)
    const { expr, of } = term(type, pair.columns, choices, 3)
    const name = choices.name()
    return {
      table: pair.table.withColumns({ [name]: expr }),
      columns: [...pair.columns, { name, type }],
      rows: pair.rows.map((row) => [...row, of(row)]),
    }
  },
  function aggregate(pair, _, choices) {
    const by = pair.columns.flatMap((column, i) => (choices.below(3) === 0 ? [{ ...column, i }] : []))
    const chosen = pair.columns.flatMap((column, i) => {
      const fitting = aggregates.filter(([types]) => types.includes(column.type))
      return fitting.length > 0 && choices.below(2) === 0
        ? [{ ...column, i, how: choices.one(fitting), as: choices.name() }]
        : []
    })
    const results = Object.fromEntries(chosen.map(({ name, how, as }) => [as, how[1](name)]))
    const n = choices.name()
    const groups = by.length === 0 ? [[[], pair.rows] as const] : grouped(pair.rows, (row) => by.map(({ i }) => row[i]))
    const table = by.length === 0 ? pair.table.agg({ ...results, [n]: count() }) : pair.table.groupBy(...by.map(({ name }) => name)).agg({ ...results, [n]: count() }) // prettier-ignore
    return {
      table: table.withColumns({ [n]: col(n).modulo(10) }),
      columns: [
        ...by,
        ...chosen.map(({ as, type, how }) => ({ name: as, type: how[2](type) })),
        { name: n, type: 'int' },
      ],
      rows: groups.map(([values, rows]) => [
        ...values,
        ...chosen.map(({ i, how }) => how[3](rows.map((row) => row[i]).filter(present))),
        rows.length % 10,
      ]),
    }
  },
  function join(pair, other, choices) {
    const as = new Map(other.columns.map(({ name }) => [name, choices.name(name)]))
    const right = {
      table: other.table.rename(Object.fromEntries(as)),
      columns: other.columns.map(({ name, type }) => ({ name: as.get(name)!, type })),
      rows: other.rows,
    }
    const pairs = pair.columns.flatMap((l, i) => right.columns.flatMap((r, j) => (l.type === r.type ? [{ l, r, i, j }] : []))) // prettier-ignore
    if (pairs.length === 0) return pair
    const { l, r, i, j } = choices.one(pairs)
    const type = choices.one(['inner', 'left', 'right', 'full', 'semi', 'anti'] as const)
    const matches = (a: Row, b: Row): boolean => present(a[i]) && present(b[j]) && order(a[i], b[j]) === 0
    const table = pair.table.join(right.table, { on: [[l.name, r.name]], type })
    if (type === 'semi' || type === 'anti') {
      const has = (row: Row): boolean => right.rows.some((b) => matches(row, b))
      return { ...pair, table, rows: pair.rows.filter((row) => has(row) === (type === 'semi')) }
    }
    const none = (length: number): Row => Array<null>(length).fill(null)
    const inner = pair.rows.flatMap((a) => right.rows.filter((b) => matches(a, b)).map((b) => [...a, ...b]))
    const left = pair.rows.filter((a) => !right.rows.some((b) => matches(a, b)))
    const rest = right.rows.filter((b) => !pair.rows.some((a) => matches(a, b)))
    return {
      table,
      columns: [...pair.columns, ...right.columns],
      rows: [
        ...inner,
        ...(type === 'left' || type === 'full' ? left.map((a) => [...a, ...none(right.columns.length)]) : []),
        ...(type === 'right' || type === 'full' ? rest.map((b) => [...none(pair.columns.length), ...b]) : []),
      ],
    }
  },
  function union(pair, _, choices) {
    const { expr, of } = term('bool', pair.columns, choices)
    const part = pair.rows.filter((row) => of(row) === true)
    return { ...pair, table: pair.table.union(pair.table.filter(expr)), rows: [...pair.rows, ...part] }
  },
  function setOperation(pair, _, choices) {
    const { expr, of } = term('bool', pair.columns, choices)
    const name = choices.one(['intersect', 'except'] as const)
    const part = new Set(pair.rows.filter((row) => of(row) === true).map(keys))
    const rows = distinctRows(pair.rows).filter((row) => part.has(keys(row)) === (name === 'intersect'))
    return { ...pair, table: pair.table[name](pair.table.filter(expr)), rows }
  },
  function distinct(pair) {
    return { ...pair, table: pair.table.distinct(), rows: distinctRows(pair.rows) }
  },
  function sortLimit(pair, _, choices) {
    // By all columns: what comes first does not depend on what an engine does with equals.
    const directions = pair.columns.map(() => choices.below(2) === 1)
    const nulls = choices.one(['first', 'last'] as const)
    const n = choices.below(6)
    const sorted = [...pair.rows].sort((a, b) => {
      for (const [i, descending] of directions.entries()) {
        const [x, y] = [a[i], b[i]]
        if (!present(x) || !present(y)) {
          if (present(x) === present(y)) continue
          return present(x) === (nulls === 'last') ? -1 : 1
        }
        const c = order(x, y)
        if (c !== 0) return descending ? -c : c
      }
      return 0
    })
    const by = pair.columns.map(({ name }, i) =>
      directions[i] ? col(name).descending(nulls) : col(name).ascending(nulls),
    )
    return { ...pair, table: pair.table.sort(...by).limit(n), rows: sorted.slice(0, n) }
  },
  function rename(pair, _, choices) {
    const { name } = choices.one(pair.columns)
    const to = choices.name()
    return {
      ...pair,
      table: pair.table.rename({ [name]: to }),
      columns: pair.columns.map((column) => (column.name === name ? { ...column, name: to } : column)),
    }
  },
  function drop(pair, _, choices) {
    if (pair.columns.length < 2) return pair
    const i = choices.below(pair.columns.length)
    return {
      table: pair.table.drop(pair.columns[i]!.name),
      columns: pair.columns.filter((__, k) => k !== i),
      rows: pair.rows.map((row) => row.filter((__, k) => k !== i)),
    }
  },
  function dropNull(pair, _, choices) {
    const i = choices.below(pair.columns.length)
    return {
      ...pair,
      table: pair.table.dropNull(pair.columns[i]!.name),
      rows: pair.rows.filter((row) => present(row[i])),
    }
  },
]

/** A table after some random steps. */
export function randomPlan(base: Pair, other: Pair, numbers: readonly number[]): Pair {
  const choices = new Choices(numbers)
  let pair = base
  for (let left = 1 + choices.below(5); left > 0; left--) {
    const next = choices.one(steps)(pair, other, choices)
    // Joins multiply.
    if (next.rows.length > 200 || next.columns.length > 24) break
    pair = next
  }
  return pair
}
