import type { Field } from '../core/index.ts'
import type { NumberProfile, TextProfile } from './profile-types.ts'
import type { Role } from './role.ts'

export interface RoleFacts {
  readonly field: Field
  readonly present: number
  readonly missing: number
  readonly distinct: number
  /** (Nearly) every value occurs once. */
  readonly unique: boolean
  readonly numbers: NumberProfile | undefined
  readonly text: TextProfile | undefined
  /** Values that look like UUIDs or hashes. */
  readonly uuids: number
}

/** Below this many rows uniqueness says nothing. */
const fewRows = 20

/**
 * The rules, the first that applies:
 * 1. no value: empty; one value and none missing: constant;
 * 2. booleans, dates and nested values by their type;
 * 3. whole numbers, (nearly) all different, that fill a range without gaps or are named like an id: identifier;
 *    other numbers: numeric;
 * 4. text that is UUIDs or hashes, or (nearly) all different in fewer than three words: identifier;
 * 5. text mostly different in 3.5 words and more, or long: text; other text: category.
 */
export function roleOf(facts: RoleFacts): { readonly role: Role; readonly reason: string } {
  const { field, present, distinct, missing } = facts
  const { type } = field
  if (present === 0) return { role: 'empty', reason: 'it holds no value' }
  if (type === 'nested' || type === 'binary') return { role: 'unsupported', reason: `it holds ${field.sqlType} values` }
  if (distinct === 1 && missing === 0) return { role: 'constant', reason: 'every row holds the same value' }
  if (type === 'boolean') return { role: 'boolean', reason: 'true or false' }
  if (type === 'date' || type === 'timestamp')
    return { role: 'date', reason: type === 'date' ? 'dates' : 'points in time' }
  return type === 'string' ? textRole(facts) : numberRole(facts)
}

function numberRole(facts: RoleFacts): { role: Role; reason: string } {
  const { field, present, distinct, numbers } = facts
  if (field.type === 'float64' || numbers === undefined) return { role: 'numeric', reason: 'numbers' }
  const unique = facts.unique && present >= fewRows
  const gapless = numbers.max - numbers.min + 1 <= present * 1.05
  if (unique && gapless)
    return { role: 'identifier', reason: `${shown(distinct)} different whole numbers without gaps` }
  if (unique && namedLikeId(field.name))
    return { role: 'identifier', reason: `${shown(distinct)} different whole numbers, named like an id` }
  return { role: 'numeric', reason: `whole numbers, ${shown(distinct)} different` }
}

function textRole(facts: RoleFacts): { role: Role; reason: string } {
  const { field, present, distinct, text, uuids } = facts
  const share = distinct / present
  const words = text?.meanWords ?? 1
  const length = text?.meanLength ?? 0
  const unique = facts.unique && present >= fewRows
  if (uuids >= present * 0.99 && share >= 0.9) return { role: 'identifier', reason: 'UUIDs or hashes' }
  if (unique && words < 3 && length <= 40) {
    return {
      role: 'identifier',
      reason: `${shown(distinct)} different short texts${namedLikeId(field.name) ? ', named like an id' : ''}`,
    }
  }
  const many = distinct > Math.min(50, present * 0.5)
  const wordy = words >= 3.5 && share >= 0.5
  const long = (words >= 8 || length >= 60) && share >= 0.2
  if (many && (wordy || long)) {
    return { role: 'text', reason: `${words.toFixed(1)} words on average, ${percent(share)} of them different` }
  }
  return { role: 'category', reason: `${shown(distinct)} different values` }
}

function namedLikeId(name: string): boolean {
  return (
    /(?:^|[\s_.-])(?:id|ids|key|uuid|guid|index|no|nr|number)$|^(?:id|index|key)(?:[\s_.-]|$)|[a-z](?:Id|ID|Key|Uuid|No|Nr)$/i.test(
      name,
    ) && !/^(?:paid|valid|grid|bid|solid|liquid|acid)$/i.test(name)
  )
}

function shown(value: number): string {
  return value.toLocaleString('en-US')
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
