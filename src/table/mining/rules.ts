import { OptionError } from '../../core/index.ts'
import type { RunOptions } from '../../engines/index.ts'
import { col, count, countDistinct } from '../../plan/index.ts'
import { fromRows } from '../read.ts'
import type { Table } from '../table.ts'
import { positive } from './features.ts'

export interface RuleOptions extends RunOptions {
  /** The column that says which rows belong together: an order, a visit. */
  readonly basket: string
  readonly item: string
  /** Least share of baskets that hold an item set. Default 0.01. */
  readonly minSupport?: number | undefined
  /** Least share of the baskets with the antecedent that hold the consequent too. Default 0.5. */
  readonly minConfidence?: number | undefined
  /** Most items of a set. Default 4. */
  readonly maxLength?: number | undefined
}

export interface AssociationRules {
  readonly baskets: number
  /** `items` (joined by ", "), `length`, `count`, `support`: the most frequent first. */
  readonly itemsets: Table
  /** `antecedent`, `consequent`, `support`, `confidence`, `lift`, `leverage`, `conviction`: the highest lift first. */
  readonly rules: Table
}

/** Item sets beyond this are a sign of too small a support. */
const mostSets = 200_000

/**
 * Association rules by Apriori (Agrawal and Srikant 1994), each length a query: sets of items that are often in one
 * basket, and rules "who has these has that too". An item counts once in a basket.
 *
 * ```ts
 * const orders = await read('chipotle.tsv')
 * const { rules } = await associationRules(orders, { basket: 'order_id', item: 'item_name', minSupport: 0.02 })
 * await rules.show()
 * ```
 *
 * @throws OptionError for shares that are none, and where more than 200,000 sets are frequent
 */
export async function associationRules(table: Table, options: RuleOptions): Promise<AssociationRules> {
  const { basket, item, minSupport = 0.01, minConfidence = 0.5 } = options
  const longest = positive('associationRules', 'maxLength', options.maxLength ?? 4, 10)
  for (const [name, value] of Object.entries({ minSupport, minConfidence })) {
    if (value > 0 && value <= 1) continue
    throw new OptionError({
      operation: 'associationRules',
      expected: `a ${name} above 0, up to 1`,
      received: String(value),
    })
  }
  const pairs = table
    .select({ b: col(basket), i: col(item).cast('string') })
    .dropNull()
    .distinct()
  const [{ baskets } = { baskets: 0 }] = await pairs
    .agg({ baskets: countDistinct('b') })
    .toArray({ signal: options.signal })
  const all = Number(baskets)
  const least = Math.max(1, Math.ceil(minSupport * all - 1e-9))
  const frequentItems = pairs.groupBy('i').agg({ n: count() }).filter(col('n').greaterEqual(least))
  // What is rare alone is rare in company.
  const kept = await pairs.join(frequentItems.select('i'), { on: 'i', type: 'semi' }).store({ signal: options.signal })
  const sets = new Map<string, { readonly items: readonly string[]; readonly count: number }>()
  let holders: Table = kept.select('b', { i1: col('i') })
  for (let length = 1; length <= longest; length++) {
    const names = Array.from({ length }, (_, k) => `i${k + 1}`)
    if (length > 1) {
      const last = names.at(-1)!
      const next = kept.rename({ i: last })
      const grown = holders.join(next, { on: 'b' }).filter(col(last).greater(col(names.at(-2)!)))
      holders = await grown.store({ signal: options.signal })
    }
    const frequent = holders
      .groupBy(...names)
      .agg({ n: count() })
      .filter(col('n').greaterEqual(least))
    const found = await frequent.toArray({ signal: options.signal })
    for (const row of found) {
      const items = names.map((name) => row[name] as string)
      sets.set(JSON.stringify(items), { items, count: Number(row['n']) })
    }
    if (sets.size > mostSets) {
      throw new OptionError({
        operation: 'associationRules',
        expected: `at most ${mostSets.toLocaleString('en-US')} frequent sets`,
        received: `${sets.size.toLocaleString('en-US')} with ${length} items or fewer`,
        hint: 'Raise minSupport, or lower maxLength',
      })
    }
    if (found.length === 0 || length === longest) break
    // Only the baskets of frequent sets can hold longer ones.
    holders = await holders.join(frequent.drop('n'), { on: names, type: 'semi' }).store({ signal: options.signal })
  }
  return {
    baskets: all,
    itemsets: itemsetTable(table, [...sets.values()], all),
    rules: ruleTable(table, sets, all, minConfidence),
  }
}

type Sets = ReadonlyMap<string, { readonly items: readonly string[]; readonly count: number }>

function itemsetTable(
  table: Table,
  sets: readonly { readonly items: readonly string[]; readonly count: number }[],
  baskets: number,
): Table {
  const rows = sets
    .map(({ items, count }) => ({ items: items.join(', '), length: items.length, count, support: count / baskets }))
    .toSorted((a, b) => b.count - a.count || (a.items < b.items ? -1 : 1))
  return fromRows(rows, {
    types: { items: 'string', length: 'int32', count: 'int64', support: 'float64' },
    engine: table.engine,
  })
}

function ruleTable(table: Table, sets: Sets, baskets: number, minConfidence: number): Table {
  const rows = [...sets.values()].flatMap(({ items, count }) =>
    splits(items).flatMap(([antecedent, consequent]) => {
      const [before, after] = [
        sets.get(JSON.stringify(antecedent))!.count / baskets,
        sets.get(JSON.stringify(consequent))!.count / baskets,
      ]
      const support = count / baskets
      const confidence = support / before
      if (confidence < minConfidence - 1e-12) return []
      return [
        {
          antecedent: antecedent.join(', '),
          consequent: consequent.join(', '),
          support,
          confidence,
          lift: confidence / after,
          leverage: support - before * after,
          conviction: confidence >= 1 ? null : (1 - after) / (1 - confidence),
        },
      ]
    }),
  )
  const types = {
    antecedent: 'string',
    consequent: 'string',
    support: 'float64',
    confidence: 'float64',
    lift: 'float64',
    leverage: 'float64',
    conviction: 'float64',
  } as const
  rows.sort((a, b) => b.lift - a.lift || b.support - a.support || (a.antecedent < b.antecedent ? -1 : 1))
  return fromRows(rows, { types, engine: table.engine })
}

/** Every way to part a set in two. */
function splits(items: readonly string[]): [string[], string[]][] {
  const out: [string[], string[]][] = []
  for (let mask = 1; mask < (1 << items.length) - 1; mask++) {
    out.push([items.filter((_, i) => (mask >> i) & 1), items.filter((_, i) => !((mask >> i) & 1))])
  }
  return out
}
