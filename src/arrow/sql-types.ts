import * as arrow from '@uwdata/flechette'
import { type Field, TypeMismatchError } from '../core/index.ts'

/** An Arrow type and what turns a batch's plain value into one that Arrow's builders take. */
export interface Encoding {
  readonly type: arrow.DataType
  readonly convert: (value: unknown) => unknown
}

const same = (value: unknown): unknown => value
const text = (value: unknown): unknown => (typeof value === 'string' ? value : JSON.stringify(value, bigints))

const simple: Readonly<Record<string, () => Encoding>> = {
  BOOLEAN: () => ({ type: arrow.bool(), convert: same }),
  TINYINT: () => ({ type: arrow.int8(), convert: same }),
  SMALLINT: () => ({ type: arrow.int16(), convert: same }),
  INTEGER: () => ({ type: arrow.int32(), convert: same }),
  BIGINT: () => ({ type: arrow.int64(), convert: same }),
  UTINYINT: () => ({ type: arrow.uint8(), convert: same }),
  USMALLINT: () => ({ type: arrow.uint16(), convert: same }),
  UINTEGER: () => ({ type: arrow.uint32(), convert: Number }),
  UBIGINT: () => ({ type: arrow.uint64(), convert: (value) => BigInt(value as string) }),
  HUGEINT: () => decimal(38, 0),
  UHUGEINT: () => decimal(38, 0),
  FLOAT: () => ({ type: arrow.float32(), convert: same }),
  DOUBLE: () => ({ type: arrow.float64(), convert: same }),
  DATE: () => ({ type: arrow.dateDay(), convert: same }),
  TIME: () => ({ type: arrow.timeMicrosecond(), convert: microseconds }),
  TIMESTAMP: () => ({ type: arrow.timestamp(arrow.TimeUnit.MICROSECOND), convert: same }),
  'TIMESTAMP WITH TIME ZONE': () => ({ type: arrow.timestamp(arrow.TimeUnit.MICROSECOND, 'UTC'), convert: same }),
  BLOB: () => ({ type: arrow.binary(), convert: same }),
}
const timestamps = /^TIMESTAMP(_S|_MS|_NS)?$/

/** @throws SyntaxError for a type that is none of the engine's. */
export function encodingOf(sqlType: string): Encoding {
  const parser = new TypeText(sqlType)
  const encoding = parser.type()
  parser.end()
  return encoding
}

/** The type of a batch's column, where its `sqlType` is another engine's: by what the batch holds. */
export function encodingOfField({ type, sqlType }: Field): Encoding {
  try {
    return encodingOf(sqlType)
  } catch {
    const byColumn: { readonly [T in Field['type']]: string } = {
      boolean: 'BOOLEAN',
      int32: 'INTEGER',
      int64: 'BIGINT',
      float64: 'DOUBLE',
      string: 'VARCHAR',
      date: 'DATE',
      timestamp: 'TIMESTAMP',
      binary: 'BLOB',
      nested: 'VARCHAR',
    }
    return encodingOf(byColumn[type])
  }
}

/** The engine's names of types: "STRUCT(a INTEGER, "b c" DECIMAL(4,1)[])". */
class TypeText {
  private readonly source: string
  private at = 0

  constructor(source: string) {
    this.source = source
  }

  type(): Encoding {
    let encoding = this.base()
    for (;;) {
      const brackets = /^\[(\d*)\]/.exec(this.source.slice(this.at))
      if (brackets === null) return encoding
      this.at += brackets[0].length
      encoding = list(encoding, brackets[1] === '' ? undefined : Number(brackets[1]))
    }
  }

  end(): void {
    if (this.at < this.source.length) throw new SyntaxError(`"${this.source.slice(this.at)}" after a type`)
  }

  private base(): Encoding {
    const name = this.word(/^(TIMESTAMP WITH TIME ZONE|TIME WITH TIME ZONE|[A-Z_]+)/)
    if (this.skip('(')) return this.withArguments(name)
    const make = timestamps.test(name) ? simple['TIMESTAMP'] : simple[name]
    // What Arrow has no type for (UUID, BIT, ENUM, INTERVAL, TIME WITH TIME ZONE, JSON) is written as text.
    return make?.() ?? { type: arrow.utf8(), convert: text }
  }

  private withArguments(name: string): Encoding {
    if (name === 'DECIMAL') {
      const [, width, scale] = /^(\d+), ?(\d+)\)/.exec(this.source.slice(this.at)) ?? []
      this.past(')')
      return decimal(Number(width), Number(scale))
    }
    if (name === 'STRUCT') {
      const fields: [string, Encoding][] = []
      do fields.push([this.identifier(), this.type()])
      while (this.comma())
      return struct(fields)
    }
    if (name === 'MAP') {
      const key = this.type()
      this.comma()
      const value = this.type()
      this.past(')')
      return map(key, value)
    }
    // ENUM('a', …), UNION(…): text.
    for (let depth = 1; depth > 0 && this.at < this.source.length; this.at++) {
      const c = this.source[this.at]
      if (c === "'" || c === '"') this.quoted(c)
      else depth += c === '(' ? 1 : c === ')' ? -1 : 0
    }
    return { type: arrow.utf8(), convert: text }
  }

  private quoted(quote: string): string {
    let out = ''
    for (this.at++; this.at < this.source.length; this.at++) {
      if (this.source[this.at] !== quote) out += this.source[this.at]
      else if (this.source[this.at + 1] === quote) out += this.source[this.at++]
      else break
    }
    return out
  }

  private identifier(): string {
    this.skip(' ')
    if (this.source[this.at] !== '"') return this.word(/^[^\s(),]+/, true)
    const name = this.quoted('"')
    this.at++
    this.skip(' ')
    return name
  }

  private comma(): boolean {
    const more = this.skip(',')
    if (more) this.skip(' ')
    else this.past(')')
    return more
  }

  private word(pattern: RegExp, andSpace = false): string {
    const word = pattern.exec(this.source.slice(this.at))?.[0]
    if (word === undefined) throw new SyntaxError(`no type in "${this.source.slice(this.at)}"`)
    this.at += word.length
    if (andSpace) this.skip(' ')
    return word
  }

  private skip(c: string): boolean {
    if (this.source[this.at] !== c) return false
    this.at++
    return true
  }

  private past(c: string): void {
    const at = this.source.indexOf(c, this.at)
    if (at < 0) throw new SyntaxError(`no "${c}" in "${this.source.slice(this.at)}"`)
    this.at = at + 1
  }
}

function list({ type, convert }: Encoding, length: number | undefined): Encoding {
  return {
    type:
      length === undefined
        ? arrow.list(arrow.field('item', type))
        : arrow.fixedSizeList(arrow.field('item', type), length),
    convert: (value) => (value as unknown[]).map((item) => (item === null ? null : convert(item))),
  }
}

function struct(fields: readonly (readonly [name: string, Encoding])[]): Encoding {
  return {
    type: arrow.struct(fields.map(([name, { type }]) => arrow.field(name, type))),
    convert: (value) => {
      const row = value as Readonly<Record<string, unknown>>
      return Object.fromEntries(
        fields.map(([name, { convert }]) => [name, (row[name] ?? null) === null ? null : convert(row[name])]),
      )
    },
  }
}

function map(key: Encoding, value: Encoding): Encoding {
  return {
    type: arrow.map(arrow.field('key', key.type, false), arrow.field('value', value.type)),
    convert: (entries) =>
      (entries as { key: unknown; value: unknown }[]).map((entry) => [
        key.convert(entry.key),
        entry.value === null ? null : value.convert(entry.value),
      ]),
  }
}

/** Digits are taken from text, where none are lost, or from a number. */
function decimal(width: number, scale: number): Encoding {
  const convert = (value: unknown): bigint => {
    const plain = typeof value === 'number' ? value.toFixed(Math.min(100, scale)) : String(value)
    const [, sign = '', whole = '0', fraction = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(plain) ?? []
    const digits = BigInt(`${whole === '' ? '0' : whole}${fraction.padEnd(scale, '0').slice(0, scale)}`)
    if (digits >= 10n ** BigInt(width)) {
      throw new TypeMismatchError({
        operation: 'write arrow',
        expected: `numbers of at most ${width} digits`,
        received: plain,
        hint: 'Cast the column to float64 or string',
      })
    }
    return sign === '-' ? -digits : digits
  }
  return { type: arrow.decimal128(width, scale), convert }
}

/** "12:30:00.5" as microseconds; nested times are that already. */
function microseconds(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const [hours = '0', minutes = '0', seconds = '0'] = value.split(':')
  return BigInt(Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6))
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
