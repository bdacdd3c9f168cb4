import type { NestedFunction } from '../functions/index.ts'
import { constantPath, constantText } from './say.ts'
import { sparkIdentifier, sparkLiteral } from './spark-literals.ts'
import { called, type Say } from './spark-say.ts'
import { refuse } from './spark-types.ts'

const bigintOf =
  (name: string): Say =>
  ([x]) =>
    `CAST(CASE WHEN ${x} IS NOT NULL THEN ${name}(${x}) END AS BIGINT)`

/** A lambda's answer, false where it is unknown. */
const matched =
  (name: string): Say =>
  ([list, lambda = '']) => {
    const [, variable, body] = /^(`(?:[^`]|``)*`) -> ([\s\S]*)$/.exec(lambda) ?? []
    return `${name}(${list}, ${variable} -> coalesce(${body}, false))`
  }

const present = (list: string | undefined): string => `filter(${list}, __v -> __v IS NOT NULL)`

/** Lists, structs, maps and JSON. */
export const sparkNested: { readonly [K in NestedFunction]: Say } = {
  list: called('array'),
  sequence: ([from, to, step]) =>
    `(CASE WHEN ${from} IS NULL OR ${to} IS NULL OR ${step} IS NULL THEN NULL WHEN ${step} = 0 OR (${step} > 0) <> (${to} >= ${from}) AND ${to} <> ${from} THEN CAST(array() AS ARRAY<BIGINT>) ELSE sequence(CAST(${from} AS BIGINT), CAST(${to} AS BIGINT), CAST(${step} AS BIGINT)) END)`,
  element: ([list, n]) => `(CASE WHEN ${n} <> 0 THEN try_element_at(${list}, CAST(${n} AS INT)) END)`,
  listLength: bigintOf('size'),
  listContains: ([list, value]) =>
    `(CASE WHEN ${value} IS NOT NULL AND ${list} IS NOT NULL THEN coalesce(array_contains(${list}, ${value}), false) END)`,
  listPosition: ([list, value]) => `CAST(array_position(${list}, ${value}) AS INT)`,
  slice: ([list, from, count]) => `slice(${list}, CAST(${from} AS INT), CAST(${count} AS INT))`,
  listConcat: called('concat'),
  listSort: ([list], args) => {
    if (constantText('listSort', args[1]?.expression) !== 'descending') return `array_sort(${list})`
    return `concat(reverse(array_sort(${present(list)})), filter(${list}, __v -> __v IS NULL))`
  },
  listReverse: called('reverse'),
  listDistinct: called('array_distinct'),
  flatten: ([list]) => `flatten(${present(list)})`,
  listSum: ([list], [argument]) => {
    const type = element(argument?.type())
    const wide = /^(?:tinyint|smallint|int|bigint)$/.test(type)
      ? 'BIGINT'
      : type.startsWith('decimal')
        ? type
        : 'DOUBLE'
    return `aggregate(${present(list)}, CAST(NULL AS ${wide}), (s, v) -> CAST(CASE WHEN s IS NULL THEN v ELSE s + v END AS ${wide}))`
  },
  listMean: ([list]) =>
    `(aggregate(${present(list)}, CAST(NULL AS DOUBLE), (s, v) -> coalesce(s, 0D) + v) / size(${present(list)}))`,
  listMin: called('array_min'),
  listMax: called('array_max'),
  listJoin: ([list, separator]) => `array_join(${list}, ${separator})`,
  transform: called('transform'),
  listFilter: called('filter'),
  anyMatch: matched('exists'),
  allMatch: matched('forall'),
  struct: (values, args) => {
    for (const [i, argument] of args.entries()) if (i % 2 === 0) constantText('struct', argument.expression)
    return `named_struct(${values.join(', ')})`
  },
  field: ([struct], args) => `${struct}.${sparkIdentifier(constantText('field', args[1]?.expression))}`,
  map: called('map_from_arrays'),
  mapGet: ([map, key]) => `try_element_at(${map}, ${key})`,
  mapContains: called('map_contains_key'),
  mapKeys: called('map_keys'),
  mapValues: called('map_values'),
  mapEntries: called('map_entries'),
  mapLength: bigintOf('size'),
  jsonExtract: ([text], [, ...steps]) => {
    const path = constantPath(
      'jsonExtract',
      steps.map((step) => step.expression),
    ).map((step) => {
      if (typeof step === 'number') return `[${step}]`
      if (step.includes("'")) return refuse('jsonExtract', 'a name with a quote in it')
      return `['${step}']`
    })
    return `get_json_object(${text}, ${sparkLiteral(`$${path.join('')}`)})`
  },
  jsonArrayLength: ([text]) => `CAST(json_array_length(${text}) AS BIGINT)`,
  jsonKeys: called('json_object_keys'),
  jsonValid: ([text]) => `(CASE WHEN ${text} IS NOT NULL THEN try_parse_json(${text}) IS NOT NULL END)`,
  toJson: ([value]) => `to_json(${value}, map('ignoreNullFields', 'false'))`,
}

/** The element type of "array<…>". */
function element(type: string | undefined): string {
  return /^array<(.*)>$/i.exec(type ?? '')?.[1]?.toLowerCase() ?? ''
}
