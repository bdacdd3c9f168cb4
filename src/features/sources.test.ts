import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterAll, describe, expect, it } from 'vitest'

import type { ColumnBatch } from '../core/index.ts'
import { DuckdbEngine } from '../engines/index.ts'
import type { Plan } from '../plan/index.ts'
import { read } from '../table/index.ts'
import {
  batchOfRows,
  chooseFeatures,
  fitFeatures,
  inferFeatures,
  memorySource,
  summarize,
  tableSource,
} from './index.ts'

const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url))
const engine = new DuckdbEngine({ threads: 2 })
afterAll(() => engine.close())

function sql(text: string): Plan {
  return { kind: 'sql', parts: [text], holes: [], columns: undefined }
}
const csv = (file: string, options = '') => sql(`SELECT * FROM read_csv('${data}${file}'${options})`)

async function batchesOf(plan: Plan): Promise<ColumnBatch[]> {
  const out: ColumnBatch[] = []
  for await (const batch of engine.batches(plan, { rows: 100 })) out.push(batch)
  return out
}

const tables: readonly (readonly [string, Plan])[] = [
  ['titanic', csv('tabular/titanic-train.csv')],
  ['german credit', csv('tabular/german.csv', ', header = false')],
  ['daily temperatures', csv('timeseries/daily-min-temperatures.csv')],
]

describe.skipIf(!existsSync(data))('a table is summarised by queries as batches are in memory', () => {
  it.each(tables)('%s', async (_name, query) => {
    const plan = (await engine.store(query)).scan
    const table = await tableSource({ plan, engine })
    const memory = await memorySource(await batchesOf(plan))
    expect(table.schema).toEqual(memory.schema)
    const names = table.schema.filter((field) => field.type !== 'string').map((field) => field.name)
    for (const probabilities of [[0, 0.25, 0.5, 0.9], Array.from({ length: 31 }, (_, i) => i / 30)]) {
      const [a, b] = await Promise.all([table.numeric(names, probabilities), memory.numeric(names, probabilities)])
      for (const name of names) {
        const received = a.get(name)!
        const expected = b.get(name)!
        expect({ rows: received.rows, missing: received.missing }).toEqual({
          rows: expected.rows,
          missing: expected.missing,
        })
        expect(received.distinct).toBe(expected.distinct)
        for (const key of ['min', 'max', 'mean', 'std'] as const) expect(received[key]).toBeCloseTo(expected[key], 6)
        received.quantiles.forEach((value, i) => expect(value).toBeCloseTo(expected.quantiles[i]!, 9))
      }
    }
    for (const { name } of table.schema) {
      const [a, b] = await Promise.all([table.frequencies(name, 1000), memory.frequencies(name, 1000)])
      expect(a).toEqual({ ...b, keys: a.keys })
      expect(new Set(a.keys)).toEqual(b.distinct <= 1000 ? new Set(b.keys) : new Set(a.keys))
      // Of values equally frequent at the limit, which are listed may differ.
      const short = await table.frequencies(name, 2)
      expect({ ...short, keys: [] }).toEqual({ ...b, keys: [], counts: b.counts.slice(0, 2) })
    }
  })

  it('gives features that encode alike', async () => {
    const plan = tables[0]![1]
    const batches = await batchesOf(plan)
    const sources = [await tableSource({ plan, engine }), await memorySource(batches)]
    const [a, b] = await Promise.all(
      sources.map(async (source) => {
        const { spec } = inferFeatures(await summarize(source), { target: 'Survived' })
        const features = await fitFeatures(source, spec)
        return { features, examples: await features.apply(batches[0]!, { target: true }) }
      }),
    )
    expect(a!.features.fields).toEqual(b!.features.fields)
    expect(a!.examples).toEqual(b!.examples)
  })
})

describe.skipIf(!existsSync(data))('inference on real tables', () => {
  it('takes Titanic apart: row numbers out, names by their words', async () => {
    const source = await tableSource({ plan: tables[0]![1], engine })
    const { columns, task } = inferFeatures(await summarize(source), { target: 'Survived' })
    expect(task).toBe('classification')
    expect(Object.fromEntries(columns.map(({ column, role }) => [column, role]))).toEqual({
      PassengerId: 'drop',
      Pclass: 'numeric',
      Name: 'keywords',
      Sex: 'category',
      Age: 'numeric',
      SibSp: 'numeric',
      Parch: 'numeric',
      Ticket: 'keywords',
      Fare: 'numeric',
      Cabin: 'keywords',
      Embarked: 'category',
      Survived: 'target',
    })
  })

  it('tells messages, classes and quantities', async () => {
    const sms = await tableSource({
      plan: csv('sms-spam/sms.tsv', ", delim = '\\t', header = false, quote = '', names = ['label', 'text']"),
      engine,
    })
    const messages = inferFeatures(await summarize(sms), { target: 'label' })
    expect(messages.spec).toEqual({
      features: [{ kind: 'text', column: 'text', field: 'text' }],
      target: { kind: 'class', column: 'label' },
    })
    const wine = await tableSource({ plan: csv('tabular/winequality-red.csv', ', header = false'), engine })
    expect(inferFeatures(await summarize(wine), { target: 'column11' }).task).toBe('regression')
    const credit = await tableSource({ plan: tables[1]![1], engine })
    const german = inferFeatures(await summarize(credit), { target: 'column20' })
    expect(german.task).toBe('classification')
    expect(german.columns.filter(({ role }) => role === 'drop')).toEqual([])
  })

  it('drops what identifies or says nothing, and says why', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      id: BigInt((i * 77) % 200),
      key: `u${1e6 + i * 7919}`,
      same: 'always',
      none: null,
      x: Math.sin(i),
      y: i % 2 === 0,
    }))
    const batch = batchOfRows(rows)
    const { columns } = inferFeatures(await summarize(await memorySource([batch])), { target: 'y' })
    const dropped = columns.filter(({ role }) => role === 'drop')
    expect(dropped.map(({ column, why }) => `${column} ${why}`)).toEqual([
      'id numbers or identifies the rows',
      'key identifies the rows: 200 different values in 200 rows, which share no words',
      'same is constant',
      'none is empty',
    ])
  })

  it('drops what is the target under another name, unless it is asked for', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      label: ['cat', 'dog', 'cow'][i % 3],
      code: i % 3,
      near: i === 7 ? 5 : i % 3,
      price: i * 1.5,
      cents: i * 150 + 3,
      noise: Math.sin(i * i),
    }))
    const batches = [batchOfRows(rows)]
    const dropped = async (options: Parameters<typeof chooseFeatures>[1]) =>
      (await chooseFeatures(batches, options)).columns.filter(({ role }) => role === 'drop').map(({ column }) => column)
    expect(await dropped({ target: 'label' })).toEqual(['code'])
    expect(await dropped({ target: 'price' })).toEqual(['cents'])
    expect(await dropped({ target: 'label', columns: { code: 'numeric' } })).toEqual([])
    expect(await dropped({ target: 'noise' })).toEqual([])
  })

  it('fits on a table as it is read', async () => {
    const table = await read(`${data}tabular/titanic-train.csv`)
    const { spec } = await chooseFeatures(table, { target: 'Survived' })
    const features = await fitFeatures(table, spec)
    const dense = features.fields.find(({ name }) => name === 'dense')
    expect(dense?.kind === 'dense' && dense.positions).toEqual(
      expect.arrayContaining(['Age', 'Age missing', 'Sex=male', 'Name has mrs', 'Cabin has b', 'Embarked=Q']),
    )
    let size = 0
    for await (const batch of table.batches()) size += (await features.apply(batch, { target: true })).size
    expect(size).toBe(891)
  })

  it('names the closest column where one is not there', async () => {
    const summaries = await summarize(await memorySource([batchOfRows([{ age: 1, sex: 'a' }])]))
    expect(() => inferFeatures(summaries, { target: 'sx' })).toThrow(/Did you mean "sex"/)
    expect(() => inferFeatures(summaries, { drop: ['agee'] })).toThrow(/Did you mean "age"/)
    expect(() => inferFeatures(summaries, { target: 'sex', drop: ['age'] })).toThrow(
      /no column is left.*"age" as asked/,
    )
  })
})
