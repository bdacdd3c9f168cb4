import { type Expression, type Scalar, visitExpression } from '../expression.ts'
import type { ScalarFunction } from '../functions/index.ts'
import { sparkType, typeClass } from './spark-types.ts'

/** Types of Spark by what is known; undefined where only the server can tell. */
export interface KnownTypes {
  /** Of the columns an expression sees. */
  readonly columns: ReadonlyMap<string, string> | undefined
  /** Of a join's sides. */
  readonly sideColumns?: { readonly [side in 'left' | 'right']: ReadonlyMap<string, string> | undefined } | undefined
  /** What the server told of expressions. */
  readonly told: ReadonlyMap<Expression, string>
}

const fixed = {
  string: [
    'concat',
    'lower',
    'upper',
    'trim',
    'substring',
    'replace',
    'regexExtract',
    'regexReplace',
    'splitPart',
    'formatDate',
  ],
  boolean: [
    'equal',
    'notEqual',
    'less',
    'lessEqual',
    'greater',
    'greaterEqual',
    'isDistinctFrom',
    'isNull',
    'isNaN',
    'isFinite',
    'and',
    'or',
    'not',
    'contains',
    'startsWith',
    'endsWith',
    'regexMatch',
  ],
  bigint: [
    'length',
    'year',
    'month',
    'day',
    'hour',
    'minute',
    'second',
    'dayOfWeek',
    'dayOfYear',
    'week',
    'quarter',
    'hash',
  ],
  double: ['power', 'sqrt', 'exp', 'ln', 'log10', 'epoch'],
  tinyint: ['sign'],
  timestamp_ntz: ['parseDate'],
} satisfies Readonly<Record<string, readonly ScalarFunction[]>>
const results = new Map<ScalarFunction, string>(
  Object.entries(fixed).flatMap(([type, functions]) => functions.map((name): [ScalarFunction, string] => [name, type])),
)
/** Results of the type that their arguments have in common, where that is plain to see. */
const common = new Set<ScalarFunction>([
  'greatest',
  'least',
  'coalesce',
  'nullIf',
  'negate',
  'abs',
  'add',
  'subtract',
  'multiply',
  'modulo',
])
const widths = ['tinyint', 'smallint', 'int', 'bigint']

/** The type of an expression without asking a server, where that is certain. */
export function knownType(expression: Expression, known: KnownTypes): string | undefined {
  const told = known.told.get(expression)
  if (told !== undefined) return told
  return visitExpression<string | undefined>(expression, {
    column: (e) => known.columns?.get(e.name),
    literal: (e) => literalType(e.value),
    call: (e) => {
      const result = results.get(e.function)
      if (result !== undefined) return result
      if (!common.has(e.function)) return undefined
      const types = e.arguments.map((argument) => knownType(argument, known))
      return widest(e.function === 'nullIf' ? types.slice(0, 1) : types)
    },
    case: () => undefined,
    cast: (e) => sparkType(e.to).toLowerCase(),
    lambda: () => undefined,
    variable: () => undefined,
    fromJson: (e) => sparkType(e.to).toLowerCase(),
    in: () => 'boolean',
    aggregate: () => undefined,
    window: (e) => (e.call.kind === 'windowCall' && numbering.has(e.call.function) ? 'bigint' : undefined),
    grouping: () => 'bigint',
    sideColumn: (e) => known.sideColumns?.[e.side]?.get(e.name),
  })
}

/** Window functions that count. */
const numbering: ReadonlySet<string> = new Set(['rowNumber', 'rank', 'denseRank', 'ntile'])

export function literalType(value: Scalar): string {
  if (value === null) return 'void'
  if (value instanceof Date) return 'timestamp_ntz'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'bigint') return 'bigint'
  if (!Number.isInteger(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return 'double'
  return Math.abs(value) < 2 ** 31 ? 'int' : 'bigint'
}

function widest(types: readonly (string | undefined)[]): string | undefined {
  const present = types.filter((type) => type !== 'void')
  if (present.length === 0 || present.includes(undefined)) return undefined
  const [first] = present
  if (present.every((type) => type === first) && typeClass(first!) !== 'decimal') return first
  const classes = new Set(present.map((type) => typeClass(type!)))
  if (classes.size === 1 && classes.has('integer')) {
    return widths[Math.max(...present.map((type) => widths.indexOf(type!)))]
  }
  if (classes.has('double') && [...classes].every((c) => c === 'double' || c === 'integer' || c === 'float'))
    return 'double'
  return undefined
}
