import { OptionError } from '../../core/index.ts'
import type { Expression } from '../expression.ts'
import { type TimeUnit, units } from '../functions/index.ts'

/** How a dialect says each function of a vocabulary: from the arguments as text, and as they are where one must be constant. */
export type Say<F extends string> = {
  readonly [K in F]: (values: readonly string[], expressions: readonly Expression[]) => string
}

/** A text that an argument must be, constant. @throws OptionError */
export function constantText(operation: string, expression: Expression | undefined): string {
  if (expression?.kind === 'literal' && typeof expression.value === 'string') return expression.value
  throw new OptionError({
    operation,
    expected: 'a constant text',
    received: expression === undefined ? 'none' : `a ${expression.kind} expression`,
  })
}

/** A unit of time, constant. @throws OptionError */
export function constantUnit(operation: string, expression: Expression | undefined): TimeUnit {
  const text = constantText(operation, expression)
  const unit = units.find((known) => known === text)
  if (unit !== undefined) return unit
  throw new OptionError({ operation, expected: `a unit of ${units.join(', ')}`, received: `"${text}"` })
}

/** The steps of a JSON path after the text: names, and numbers from 0, constant. @throws OptionError */
export function constantPath(operation: string, expressions: readonly Expression[]): readonly (string | number)[] {
  return expressions.map((expression) => {
    if (expression.kind === 'literal') {
      const { value } = expression
      if (typeof value === 'string') return value
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
    }
    throw new OptionError({
      operation,
      expected: 'constant names, and whole numbers from 0',
      received: expression.kind === 'literal' ? String(expression.value) : `a ${expression.kind} expression`,
    })
  })
}
