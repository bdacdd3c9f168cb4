/** How a delimited file is written. */
export interface Dialect {
  readonly delimiter: string
  /** Empty: quotes mean nothing. */
  readonly quote: string
  /** The quote itself (doubled quotes) or a backslash. */
  readonly escape: string
  /** Empty: none. */
  readonly comment: string
}

export interface Parsed {
  readonly rows: readonly (readonly string[])[]
  /** The line, from 1, on which each row begins. */
  readonly lines: readonly number[]
  /** Fields that were quoted and ended as they must. */
  readonly quoted: number
  /** Fields with text after their closing quote, or without one. */
  readonly broken: number
}

/** Reads a sample row by row; blank lines and comments are left out. Never fails: what is odd is counted. */
export function parse(text: string, dialect: Dialect, maxRows: number): Parsed {
  const { delimiter, quote, escape, comment } = dialect
  const rows: string[][] = []
  const lines: number[] = []
  let quoted = 0
  let broken = 0
  let i = 0
  let line = 1
  while (i < text.length && rows.length < maxRows) {
    const began = line
    if (comment !== '' && text.startsWith(comment, i)) {
      i = endOfLine(text, i)
      i = pastLineEnd(text, i)
      line++
      continue
    }
    const row: string[] = []
    for (;;) {
      let start = i
      if (quote !== '') while (text[start] === ' ') start++
      if (quote !== '' && text[start] === quote) {
        const field = quotedField(text, start + 1, quote, escape)
        line += field.newlines
        i = field.end
        const tail = i
        while (i < text.length && text[i] !== delimiter && text[i] !== '\n' && text[i] !== '\r') i++
        if (field.closed && text.slice(tail, i).trim() === '') quoted++
        else broken++
        row.push(field.value + text.slice(tail, i).trimEnd())
      } else {
        start = i
        while (i < text.length && text[i] !== delimiter && text[i] !== '\n' && text[i] !== '\r') i++
        row.push(text.slice(start, i))
      }
      if (text[i] !== delimiter) break
      i++
    }
    i = pastLineEnd(text, i)
    line++
    if (row.length === 1 && row[0]!.trim() === '') continue
    rows.push(row)
    lines.push(began)
  }
  return { rows, lines, quoted, broken }
}

function quotedField(
  text: string,
  from: number,
  quote: string,
  escape: string,
): { value: string; end: number; closed: boolean; newlines: number } {
  let value = ''
  let newlines = 0
  let i = from
  while (i < text.length) {
    const c = text[i]!
    if (c === escape && escape !== quote && i + 1 < text.length) {
      value += text[i + 1]!
      i += 2
    } else if (c === quote) {
      if (escape !== quote || text[i + 1] !== quote) return { value, end: i + 1, closed: true, newlines }
      value += quote
      i += 2
    } else {
      if (c === '\n' || (c === '\r' && text[i + 1] !== '\n')) newlines++
      value += c
      i++
    }
  }
  return { value, end: i, closed: false, newlines }
}

function endOfLine(text: string, from: number): number {
  let i = from
  while (i < text.length && text[i] !== '\n' && text[i] !== '\r') i++
  return i
}

function pastLineEnd(text: string, i: number): number {
  return text[i] === '\r' && text[i + 1] === '\n' ? i + 2 : i + 1
}
