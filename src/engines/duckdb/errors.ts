import type { CompiledQuery } from '../../plan/index.ts'
import { CancelledError, DataError, FathomError, FileError, MemoryError, QueryError } from '../../core/index.ts'

/** DuckDB's message as one of Fathom's errors: class by its prefix, candidates into the hint, the place into `received`. */
export function duckdbError(
  operation: string,
  cause: unknown,
  signal?: AbortSignal,
  query?: CompiledQuery,
): FathomError {
  if (cause instanceof FathomError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const [, kind = '', rest = message] = /^(?:Failed[^:]*: )?([A-Z][A-Za-z -]*?) Error: ([\s\S]*)$/.exec(message) ?? []
  if (signal?.aborted === true || kind === 'INTERRUPT' || message.startsWith('INTERRUPT')) {
    return new CancelledError({ operation, problem: 'cancelled', cause })
  }
  const [text = '', ...excerpt] = rest.split(/\n(?=LINE \d+:)/)
  const problem = clean(text)
  if (kind === 'Out of Memory') {
    return new MemoryError({
      operation,
      problem,
      hint: 'Raise the memory limit, lower the number of threads or give a temporary directory with more room',
      cause,
    })
  }
  if (/No space left on device|disk (is )?full|max_temp_directory_size/i.test(problem)) {
    return new FileError({ operation, problem, hint: 'Free disk space, or choose another temporary directory', cause })
  }
  if (/^(?:FATAL|INTERNAL)$/.test(kind) || /database has been invalidated/.test(message)) {
    return new DataError({
      operation,
      problem: `the engine gave up on damaged or unsupported data (${problem.split('\n')[0]})`,
      hint: 'Leave the file out; tables that were kept in memory must be read again',
      cause,
    })
  }
  if (kind === 'IO' || kind === 'Permission') return new FileError({ operation, problem, cause })
  const candidates = candidatesOf(text)
  const place = placeOf(excerpt[0], query)
  return new QueryError({
    operation,
    problem: place === undefined ? problem : `${problem}\n${place}\n`,
    ...(candidates.length === 0 ? {} : { hint: `Did you mean ${candidates.join(' or ')}` }),
    cause,
  })
}

/** Names that are like the one not found, without those that only the engine knows. */
function candidatesOf(text: string): string[] {
  const list = /(?:Candidate bindings|Candidates?|Did you mean)[^:"]*:? *((?:"[^"\n]+"(?:, )?)+)/.exec(text)?.[1] ?? ''
  return [...list.matchAll(/"([^"\n]+)"/g)].map(([quoted]) => quoted).filter((name) => !internal.test(name))
}

/** Names that the engine makes up. */
const internal = /"(?:[\w.]*\.)?(?:stored_\d+|__\w+)"/

/** Where in a user's own text it went wrong; nothing of the text around it, which says the same plan in the engine's words. */
function placeOf(excerpt: string | undefined, query: CompiledQuery | undefined): string | undefined {
  const [, number, shown = '', mark = ''] = /^LINE (\d+): (.*)\n?(.*)/.exec(excerpt ?? '') ?? []
  if (number === undefined || query === undefined) return undefined
  const lines = query.text.split('\n')
  const line = lines[Number(number) - 1]
  for (const text of query.written ?? []) {
    const own = text.split('\n')
    const start = lines.findIndex((_, i) => own.every((each, k) => ends(lines[i + k], each)))
    const index = Number(number) - 1 - start
    if (start < 0 || line === undefined || index < 0 || index >= own.length) continue
    const prefix = `LINE ${number}: `
    const told = own.length === 1 ? '' : `LINE ${index + 1}: `
    return `${told}${shown}\n${mark.slice(prefix.length - told.length)}`.trimEnd()
  }
  return undefined
}

/** Whether a line of the query is a line of the text; a WITH of the text's own has moved to the line before. */
function ends(line: string | undefined, own: string): boolean {
  return line !== undefined && (line === own || (line !== '' && own.endsWith(line)))
}

function clean(text: string): string {
  return text
    .replace(
      /\n+\s*(?:Candidate bindings|Candidate functions|Candidates?|Did you mean|Possible fixes|Possible solutions)[\s\S]*$/,
      '',
    )
    .replace(/\b(?:memory|disk)\.main\.stored_\d+\b/g, 'the table')
    .trim()
    .replace(/[.!]$/, '')
}
