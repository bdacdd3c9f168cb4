/** What a column is for. `unsupported`: lists, structures and bytes, which need unpacking first. */
export const roles = [
  'numeric',
  'category',
  'text',
  'date',
  'boolean',
  'identifier',
  'constant',
  'empty',
  'unsupported',
] as const
export type Role = (typeof roles)[number]
