import { CancelledError, DataError, FathomError, FileError, MemoryError, QueryError } from '../../core/index.ts'

/** DuckDB's message as one of Fathom's errors: class by its prefix, candidates into the hint, the place into `received`. */
export function duckdbError(operation: string, cause: unknown, signal?: AbortSignal): FathomError {
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
  const candidates = /(?:Candidate bindings|Candidates?|Did you mean)[^:"]*:? *((?:"[^"\n]+"(?:, )?)+)/.exec(text)?.[1]
  const place = excerpt[0]?.trimEnd()
  return new QueryError({
    operation,
    problem: place === undefined ? problem : `${problem}\n${place}\n`,
    ...(candidates === undefined ? {} : { hint: `Did you mean ${candidates.trim().replaceAll('", "', '" or "')}` }),
    cause,
  })
}

function clean(text: string): string {
  return text
    .replace(/\n+(?:Candidate bindings|Candidates?|Did you mean)[\s\S]*$/, '')
    .trim()
    .replace(/[.!]$/, '')
}
