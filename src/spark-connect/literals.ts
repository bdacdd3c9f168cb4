import { create } from '@bufbuild/protobuf'
import { TypeMismatchError } from '../core/index.ts'
import {
  type Expression,
  type Expression_Literal,
  Expression_LiteralSchema,
  ExpressionSchema,
} from './generated/spark/connect/expressions_pb.ts'
import { type DataType, DataTypeSchema } from './generated/spark/connect/types_pb.ts'
import { decimalText } from './values.ts'

/** A value bound to a parameter. Whole numbers are `int` or `bigint` by their size, other numbers `double`, Date a timestamp. */
export type Bindable =
  null | boolean | number | bigint | string | Date | Uint8Array | readonly Bindable[] | Expression | Expression_Literal

/** A literal of the protocol. @throws TypeMismatchError for what Spark has no value for. */
export function literal(value: Bindable): Expression_Literal {
  const make = (literalType: Expression_Literal['literalType'], dataType?: DataType) =>
    create(Expression_LiteralSchema, dataType === undefined ? { literalType } : { literalType, dataType })
  if (value === null)
    return make({ case: 'null', value: create(DataTypeSchema, { kind: { case: 'null', value: {} } }) })
  if (typeof value === 'object' && '$typeName' in value && value.$typeName === 'spark.connect.Expression.Literal') {
    return value
  }
  if (typeof value === 'boolean') return make({ case: 'boolean', value })
  if (typeof value === 'string') return make({ case: 'string', value })
  if (typeof value === 'number') {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0)
    if (!whole) return make({ case: 'double', value })
    return value === (value | 0) ? make({ case: 'integer', value }) : make({ case: 'long', value: BigInt(value) })
  }
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) === value) return make({ case: 'long', value })
    const precision = String(value).replace('-', '').length
    if (precision <= 38) return make({ case: 'decimal', value: decimal(String(value), precision, 0) })
  } else if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return make({ case: 'timestamp', value: BigInt(value.getTime()) * 1000n })
  } else if (value instanceof Uint8Array) {
    return make({ case: 'binary', value })
  } else if (Array.isArray(value)) {
    const elements = (value as readonly Bindable[]).map(literal)
    const list = { $typeName: 'spark.connect.Expression.Literal.Array', elements } as const
    return make({ case: 'array', value: list }, listOf(elements))
  }
  throw new TypeMismatchError({
    operation: 'bind a parameter of a Spark query',
    expected: 'null, a boolean, number, bigint of up to 38 digits, string, valid Date, Uint8Array, or a list of these',
    received: value instanceof Date ? 'an invalid Date' : typeof value === 'bigint' ? String(value) : typeof value,
  })
}

function decimal(value: string, precision: number, scale: number) {
  return { $typeName: 'spark.connect.Expression.Literal.Decimal' as const, value, precision, scale }
}

/** An exact decimal: `unscaled` divided by ten to the power of `scale`. */
export function decimalLiteral(unscaled: bigint, precision: number, scale: number): Expression_Literal {
  return create(Expression_LiteralSchema, {
    literalType: { case: 'decimal', value: decimal(decimalText(unscaled, scale), precision, scale) },
  })
}

type ScalarKind = 'boolean' | 'integer' | 'long' | 'double' | 'string' | 'timestamp' | 'binary' | 'null'
const scalarKinds = new Set<string | undefined>(['boolean', 'integer', 'long', 'double', 'string', 'timestamp', 'binary', 'null'] satisfies ScalarKind[]) // prettier-ignore
const wider: readonly (string | undefined)[] = ['null', 'integer', 'long', 'double']

/** The type of a list of literals: of its elements, the widest where they are numbers. */
function listOf(elements: Expression_Literal[]): DataType {
  let kind: string | undefined = 'null'
  for (const { literalType } of elements) {
    const other = literalType.case
    if (other === kind || other === 'null') continue
    if (kind === 'null') kind = other
    else if (wider.includes(kind) && wider.includes(other))
      kind = wider[Math.max(wider.indexOf(kind), wider.indexOf(other))] // prettier-ignore
    else kind = undefined
  }
  if (!scalarKinds.has(kind)) {
    throw new TypeMismatchError({
      operation: 'bind a list to a parameter of a Spark query',
      expected: 'booleans, numbers, strings, Dates or bytes, all of one type',
      received: [...new Set(elements.map(({ literalType }) => literalType.case))].join(', '),
    })
  }
  if (kind === 'long' || kind === 'double') for (const each of elements) widen(each, kind)
  const elementType = create(DataTypeSchema, { kind: { case: kind as ScalarKind, value: {} } })
  for (const each of elements) if (each.literalType.case === 'null') each.literalType.value = elementType
  return create(DataTypeSchema, { kind: { case: 'array', value: { elementType, containsNull: true } } })
}

function widen(each: Expression_Literal, kind: 'long' | 'double'): void {
  const { literalType } = each
  if (literalType.case !== 'integer' && literalType.case !== 'long') return
  each.literalType =
    kind === 'long' ? { case: 'long', value: BigInt(literalType.value) } : { case: 'double', value: Number(literalType.value) } // prettier-ignore
}

/** An expression of a bound value; expressions stay as they are. */
export function bound(value: Bindable): Expression {
  if (typeof value === 'object' && value !== null && '$typeName' in value && value.$typeName === 'spark.connect.Expression') return value // prettier-ignore
  return create(ExpressionSchema, { exprType: { case: 'literal', value: literal(value) } })
}

/** The plain value of a literal of the server (observed metrics): bigint for 64-bit integers, Date, text for decimals. */
export function valueOf({ literalType }: Expression_Literal): unknown {
  switch (literalType.case) {
    case undefined:
    case 'null':
      return null
    case 'decimal':
      return literalType.value.value
    case 'date':
      return new Date(literalType.value * 86_400_000)
    case 'timestamp':
    case 'timestampNtz':
      return new Date(Number(literalType.value / 1000n))
    case 'array':
    case 'struct':
      return literalType.value.elements.map(valueOf)
    case 'map': {
      const { keys, values } = literalType.value
      return keys.map((key, i) => ({ key: valueOf(key), value: valueOf(values[i]!) }))
    }
    case 'specializedArray':
      return [...(literalType.value.valueType.value?.values ?? [])]
    case 'time':
      return literalType.value.nano
    case 'calendarInterval': {
      const { months, days, microseconds } = literalType.value
      return { months, days, microseconds }
    }
    case 'binary':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
    case 'yearMonthInterval':
    case 'dayTimeInterval':
      return literalType.value
  }
}
