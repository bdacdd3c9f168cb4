import { didYouMean, OptionError } from '../core/index.ts'
import { call, col, Expr, lit } from './expr.ts'
import type { Scalar } from './expression.ts'
import type { ScalarFunction } from './functions/index.ts'

/** Functions of conditions by the name that stands in the text, with the least and the most arguments they take. */
const functions: Readonly<Record<string, readonly [ScalarFunction, least: number, most: number]>> = {
  abs: ['abs', 1, 1],
  floor: ['floor', 1, 1],
  ceil: ['ceil', 1, 1],
  round: ['round', 1, 2],
  sqrt: ['sqrt', 1, 1],
  exp: ['exp', 1, 1],
  ln: ['ln', 1, 1],
  greatest: ['greatest', 2, 99],
  least: ['least', 2, 99],
  coalesce: ['coalesce', 1, 99],
  nullif: ['nullIf', 2, 2],
  lower: ['lower', 1, 1],
  upper: ['upper', 1, 1],
  trim: ['trim', 1, 1],
  length: ['length', 1, 1],
  substring: ['substring', 3, 3],
  replace: ['replace', 3, 3],
  concat: ['concat', 2, 99],
  contains: ['contains', 2, 2],
  starts_with: ['startsWith', 2, 2],
  ends_with: ['endsWith', 2, 2],
  matches: ['regexMatch', 2, 2],
  year: ['year', 1, 1],
  month: ['month', 1, 1],
  day: ['day', 1, 1],
  hour: ['hour', 1, 1],
  minute: ['minute', 1, 1],
  day_of_week: ['dayOfWeek', 1, 1],
  day_of_year: ['dayOfYear', 1, 1],
  quarter: ['quarter', 1, 1],
  is_nan: ['isNaN', 1, 1],
  is_finite: ['isFinite', 1, 1],
}

const comparisons: Readonly<Record<string, ScalarFunction>> = {
  '=': 'equal',
  '==': 'equal',
  '<>': 'notEqual',
  '!=': 'notEqual',
  '<': 'less',
  '<=': 'lessEqual',
  '>': 'greater',
  '>=': 'greaterEqual',
}

interface Token {
  readonly kind: 'number' | 'string' | 'name' | 'quoted' | 'symbol' | 'end'
  readonly text: string
  readonly at: number
}

/**
 * A condition written as SQL writes it, as an expression that every engine runs alike: comparisons, `and`, `or`, `not`,
 * `between`, `in (…)`, `is null`, arithmetic, `date '2024-01-31'`, columns (quoted `"Ship Date"` where they are no plain
 * word) and the functions abs, round, length, lower, matches(text, pattern), year, coalesce and the like.
 *
 * ```ts
 * const condition = parseCondition(`"Ship Date" >= "Order Date" and discount between 0 and 1`)
 * ```
 *
 * @throws OptionError with the place where it stops being one.
 */
export function parseCondition(text: string): Expr {
  return new Parser(text).whole()
}

class Parser {
  private readonly text: string
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(text: string) {
    this.text = text
    this.tokens = tokensOf(text)
  }

  whole(): Expr {
    const condition = this.or()
    if (this.next.kind !== 'end') throw this.unexpected('and, or, or the end')
    return condition
  }

  private get next(): Token {
    return this.tokens[this.at]!
  }
  private word(...words: readonly string[]): boolean {
    const { kind, text } = this.next
    if (kind !== 'name' || !words.includes(text.toLowerCase())) return false
    this.at++
    return true
  }
  private symbol(text: string): boolean {
    if (this.next.kind !== 'symbol' || this.next.text !== text) return false
    this.at++
    return true
  }
  private expect(symbol: string): void {
    if (!this.symbol(symbol)) throw this.unexpected(`"${symbol}"`)
  }

  private or(): Expr {
    let left = this.and()
    while (this.word('or')) left = left.or(this.and())
    return left
  }
  private and(): Expr {
    let left = this.not()
    while (this.word('and')) left = left.and(this.not())
    return left
  }
  private not(): Expr {
    return this.word('not') ? this.not().not() : this.comparison()
  }

  private comparison(): Expr {
    const left = this.sum()
    const { kind, text } = this.next
    if (kind === 'symbol' && Object.hasOwn(comparisons, text)) {
      this.at++
      return call(comparisons[text]!, left, this.sum())
    }
    if (this.word('is')) {
      const negated = this.word('not')
      if (!this.word('null')) throw this.unexpected('null')
      return negated ? left.isNotNull() : left.isNull()
    }
    const negated = this.word('not')
    if (this.word('between')) {
      const low = this.sum()
      if (!this.word('and')) throw this.unexpected('and')
      const inside = left.between(low, this.sum())
      return negated ? inside.not() : inside
    }
    if (this.word('in')) {
      const inside = left.in(this.list())
      return negated ? inside.not() : inside
    }
    if (negated) throw this.unexpected('between or in')
    return left
  }

  private list(): Scalar[] {
    this.expect('(')
    const values: Scalar[] = []
    do {
      const { node } = this.sum()
      if (node.kind !== 'literal') throw this.unexpected('constants')
      values.push(node.value)
    } while (this.symbol(','))
    this.expect(')')
    return values
  }

  private sum(): Expr {
    let left = this.product()
    for (;;) {
      if (this.symbol('+')) left = left.add(this.product())
      else if (this.symbol('-')) left = left.subtract(this.product())
      else if (this.symbol('||')) left = left.concat(this.product())
      else return left
    }
  }
  private product(): Expr {
    let left = this.unary()
    for (;;) {
      if (this.symbol('*')) left = left.multiply(this.unary())
      else if (this.symbol('/')) left = left.divide(this.unary())
      else if (this.symbol('%')) left = left.modulo(this.unary())
      else return left
    }
  }
  private unary(): Expr {
    if (!this.symbol('-')) return this.primary()
    const { node } = this.unary()
    return node.kind === 'literal' && typeof node.value === 'number' ? lit(-node.value) : new Expr(node).negate()
  }

  private primary(): Expr {
    if (this.symbol('(')) {
      const inner = this.or()
      this.expect(')')
      return inner
    }
    const token = this.next
    this.at++
    switch (token.kind) {
      case 'number': {
        const value = Number(token.text)
        return lit(Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(token.text) : value)
      }
      case 'string':
        return lit(token.text)
      case 'quoted':
        return col(token.text)
      case 'name':
        return this.named(token)
      case 'symbol':
      case 'end':
        this.at--
        throw this.unexpected('a column, a value or "("')
    }
  }

  private named(token: Token): Expr {
    const lower = token.text.toLowerCase()
    if (lower === 'true' || lower === 'false') return lit(lower === 'true')
    if (lower === 'null') return lit(null)
    if ((lower === 'date' || lower === 'timestamp') && this.next.kind === 'string') {
      const date = new Date(this.next.text.length > 10 ? `${this.next.text.replace(' ', 'T')}Z` : this.next.text)
      if (Number.isNaN(date.getTime())) throw this.unexpected(`a ${lower} such as '2024-01-31'`)
      this.at++
      return lower === 'date' ? lit(date).cast('date') : lit(date)
    }
    if (!this.symbol('(')) return col(token.text)
    const values: Expr[] = []
    if (!this.symbol(')')) {
      do values.push(this.or())
      while (this.symbol(','))
      this.expect(')')
    }
    const found = Object.hasOwn(functions, lower) ? functions[lower] : undefined
    if (found === undefined) {
      throw new OptionError({
        operation: 'condition',
        expected: 'a function that is known',
        received: `${token.text}() at character ${token.at + 1} of ${this.text}`,
        hint: didYouMean(lower, Object.keys(functions)),
      })
    }
    const [name, least, most] = found
    if (values.length < least || values.length > most) {
      throw new OptionError({
        operation: 'condition',
        expected: `${least === most ? least : `${least} to ${most}`} arguments of ${lower}()`,
        received: `${values.length} in ${this.text}`,
      })
    }
    return name === 'round' && values.length === 1 ? values[0]!.round() : call(name, ...values)
  }

  private unexpected(expected: string): OptionError {
    const { kind, text, at } = this.next
    return new OptionError({
      operation: 'condition',
      expected,
      received: kind === 'end' ? `the end of: ${this.text}` : `"${text}" at character ${at + 1} of: ${this.text}`,
      hint: 'For example: amount >= 0 and "Ship Date" >= "Order Date"',
    })
  }
}

const token =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_]*)|(<=|>=|<>|!=|==|\|\||[-+*/%(),<>=]))/uy

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  token.lastIndex = 0
  for (;;) {
    const from = token.lastIndex
    const match = token.exec(text)
    if (match === null) {
      const rest = text.slice(from)
      if (rest.trim() === '') break
      throw new OptionError({
        operation: 'condition',
        expected: 'a condition such as: amount >= 0',
        received: `${JSON.stringify(rest.trim().slice(0, 20))} at character ${text.length - rest.trimStart().length + 1} of: ${text}`,
      })
    }
    const [whole, number, string, quoted, name, symbol] = match
    const at = from + whole.length - whole.trimStart().length
    if (number !== undefined) tokens.push({ kind: 'number', text: number, at })
    else if (string !== undefined) tokens.push({ kind: 'string', text: string.replaceAll("''", "'"), at })
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.replaceAll('""', '"'), at })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at })
    else tokens.push({ kind: 'symbol', text: symbol!, at })
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }]
}
