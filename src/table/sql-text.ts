/** A piece of SQL text: enough of its grammar to find parameters, names and file names, and no more. */
export interface Token {
  readonly kind: 'word' | 'string' | 'identifier' | 'parameter' | 'punctuation' | 'blank'
  readonly text: string
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['blank', /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^']|'')*'|[eE]'(?:[^'\\]|\\.|'')*'|\$\$[\s\S]*?\$\$/y],
  ['identifier', /"(?:[^"]|"")*"/y],
  ['parameter', /\$[A-Za-z_]\w*/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['punctuation', /[\s\S]/uy],
]

/** The tokens, whose texts joined are the SQL again. */
export function tokens(sql: string): Token[] {
  const out: Token[] = []
  let at = 0
  while (at < sql.length) {
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at
      const match = pattern.exec(sql)
      if (match === null) continue
      out.push({ kind, text: match[0] })
      at += match[0].length
      break
    }
  }
  return out
}

const endsFrom = new Set([
  'where',
  'group',
  'order',
  'having',
  'limit',
  'select',
  'union',
  'qualify',
  'window',
  'sample',
])

/** Calls `visit` for each token, telling whether it stands where a table is named: after FROM, JOIN, DESCRIBE or a comma between tables. */
export function visitTables(
  list: readonly Token[],
  visit: (token: Token, index: number, table: boolean) => void,
): void {
  const stack: boolean[] = []
  let inFrom = false
  let expected = false
  let first = true
  for (const [index, token] of list.entries()) {
    const word = token.kind === 'word' ? token.text.toLowerCase() : ''
    visit(token, index, expected && token.kind !== 'blank')
    if (token.kind === 'blank') continue
    const tells = first && (word === 'describe' || word === 'desc' || word === 'summarize')
    first = false
    if (word === 'from' || word === 'join' || tells) {
      inFrom = true
      expected = true
      continue
    }
    expected = false
    if (token.text === '(') {
      stack.push(inFrom)
      inFrom = false
    } else if (token.text === ')') inFrom = stack.pop() ?? false
    else if (token.text === ',') expected = inFrom
    else if (endsFrom.has(word)) inFrom = false
  }
}
