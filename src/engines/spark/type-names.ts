import { UnsupportedError } from '../../core/index.ts'

const simple: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  int: 'INTEGER',
  bigint: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  string: 'VARCHAR',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ntz: 'TIMESTAMP',
  void: 'INTEGER',
}

/** The embedded engine's name of a type of Spark's: "array<struct<a:int>>" is "STRUCT(\"a\" INTEGER)[]". Others become text. */
export function embeddedType(sparkType: string): string {
  const reader = new Reader(sparkType)
  const type = reader.type()
  reader.end()
  return type
}

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  type(): string {
    const [word] = /^[a-z_]+/i.exec(this.text.slice(this.at)) ?? ['']
    this.at += word.length
    switch (word.toLowerCase()) {
      case 'array': {
        this.expect('<')
        const element = this.type()
        this.expect('>')
        return `${element}[]`
      }
      case 'map': {
        this.expect('<')
        const key = this.type()
        this.expect(',')
        const value = this.type()
        this.expect('>')
        return `MAP(${key}, ${value})`
      }
      case 'struct':
        return this.struct()
      case 'decimal':
        return `DECIMAL${this.take(/^\([^)]*\)/)}`
      default: {
        const known = simple[word.toLowerCase()]
        // "interval day to second", "time(6)", "varchar(20)" and the like.
        this.take(/^[^<>,:]*/)
        return known ?? 'VARCHAR'
      }
    }
  }

  end(): void {
    if (this.at < this.text.length) this.fail()
  }

  private struct(): string {
    this.expect('<')
    const fields: string[] = []
    while (this.text[this.at] !== '>') {
      const quoted = this.take(/^`(?:[^`]|``)*`/)
      const name = quoted === '' ? this.take(/^[^:]+/) : quoted.slice(1, -1).replaceAll('``', '`')
      this.expect(':')
      fields.push(`"${name.replaceAll('"', '""')}" ${this.type()}`)
      if (this.text[this.at] === ',') this.at++
    }
    this.expect('>')
    return `STRUCT(${fields.join(', ')})`
  }

  private take(pattern: RegExp): string {
    const [found = ''] = pattern.exec(this.text.slice(this.at)) ?? []
    this.at += found.length
    return found
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) this.fail()
    this.at++
  }

  private fail(): never {
    throw new UnsupportedError({ operation: 'Spark result', problem: `cannot read the type "${this.text}"` })
  }
}

/** The types in which rows go to Spark, which has no unsigned integers, none of 128 bits, and no times of day. */
const sent: readonly (readonly [RegExp, string])[] = [
  [/^(?:UTINYINT|USMALLINT)$/, 'INTEGER'],
  [/^(?:UINTEGER|UBIGINT|HUGEINT|UHUGEINT)$/, 'BIGINT'],
  [/^TIMESTAMP_(?:S|MS|NS)$/, 'TIMESTAMP'],
  [/^(?:TIME(?:_NS| WITH TIME ZONE)?$|INTERVAL|UUID|ENUM|BIT$|BIGNUM)/, 'VARCHAR'],
]

/** The name, as Arrow's encoder knows it, of the type in which a column goes to Spark: of the embedded engine's or Spark's own. */
export function sentType(sqlType: string): string {
  const known = sent.find(([pattern]) => pattern.test(sqlType))
  if (known !== undefined) return known[1]
  return /^[a-z]/.test(sqlType) ? embeddedType(sqlType) : sqlType
}
