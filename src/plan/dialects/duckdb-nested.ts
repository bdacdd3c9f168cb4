import type { NestedFunction } from '../functions/index.ts'
import { identifier, literal } from './duckdb-literals.ts'
import { called } from './duckdb-math.ts'
import { constantPath, constantText, type Say } from './say.ts'

/** A lambda's answers as a list of booleans, unknown ones false. */
const answers = ([list, lambda]: readonly string[]): string =>
  `list_transform(list_transform(${list}, ${lambda}), lambda __b: coalesce(__b, false))`

const when = (condition: string, value: string): string => `(CASE WHEN ${condition} THEN ${value} END)`

export const duckdbNested: Say<NestedFunction> = {
  list: called('list_value'),
  sequence: called('generate_series'),
  element: called('list_extract'),
  listLength: called('len'),
  listContains: called('list_contains'),
  // A missing one stands nowhere, where DuckDB says NULL.
  listPosition: ([list, value]) =>
    when(`${list} IS NOT NULL AND ${value} IS NOT NULL`, `coalesce(list_position(${list}, ${value}), 0)`),
  slice: ([list, from, count]) => `list_slice(${list}, ${from}, ${from} + ${count} - 1)`,
  listConcat: (values) =>
    when(values.map((v) => `${v} IS NOT NULL`).join(' AND '), `list_concat(${values.join(', ')})`),
  listSort: ([list], [, order]) =>
    `list_sort(${list}, '${constantText('listSort', order) === 'descending' ? 'DESC' : 'ASC'}', 'NULLS LAST')`,
  listReverse: called('list_reverse'),
  listDistinct: ([list]) => `list_filter(${list}, lambda __x, __i: list_position(${list}, __x) = __i)`,
  flatten: called('flatten'),
  listSum: called('list_sum'),
  listMean: called('list_avg'),
  listMin: called('list_min'),
  listMax: called('list_max'),
  listJoin: called('array_to_string'),
  transform: called('list_transform'),
  listFilter: called('list_filter'),
  anyMatch: (values) => when(`${values[0]} IS NOT NULL`, `coalesce(list_bool_or(${answers(values)}), false)`),
  allMatch: (values) => when(`${values[0]} IS NOT NULL`, `coalesce(list_bool_and(${answers(values)}), true)`),
  struct: (values, expressions) => {
    const fields = values.flatMap((value, i) => {
      return i % 2 === 0 ? [] : [`${identifier(constantText('struct', expressions[i - 1]))} := ${value}`]
    })
    return `struct_pack(${fields.join(', ')})`
  },
  field: ([struct], [, name]) => `struct_extract(${struct}, ${literal(constantText('field', name))})`,
  map: called('map'),
  mapGet: ([map, key]) => `(${map})[${key}]`,
  mapContains: called('map_contains'),
  mapKeys: called('map_keys'),
  mapValues: called('map_values'),
  mapEntries: called('map_entries'),
  mapLength: ([map]) => `CAST(cardinality(${map}) AS BIGINT)`,
  jsonExtract: ([text], [, ...steps]) => {
    const path = constantPath('jsonExtract', steps).map((step) => {
      return typeof step === 'number' ? `[${step}]` : `."${step.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    })
    return when(`json_valid(${text})`, `json_extract_string(${text}, ${literal(`$${path.join('')}`)})`)
  },
  jsonArrayLength: ([text]) => ofJson(text!, 'ARRAY', `CAST(json_array_length(${text}) AS BIGINT)`),
  jsonKeys: ([text]) => ofJson(text!, 'OBJECT', `json_keys(${text})`),
  jsonValid: called('json_valid'),
  toJson: ([value]) => `CAST(to_json(${value}) AS VARCHAR)`,
}

function ofJson(text: string, type: string, value: string): string {
  return when(`json_valid(${text})`, when(`json_type(${text}) = '${type}'`, value))
}
