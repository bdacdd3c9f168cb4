/**
 * Every error that Fathom throws on purpose. It says which operation failed, what was expected, what came instead, and
 * what to do, as fields and as one sentence for people. Programs read `code` and the fields; the command line prints
 * `message` without a stack.
 */
export interface ErrorFields {
  /** What was being done, in the user's terms: "read sales.csv", "dense", "matmul". */
  operation: string
  expected?: string
  received?: string
  /** What the user can do about it, as an imperative sentence without the final stop. */
  hint?: string
  /** A whole sentence for cases that "expected … received …" does not fit. */
  problem?: string
  cause?: unknown
}

export class FathomError extends Error {
  readonly code: string = 'FATHOM'
  readonly operation: string
  readonly expected: string | undefined
  readonly received: string | undefined
  readonly hint: string | undefined

  constructor(fields: ErrorFields) {
    super(sentence(fields), fields.cause === undefined ? undefined : { cause: fields.cause })
    this.name = new.target.name
    this.operation = fields.operation
    this.expected = fields.expected
    this.received = fields.received
    this.hint = fields.hint
  }
}

function sentence({ operation, problem, expected, received, hint }: ErrorFields): string {
  const parts: string[] = []
  if (problem !== undefined) parts.push(problem)
  if (expected !== undefined) parts.push(`expected ${expected}`)
  if (received !== undefined) parts.push(`received ${received}`)
  const body = parts.join('; ')
  const end = hint?.startsWith('Did you mean') === true ? '?' : '.'
  return `${operation}: ${body}.${hint === undefined ? '' : ` ${hint}${end}`}`
}

/** A tensor's shape, rank or axis does not fit. */
export class ShapeError extends FathomError {
  override readonly code = 'SHAPE'
}
/** A tensor's or column's type does not fit. */
export class TypeMismatchError extends FathomError {
  override readonly code = 'TYPE'
}
/** An option, flag or configuration value is not among those allowed. */
export class OptionError extends FathomError {
  override readonly code = 'OPTION'
}
/** A name (column, layer, file format, metric …) is not there. Carries what there is. */
export class NotFoundError extends FathomError {
  override readonly code = 'NOT_FOUND'
}
/** Data cannot be read or does not mean what it must: a malformed file, one class only, nothing left to train on. */
export class DataError extends FathomError {
  override readonly code = 'DATA'
}
/** A file cannot be opened, read, written, or exists already. */
export class FileError extends FathomError {
  override readonly code = 'FILE'
}
/** A bundle or checkpoint is truncated, altered, of another version or not one at all. */
export class BundleError extends FathomError {
  override readonly code = 'BUNDLE'
}
/** A query is not valid or failed while it ran. */
export class QueryError extends FathomError {
  override readonly code = 'QUERY'
}
/** An engine or a format cannot say what is asked for, and says so before anything runs. */
export class UnsupportedError extends FathomError {
  override readonly code = 'UNSUPPORTED'
}
/** A memory limit would be, or was, exceeded. */
export class MemoryError extends FathomError {
  override readonly code = 'MEMORY'
}
/** The work was cancelled by an AbortSignal or by the user. */
export class CancelledError extends FathomError {
  override readonly code = 'CANCELLED'
}
/** A server cannot be reached, does not speak what it should, is too old, or refuses who asks. */
export class ConnectionError extends FathomError {
  override readonly code = 'CONNECTION'
}
/** The native part is missing or does not fit this processor or Node.js. */
export class NativeError extends FathomError {
  override readonly code = 'NATIVE'
}

/** `did you mean "x"?` for the candidates closest to `name`, or the candidates themselves when none is close. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return 'There are none'
  const limit = Math.ceil(name.length / 3)
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  // Another case alone leaves no doubt.
  const close = ranked.filter(({ distance }) => distance <= (ranked[0]!.distance === 0 ? 0 : limit)).slice(0, 3)
  if (close.length > 0) return `Did you mean ${close.map(({ candidate }) => `"${candidate}"`).join(' or ')}`
  const shown = candidates.slice(0, 12).map((candidate) => `"${candidate}"`)
  return `There are ${shown.join(', ')}${candidates.length > 12 ? ` and ${candidates.length - 12} more` : ''}`
}

/** Levenshtein distance. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}
