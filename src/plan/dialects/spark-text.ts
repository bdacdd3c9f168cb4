import type { TextFunction } from '../functions/index.ts'
import { sparkLiteral } from './spark-literals.ts'
import { called, pattern, type Say } from './spark-say.ts'
import { refuse } from './spark-types.ts'

const absent =
  (name: string): Say =>
  () =>
    refuse(name, 'Spark has no such function', 'Run this step on the embedded engine')

/** A constant pattern of LIKE: the escape is a backslash, as for Spark. */
const like =
  (operator: string): Say =>
  ([a, b]) =>
    `(${a} ${operator} ${b})`

/** Texts beyond the first few; those whose text depends on types stand with the expressions. */
export const sparkText = {
  concatWs: ([separator, ...values]) => `concat_ws(${[separator, ...values].join(', ')})`,
  initcap: ([a]) =>
    `array_join(transform(split(lower(${a}), ' ', -1), w -> concat(upper(substring(w, 1, 1)), substring(w, 2))), ' ')`,
  ltrim: ([a, characters]) => `trim(LEADING ${characters} FROM ${a})`,
  rtrim: ([a, characters]) => `trim(TRAILING ${characters} FROM ${a})`,
  left: ([a, n]) => `left(${a}, CAST(${n} AS INT))`,
  right: ([a, n]) => `right(${a}, CAST(${n} AS INT))`,
  lpad: ([a, n, fill]) => `lpad(${a}, CAST(${n} AS INT), ${fill})`,
  rpad: ([a, n, fill]) => `rpad(${a}, CAST(${n} AS INT), ${fill})`,
  repeat: ([a, n]) => `repeat(${a}, CAST(${n} AS INT))`,
  reverse: called('reverse'),
  position: ([a, search]) => `CAST(instr(${a}, ${search}) AS BIGINT)`,
  translate: called('translate'),
  like: like('LIKE'),
  ilike: like('ILIKE'),
  split: ([a, separator], args) => {
    const constant = args[1]?.expression.kind === 'literal' ? args[1].expression.value : undefined
    if (typeof constant === 'string') {
      if (constant === '') return refuse('split', 'an empty separator')
      return `split(${a}, ${sparkLiteral(constant.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))}, -1)`
    }
    return `split(${a}, regexp_replace(${separator}, ${sparkLiteral('([.*+?^${}()|\\[\\]\\\\])')}, ${sparkLiteral('\\\\$1')}), -1)`
  },
  regexExtractAll: ([a, , group], args) => `regexp_extract_all(${a}, ${pattern(args[1])}, ${group})`,
  regexSplit: ([a], args) => `split(${a}, ${pattern(args[1])}, -1)`,
  regexEscape: ([a]) => `regexp_replace(${a}, ${sparkLiteral('([.*+?^${}()|\\[\\]\\\\])')}, ${sparkLiteral('\\\\$1')})`,
  codePoint: called('ascii'),
  // `char` knows the first 256 only: the character's four bytes in UTF-32.
  character: ([n]) => `decode(unhex(lpad(hex(${n}), 8, '0')), 'UTF-32')`,
  normalize: absent('normalize'),
  levenshtein: ([a, b]) => `CAST(levenshtein(${a}, ${b}) AS BIGINT)`,
  jaroSimilarity: absent('jaroSimilarity'),
  jaroWinklerSimilarity: absent('jaroWinklerSimilarity'),
  encode: ([a]) => `encode(${a}, 'UTF-8')`,
  decode: ([a]) =>
    `(CASE WHEN ${a} IS NULL OR is_valid_utf8(CAST(${a} AS STRING)) THEN decode(${a}, 'UTF-8') ELSE raise_error('not valid UTF-8') END)`,
  base64: ([a]) => `replace(base64(${a}), '\\r\\n', '')`,
  unbase64: called('unbase64'),
  hex: called('hex'),
  unhex: called('unhex'),
  md5: called('md5'),
  sha1: called('sha1'),
  sha256: ([a]) => `sha2(${a}, 256)`,
} as const satisfies { readonly [K in TextFunction]?: Say }
