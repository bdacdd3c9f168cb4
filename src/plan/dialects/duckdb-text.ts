import type { TextFunction } from '../functions/index.ts'
import { called, infix } from './duckdb-math.ts'
import type { Say } from './say.ts'

/**
 * DuckDB compares texts of its similarity functions byte by byte: each code point of the two becomes one byte. A pair with more
 * different ones than there are single bytes fails.
 */
const byCodePoint =
  (name: string) =>
  ([a, b]: readonly string[]): string => {
    const letters = `list_distinct(string_split(${a} || ${b}, ''))`
    const encoded = (text: string): string =>
      `array_to_string(list_transform(string_split(${text}, ''), lambda __c: chr(CAST(list_position(${letters}, __c) AS INTEGER))), '')`
    return `(CASE WHEN strlen(${a} || ${b}) = length(${a} || ${b}) THEN ${name}(${a}, ${b}) WHEN len(${letters}) > 127 THEN error('${name}: texts with more than 127 different characters') WHEN ${a} = '' OR ${b} = '' THEN ${name}(repeat('.', length(${a})), repeat('.', length(${b}))) ELSE ${name}(${encoded(a!)}, ${encoded(b!)}) END)`
  }

export const duckdbText: Say<TextFunction> = {
  concat: infix('||'),
  concatWs: called('concat_ws'),
  lower: called('lower'),
  upper: called('upper'),
  initcap: ([a]) =>
    `array_to_string(list_transform(string_split(lower(${a}), ' '), lambda __w: upper(__w[1]) || __w[2:]), ' ')`,
  trim: called('trim'),
  ltrim: called('ltrim'),
  rtrim: called('rtrim'),
  length: called('length'),
  substring: called('substring'),
  left: ([a, n]) => `(CASE WHEN ${n} < 0 THEN left(${a}, 0) ELSE left(${a}, ${n}) END)`,
  right: ([a, n]) => `(CASE WHEN ${n} < 0 THEN left(${a}, 0) ELSE right(${a}, ${n}) END)`,
  lpad: ([a, n, fill]) => `lpad(${a}, CAST(${n} AS INTEGER), ${fill})`,
  rpad: ([a, n, fill]) => `rpad(${a}, CAST(${n} AS INTEGER), ${fill})`,
  repeat: called('repeat'),
  // DuckDB's own keeps graphemes together.
  reverse: ([a]) => `array_to_string(list_reverse(string_split(${a}, '')), '')`,
  position: called('strpos'),
  replace: called('replace'),
  translate: called('translate'),
  contains: called('contains'),
  startsWith: called('starts_with'),
  endsWith: called('ends_with'),
  like: ([a, pattern]) => `(${a} LIKE ${pattern} ESCAPE '\\')`,
  ilike: ([a, pattern]) => `(${a} ILIKE ${pattern} ESCAPE '\\')`,
  split: called('string_split'),
  splitPart: called('split_part'),
  regexMatch: called('regexp_matches'),
  regexExtract: ([a, pattern, group]) =>
    `(CASE WHEN regexp_matches(${a}, ${pattern}) THEN regexp_extract(${a}, ${pattern}, ${group}) END)`,
  regexExtractAll: called('regexp_extract_all'),
  regexReplace: ([a, pattern, by]) => `regexp_replace(${a}, ${pattern}, ${by}, 'g')`,
  regexSplit: called('regexp_split_to_array'),
  regexEscape: ([a]) => `regexp_replace(${a}, '([.*+?^$\{}()|\\[\\]\\\\])', '\\\\\\1', 'g')`,
  codePoint: ([a]) => `(CASE WHEN ${a} = '' THEN 0 ELSE unicode(${a}) END)`,
  character: ([n]) => `chr(CAST(${n} AS INTEGER))`,
  normalize: called('nfc_normalize'),
  levenshtein: byCodePoint('levenshtein'),
  jaroSimilarity: byCodePoint('jaro_similarity'),
  jaroWinklerSimilarity: byCodePoint('jaro_winkler_similarity'),
  encode: called('encode'),
  decode: called('decode'),
  base64: called('to_base64'),
  unbase64: called('from_base64'),
  hex: called('hex'),
  unhex: called('unhex'),
  md5: called('md5'),
  sha1: called('sha1'),
  sha256: called('sha256'),
  // Into the range of a signed integer, which is what a batch holds.
  hash: (values) => `CAST(hash(${values.join(', ')}) % 9223372036854775807 AS BIGINT)`,
}
