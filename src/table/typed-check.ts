import { didYouMean, NotFoundError, type Schema, TypeMismatchError } from '../core/index.ts'
import { columnTypeOf, type DataType } from '../plan/index.ts'

/** @throws NotFoundError, TypeMismatchError where the columns are not there as told */
export function checkSchema(schema: Schema, told: Readonly<Record<string, DataType>>): void {
  const names = schema.map((field) => field.name)
  for (const [name, type] of Object.entries(told)) {
    const field = schema.find((each) => each.name === name)
    if (field === undefined) {
      throw new NotFoundError({
        operation: 'withSchema',
        expected: 'a column of the table',
        received: `"${name}"`,
        hint: didYouMean(name, names),
      })
    }
    if (columnTypeOf(type) === field.type) continue
    throw new TypeMismatchError({
      operation: 'withSchema',
      expected: `"${name}" of type ${typeof type === 'string' ? type : JSON.stringify(type)}`,
      received: field.sqlType,
      hint: `Convert it first: cast({ ${JSON.stringify(name)}: … })`,
    })
  }
}
