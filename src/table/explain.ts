import type { Explanation } from '../engines/index.ts'
import { describePlan, type Plan } from '../plan/index.ts'
import { type Token, tokens } from './sql-text.ts'

/** The plan as it was asked, the engine's SQL for it, and the engine's own plan. */
export function explanation(plan: Plan, engine: string, { text, plan: own }: Explanation): string {
  const part = (title: string, body: string): string => `── ${title} ──\n${body.trim()}\n`
  return [
    part('plan', describePlan(plan)),
    part(`SQL (${engine})`, formatSql(text)),
    part(`plan (${engine})`, own),
  ].join('\n')
}

const clauses = /^(?:from|where|group|having|qualify|order|limit|offset|union|intersect|except|unpivot|on)$/i
const joins = /^(?:inner|left|right|full|semi|anti|cross|asof|join)$/i

/** SQL over lines: a subquery is indented, a clause begins a line. Texts and names stay as they are. */
export function formatSql(text: string): string {
  const list = tokens(text).map((token) =>
    token.kind === 'blank' && !/--|\/\*/.test(token.text) ? { ...token, text: ' ' } : token,
  )
  // For each open parenthesis: whether a query stands in it.
  const open: boolean[] = []
  let out = ''
  const depth = (): number => open.filter(Boolean).length
  const line = (): void => {
    out = `${out.trimEnd()}\n${'  '.repeat(depth())}`
  }
  for (const [i, token] of list.entries()) {
    if (token.text === '(') {
      const query = /^(?:select|with|from|values|\()$/i.test(next(list, i)?.text ?? '') && isQuery(list, i)
      open.push(query)
      out += '('
      if (query) line()
    } else if (token.text === ')') {
      if (open.pop() === true) line()
      out += ')'
    } else if (token.kind === 'word' && open.at(-1) !== false && (clauses.test(token.text) || startsJoin(list, i))) {
      line()
      out += token.text
    } else if (token.text === ' ') {
      if (!/\s$/.test(out)) out += ' '
    } else out += token.text
  }
  return out.trim()
}

function next(list: readonly Token[], i: number): Token | undefined {
  return list.slice(i + 1, i + 4).find((token) => token.kind !== 'blank')
}

/** A parenthesis before a parenthesis holds a query only if that one does. */
function isQuery(list: readonly Token[], i: number): boolean {
  let at = i + 1
  while (list[at]?.text === '(' || list[at]?.text === ' ') at++
  return /^(?:select|with|from|values)$/i.test(list[at]?.text ?? '')
}

/** The first word of what names a join. */
function startsJoin(list: readonly Token[], i: number): boolean {
  if (!joins.test(list[i]!.text)) return false
  const before = list.slice(0, i).findLast((token) => token.kind !== 'blank')
  if (before !== undefined && joins.test(before.text)) return false
  const after = list.slice(i, i + 8).filter((token) => token.kind !== 'blank')
  return after.slice(0, 4).some((token) => /^join$/i.test(token.text))
}
