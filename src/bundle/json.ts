import { BundleError, TypeMismatchError } from '../core/index.ts'

/**
 * JSON that gives back exactly the numbers that went in: NaN, the infinities and -0, which JSON cannot say, are written
 * as {"$float": "NaN"}. Everything that is not plain data (Map, typed arrays, bigint, functions) is refused rather than
 * silently written as {}.
 */
const floatKey = '$float'
const unsaid = new Map<string, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

/** @throws TypeMismatchError naming `what` and the key when a value is not plain data. */
export function encodeJson(value: unknown, what: string): Uint8Array {
  const text = JSON.stringify(value, function replace(this: unknown, key: string, item: unknown): unknown {
    if (typeof item === 'number') {
      if (!Number.isFinite(item)) return { [floatKey]: String(item) }
      return Object.is(item, -0) ? { [floatKey]: '-0' } : item
    }
    if (typeof item === 'bigint' || typeof item === 'function' || typeof item === 'symbol') {
      throw notPlain(what, key, typeof item)
    }
    if (item instanceof Map || item instanceof Set || ArrayBuffer.isView(item) || item instanceof ArrayBuffer) {
      throw notPlain(what, key, item.constructor.name)
    }
    return item
  })
  if (text === undefined) throw notPlain(what, '', typeof value)
  return new TextEncoder().encode(text)
}

/** @throws BundleError when the bytes are not UTF-8 JSON. */
export function decodeJson(bytes: Uint8Array, operation: string, what: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes(`"${floatKey}"`) ? JSON.parse(text, revive) : JSON.parse(text)
  } catch (cause) {
    throw new BundleError({
      operation,
      problem: `${what} is not valid JSON`,
      hint: 'Make the bundle again, or copy it again from where it came from',
      cause,
    })
  }
}

function revive(_key: string, item: unknown): unknown {
  if (typeof item !== 'object' || item === null || !(floatKey in item)) return item
  const said = item[floatKey]
  return typeof said === 'string' && Object.keys(item).length === 1 ? (unsaid.get(said) ?? item) : item
}

function notPlain(what: string, key: string, received: string): TypeMismatchError {
  return new TypeMismatchError({
    operation: `write ${what}`,
    expected: 'plain data (objects, arrays, strings, numbers, booleans, null)',
    received: key === '' ? received : `${received} at "${key}"`,
  })
}
