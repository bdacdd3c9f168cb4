import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { examples, fathom, jsonOf, lacks, shared, someRows, temporaryFolder, type TrainJson } from './support.ts'

const folder = temporaryFolder()
const run = (args: readonly string[], stdin?: string) =>
  fathom(args, { cwd: folder, ...(stdin === undefined ? {} : { stdin }) })
const wine = join(examples, 'wine-quality.csv')

let trained: TrainJson
beforeAll(async () => {
  writeFileSync(join(folder, 'wine.csv'), someRows(wine, 10))
  writeFileSync(join(folder, 'later.csv'), someRows(wine, 40, 1))
  const outcome = await run(['train', 'wine.csv', '--target', 'quality', '--epochs', '2', '--json'])
  expect(outcome.stderr).toContain('wine.fathom')
  expect(outcome.code).toBe(0)
  trained = jsonOf<TrainJson>(outcome)
})

describe('train', () => {
  test('prints one object with what scripts need', () => {
    expect(Object.keys(trained).toSorted()).toEqual(
      ['bundle', 'epochs', 'metrics', 'parts', 'rows', 'seconds', 'task'].toSorted(),
    )
    expect(trained.task).toBe('regression')
    expect(trained.bundle).toBe('wine.fathom')
    expect(trained.rows).toBe(trained.parts.test)
    expect(trained.parts.train + trained.parts.validation + trained.parts.test).toBe(650)
    expect(trained.metrics['rmse']).toBeGreaterThan(0)
    expect(trained.metrics['r2']).toBeLessThan(1)
    expect(existsSync(join(folder, 'wine.fathom'))).toBe(true)
    expect(existsSync(join(folder, 'wine.fathom.checkpoint'))).toBe(false)
  })

  test('says what it inferred and why, and goes by a config file with flags over it', async () => {
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ target: 'color', preset: 'fast', epochs: 9, columns: { density: 'drop' }, drop: ['ph'] }),
    )
    const args = ['train', 'wine.csv', '--config', 'config.json', '--epochs', '1', '-o', 'color.fathom', '--json']
    const outcome = await run(args)
    const result = jsonOf<TrainJson>(outcome)
    expect(result).toMatchObject({ task: 'classification', epochs: 1, bundle: 'color.fathom' })
    expect(result.metrics['accuracy']).toBeGreaterThan(0.5)
    expect(result.metrics['auc']).toBeGreaterThan(0.5)
    const { stderr } = outcome
    expect(stderr).toMatch(/task +classification of "color" +\S/)
    expect(stderr).toMatch(/column density +dropped +\S/)
    expect(stderr).toMatch(/column ph +dropped +\S/)
    expect(stderr).toMatch(/column alcohol +numeric +numbers from/)
    expect(stderr).toMatch(/model +\S.* parameters/)
    expect(stderr).toMatch(/peak memory +\d/)
    expect(stderr).toMatch(/epoch 1\/1 +loss 0\.\d+/)
  })

  test('takes test data of its own, holds back the latest rows, or whole groups', async () => {
    const common = ['train', 'wine.csv', '--target', 'quality', '--epochs', '1', '--json']
    const [own, time, group] = await Promise.all([
      run([...common, '--test', 'later.csv', '-o', 'own.fathom']),
      run([...common, '--split-time', 'density', '-o', 'time.fathom']),
      run([...common, '--split-group', 'alcohol', '-o', 'group.fathom']),
    ])
    expect(jsonOf<TrainJson>(own)).toMatchObject({ rows: 163, parts: { train: 650 } })
    const byTime = jsonOf<TrainJson>(time).parts
    expect(byTime.test / 650).toBeCloseTo(0.2, 1)
    const byGroup = jsonOf<TrainJson>(group).parts
    expect(byGroup.test).toBeGreaterThan(30)
    expect(byGroup.test).toBeLessThan(300)
    expect(group.stderr).toMatch(/column alcohol +dropped/)
  })

  test('reads globs, gzip, NDJSON and Parquet', async () => {
    const rows = someRows(wine, 20).trimEnd().split('\n')
    const half = Math.floor(rows.length / 2)
    writeFileSync(join(folder, 'part-1.csv.gz'), gzipSync(rows.slice(0, half).join('\n') + '\n'))
    writeFileSync(join(folder, 'part-2.csv.gz'), gzipSync([rows[0], ...rows.slice(half)].join('\n') + '\n'))
    const converted = await run(['query', "select * from 'part-*.csv.gz'", '-o', 'rows.parquet', '--json'])
    expect(jsonOf(converted)).toMatchObject({ rows: rows.length - 1, output: 'rows.parquet' })
    expect((await run(['query', "from 'rows.parquet'", '-o', 'rows.ndjson'])).code).toBe(0)
    const results = await Promise.all(
      ['part-*.csv.gz', 'rows.parquet', 'rows.ndjson'].map(async (input, i) =>
        jsonOf<TrainJson>(
          await run(['train', input, '-t', 'quality', '--epochs', '1', '--json', '-o', `format-${i}.fathom`]),
        ),
      ),
    )
    for (const { parts, metrics } of results) {
      expect(parts).toEqual(results[0]!.parts)
      expect(metrics['rmse']).toBeGreaterThan(0)
    }
  })
})

describe('evaluate', () => {
  test('measures labelled data and writes a report', async () => {
    const outcome = await run(['evaluate', 'wine.fathom', 'later.csv', '--report', 'page.html', '--json'])
    const result = jsonOf(outcome)
    expect(Object.keys(result).toSorted()).toEqual(['bundle', 'metrics', 'report', 'rows', 'seconds', 'task'])
    expect(result).toMatchObject({ task: 'regression', rows: 163, bundle: 'wine.fathom', report: 'page.html' })
    expect(Object.keys(result['metrics'] as object)).toEqual(Object.keys(trained.metrics))
    const page = readFileSync(join(folder, 'page.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>/i)
    expect(page).toContain('wine')
    const again = await run(['evaluate', 'wine.fathom', 'later.csv', '--report', 'page.html'])
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr).toContain('--force')
  })

  test('gives the metrics that train gave, on the same rows', async () => {
    const own = await run(['train', 'wine.csv', '-t', 'quality', '--epochs', '1', '--test', 'later.csv', '--json', '-o', 'same.fathom']) // prettier-ignore
    const again = await run(['evaluate', 'same.fathom', 'later.csv', '--json'])
    expect(jsonOf<TrainJson>(again).metrics).toEqual(jsonOf<TrainJson>(own).metrics)
  })
})

describe('predict', () => {
  test('keeps the original columns, in any format', async () => {
    for (const format of ['parquet', 'csv', 'ndjson']) {
      const outcome = await run(['predict', 'wine.fathom', 'later.csv', '-o', `out.${format}`, '--json'])
      expect(jsonOf(outcome)).toMatchObject({ task: 'regression', rows: 163, output: `out.${format}` })
      const read = await run(['query', `select * from 'out.${format}'`, '--json'])
      const { columns, data } = jsonOf<{ columns: string[]; data: Record<string, number>[] }>(read)
      const header = readFileSync(join(folder, 'later.csv'), 'utf8').split('\n')[0]!.split(',')
      expect(columns).toEqual([...header, 'prediction'])
      expect(data).toHaveLength(163)
      for (const row of data) expect(row['prediction']).toBeGreaterThan(0)
    }
  })

  test('JSON rows from stdin: an object, an array, one a line', async () => {
    const row = JSON.parse((await run(['predict', 'wine.fathom', 'later.csv'])).stdout.split('\n')[0]!) as object
    const text = JSON.stringify(row)
    for (const [stdin, count] of [
      [text, 1],
      [`[${text},${text}]`, 2],
      [`${text}\n${text}\n${text}\n`, 3],
    ] as const) {
      // prettier-ignore
      const plain = await run(['predict', 'wine.fathom'], stdin)
      expect(plain.code).toBe(0)
      const rows = plain.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { prediction: number }) // prettier-ignore
      expect(rows).toHaveLength(count)
      // One row or thousands at a time: the same prediction, but for the rounding of other tile shapes.
      for (const { prediction } of rows) expect(prediction).toBeCloseTo((row as { prediction: number }).prediction, 4)
    }
    const all = jsonOf<{ rows: number; predictions: object[] }>(await run(['predict', 'wine.fathom', '--json'], text))
    expect(all.rows).toBe(1)
    expect(all.predictions).toHaveLength(1)
  })

  test('says what is wrong with rows', async () => {
    const [text, broken, number, empty, missing] = await Promise.all([
      run(['predict', 'wine.fathom'], '{"alcohol": 9'),
      run(['predict', 'wine.fathom'], '{"alcohol": 9}\n{"alcohol": }\n'),
      run(['predict', 'wine.fathom'], '[1, 2]'),
      run(['predict', 'wine.fathom'], ''),
      run(['predict', 'wine.fathom'], '{"alcohol": 9}'),
    ])
    for (const each of [text, broken, number, empty, missing]) expect(each).toMatchObject({ code: 1, stdout: '' })
    expect(broken.stderr).toContain('line 2')
    expect(number.stderr).toContain('JSON objects')
    expect(empty.stderr).toContain('echo')
    expect(missing.stderr).toContain('expected a column "color"')
    const imputed = await run(['predict', 'wine.fathom', '--missing-columns', 'impute', '--json'], '{"alcohol": 9}')
    expect(jsonOf(imputed)).toMatchObject({ rows: 1 })
  })
})

describe('inspect, export, query', () => {
  test('inspect shows inputs, layers, metrics and lineage', async () => {
    const [text, json] = await Promise.all([run(['inspect', 'wine.fathom']), run(['inspect', 'wine.fathom', '--json'])])
    for (const part of ['inputs', 'layers', 'metrics', 'lineage', 'alcohol']) expect(text.stderr).toContain(part)
    const found = jsonOf<{ inputs: object[]; metrics: object; parameters: number; lineage: object }>(json)
    expect(found.inputs).toHaveLength(12)
    expect(found.metrics).toEqual(trained.metrics)
    expect(found.parameters).toBeGreaterThan(1000)
    expect(found.lineage).toMatchObject({ seed: 0, rows: trained.parts })
  })

  test('export writes ONNX and safetensors, and never over what is there', async () => {
    const onnx = jsonOf<{ files: { path: string; bytes: number }[] }>(
      await run(['export', 'wine.fathom', '--format', 'onnx', '--json']),
    )
    expect(onnx.files.map(({ path }) => path)).toEqual(['wine.onnx', 'wine.features.json'])
    const weights = await run(['export', 'wine.fathom', '--format', 'safetensors', '-o', 'w.safetensors', '--json'])
    expect(jsonOf<typeof onnx>(weights).files[0]!.bytes).toBeGreaterThan(1000)
    const again = await run(['export', 'wine.fathom', '--format', 'onnx'])
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect((await run(['export', 'wine.fathom', '--format', 'onnx', '--force'])).code).toBe(0)
  })

  test('query prints a table, one object, a picture, or a file', async () => {
    const sql = "select color, avg(alcohol) as alcohol from 'wine.csv' group by 1 order by 1"
    const [text, json, chart, svg] = await Promise.all([
      run(['query', sql]),
      run(['query', sql, '--json']),
      run(['query', sql, '--chart', 'bar']),
      run(['query', sql, '--chart', 'bar', '-o', 'bar.svg', '--json']),
    ])
    expect(text.stdout).toContain('color')
    const { rows, data } = jsonOf<{ rows: number; data: { color: string; alcohol: number }[] }>(json)
    expect(rows).toBe(2)
    expect(data.map(({ color }) => color)).toEqual(['red', 'white'])
    expect(chart.stdout).toContain('white')
    expect(jsonOf(svg)).toMatchObject({ output: 'bar.svg' })
    expect(readFileSync(join(folder, 'bar.svg'), 'utf8')).toContain('<svg')
  })
})

describe('help and usage', () => {
  const commands = ['train', 'evaluate', 'predict', 'inspect', 'export', 'query']

  test('every command shows its options and an example', async () => {
    const [main, ...each] = await Promise.all([[], ...commands.map((name) => [name])].map((args) => run([...args, '--help']))) // prettier-ignore
    expect(main!.code).toBe(0)
    for (const name of commands) expect(main!.stdout).toContain(`  ${name} `)
    for (const [i, { code, stdout }] of each.entries()) {
      expect(code).toBe(0)
      expect(stdout).toContain('--json')
      expect(stdout).toContain(`Example:\n  $ fathom ${commands[i]} `)
    }
  })

  test('a wrong command, flag or value exits with 2 and says what there is', async () => {
    const cases: [string[], string][] = [
      [['tran', 'x.csv'], 'train'],
      [['train', 'wine.csv', '--targt', 'quality'], '--target'],
      [['train', 'wine.csv', '--target', 'quality', '--preset', 'nice'], 'fast, default, best'],
      [['train', 'wine.csv', '--target', 'quality', '--epochs', 'many'], 'number'],
      [['train', 'wine.csv', '--target', 'quality', '--epochs', '1.5'], 'epochs'],
      [['train', 'wine.csv', '--target', 'quality', '--column', 'ph'], 'NAME=ROLE'],
      [['train', 'wine.csv', '--target', 'quality', '--column', 'ph=number'], 'numeric'],
      [['train', 'wine.csv', '--target', 'quality', '--limit-memory', 'lots'], '800MB'],
      [['train', 'wine.csv'], '"alcohol"'],
      [['train'], 'churn.csv'],
      [['export', 'wine.fathom'], '--format'],
      [['export', 'wine.fathom', '--format', 'pickle'], 'onnx, safetensors'],
      [['query'], 'sql'],
    ]
    const outcomes = await Promise.all(
      cases.map(([args]) => run(args[0] === 'train' && args.length > 1 ? [...args, '-o', 'never.fathom'] : args)),
    )
    for (const [i, { code, stderr, stdout }] of outcomes.entries()) {
      expect(`${code} ${stderr}`).toMatch(/^2 /)
      expect(stderr).toContain(cases[i]![1])
      expect(stdout).toBe('')
    }
  })

  test('a config file is checked', async () => {
    const contents = { unknown: '{"target": "quality", "epoch": 3}', type: '{"target": 3}', list: '[1]', broken: '{"target":' } // prettier-ignore
    const outcomes = await Promise.all(
      Object.entries(contents).map(async ([name, text]) => {
        writeFileSync(join(folder, `${name}.json`), text)
        return [name, await run(['train', 'wine.csv', '--config', `${name}.json`, '-o', 'never.fathom'])] as const
      }),
    )
    for (const [, { code }] of outcomes) expect(code).toBe(2)
    const found = Object.fromEntries(outcomes)
    expect(found['unknown']!.stderr).toContain('no option "epoch". Did you mean "epochs"')
    expect(found['type']!.stderr).toContain('option "target"')
    expect(found['list']!.stderr).toContain('an array')
    expect(found['broken']!.stderr).toContain('JSON object')
    const absent = await run(['train', 'wine.csv', '--config', 'nowhere.json'])
    expect(absent).toMatchObject({ code: 1 })
    expect(existsSync(join(folder, 'never.fathom'))).toBe(false)
  })

  test('output that nobody reads on ends quietly', async () => {
    const outcome = await fathom(['predict', 'wine.fathom', 'wine.csv'], {
      cwd: folder,
      started: (child) => child.stdout!.destroy(),
    })
    expect(outcome.code).toBe(0)
    expect(outcome.stderr).not.toContain('EPIPE')
  })
})

describe.skipIf(lacks('tabular/titanic-train.csv'))('real tables (../shared/data)', () => {
  test('Titanic: names, missing values, categories; the unlabelled test file is predicted', async () => {
    const data = join(shared, 'tabular')
    const args = ['train', join(data, 'titanic-train.csv'), '-t', 'Survived', '--epochs', '15', '-o', 'titanic.fathom', '--json'] // prettier-ignore
    const { task, metrics } = jsonOf<TrainJson>(await run(args))
    expect(task).toBe('classification')
    expect(metrics['accuracy']).toBeGreaterThan(0.7)
    const rows = (await run(['predict', 'titanic.fathom', join(data, 'titanic-test.csv')])).stdout.trimEnd().split('\n')
    expect(rows).toHaveLength(418)
    const first = JSON.parse(rows[0]!) as Record<string, unknown>
    expect([0, 1]).toContain(first['prediction'])
    expect(Number(first['probability_0']) + Number(first['probability_1'])).toBeCloseTo(1, 5)
    expect(first['Name']).toBe('Kelly, Mr. James')
  })
})

describe('profile', () => {
  test('of a bundle tells where a step spends its time, and writes a Chrome trace', async () => {
    const outcome = await run(['profile', 'wine.fathom', '--runs', '2', '--trace', 'trace.json', '--json'])
    expect(outcome.code).toBe(0)
    const profile = jsonOf<{ milliseconds: number; operations: { label: string; roofShare: number }[] }>(outcome)
    expect(profile.milliseconds).toBeGreaterThan(0)
    expect(profile.operations.some(({ label }) => label.includes('matmul'))).toBe(true)
    const { traceEvents } = JSON.parse(readFileSync(join(folder, 'trace.json'), 'utf8')) as { traceEvents: unknown[] }
    expect(traceEvents.length).toBeGreaterThan(profile.operations.length)
    const forward = await run(['profile', 'wine.fathom', '--step', 'prediction', '--runs', '1'])
    expect(forward.stderr).toMatch(/ms in \d+ operations/)
    expect(forward.stderr).toMatch(/of roof/)
  })
})
