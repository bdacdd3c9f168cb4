import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { predict, runChart, runCheck, runProfile, train } from '../../src/tasks/index.ts'
import { readBundle } from '../../src/bundle/index.ts'
import { temporaryFolder } from '../../src/tasks/temporary.ts'

const folder = temporaryFolder().path
const path = (name: string): string => join(folder, name)
const rows = Array.from({ length: 400 }, (_, i) => ({
  size: Math.round(20 + 80 * Math.abs(Math.sin(i * 1.3))),
  town: ['Ulm', 'Köln', 'Bonn'][i % 3]!,
  price: 0,
})).map((row, i) => ({ ...row, price: row.size * 3 + (i % 7) }))
const csv = (of: readonly Readonly<Record<string, string | number>>[]): string =>
  [Object.keys(of[0]!).join(','), ...of.map((row) => Object.values(row).join(','))].join('\n')
writeFileSync(path('homes.csv'), csv(rows))
writeFileSync(path('far.csv'), csv(rows.map((row) => ({ ...row, size: row.size * 4 }))))
writeFileSync(path('bad.csv'), csv(rows.map((row, i) => (i === 5 ? { ...row, town: 'Rom' } : row))))

describe('check', () => {
  test('infers a contract, keeps it, and tells where it is broken', async () => {
    const contract = path('homes.contract.json')
    const inferred = await runCheck({ input: path('homes.csv'), infer: contract })
    expect(inferred).toMatchObject({ passed: true, contract })
    expect(JSON.parse(readFileSync(contract, 'utf8'))).toEqual(JSON.parse(JSON.stringify(inferred.inferred)))
    expect(await runCheck({ input: path('homes.csv'), contract })).toMatchObject({ passed: true })
    const broken = await runCheck({ input: path('bad.csv'), contract, report: path('check.html') })
    expect(broken.passed).toBe(false)
    expect(broken.checked!.results.find(({ passed }) => !passed)!.examples).toMatchObject([
      { row: 6, line: 7, values: { town: 'Rom' } },
    ])
    expect(readFileSync(path('check.html'), 'utf8')).toContain('line 7: town')
    await expect(runCheck({ input: path('homes.csv'), infer: contract })).rejects.toThrow(/exists already/)
    await expect(runCheck({ input: path('homes.csv') })).rejects.toThrow(/either a contract to check or a file/)
  })
})

describe('chart and profile', () => {
  test('write pictures by their extension, and nothing where it is not known', async () => {
    for (const extension of ['svg', 'png', 'html']) {
      const output = path(`homes.${extension}`)
      expect(await runChart({ input: path('homes.csv'), x: 'town', y: 'price', kind: 'bar', output })).toMatchObject({
        kind: 'bar',
        output,
      })
    }
    expect(readFileSync(path('homes.svg'), 'utf8')).toContain('>mean of price by town</text>')
    expect(readFileSync(path('homes.png')).subarray(1, 4).toString()).toBe('PNG')
    expect(readFileSync(path('homes.html'), 'utf8')).toMatch(/^<!doctype html>/)
    await expect(runChart({ input: path('homes.csv'), output: path('homes.gif') })).rejects.toThrow(
      /\.svg, \.png or \.html/,
    )
    expect(existsSync(path('homes.gif'))).toBe(false)
  })
  test('profile writes a page', async () => {
    const { profile } = await runProfile({
      input: path('far.csv'),
      compare: path('homes.csv'),
      target: 'price',
      report: path('profile.html'),
    })
    expect(profile.notes.some((note) => note.startsWith('size is distributed otherwise'))).toBe(true)
    expect(readFileSync(path('profile.html'), 'utf8')).toContain('What has moved')
  })
})

describe('a contract travels with the model', async () => {
  const contract = path('towns.json')
  writeFileSync(
    contract,
    JSON.stringify({
      fathom: 'contract',
      version: 1,
      checks: [
        { check: 'oneOf', column: 'town', values: ['Ulm', 'Köln', 'Bonn'] },
        { check: 'range', column: 'price', min: 0 },
        { check: 'rows', min: 300 },
      ],
    }),
  )
  const bundle = path('homes.fathom')
  const options = { target: 'price', preset: 'fast' as const, epochs: 1, contract }
  await train({ ...options, input: path('homes.csv'), output: bundle })
  const notesOf = async (of: Partial<Parameters<typeof predict>[0]>): Promise<string[]> => {
    const notes: string[] = []
    await predict({ bundle, ...of }, { observer: { note: (note) => notes.push(note) } })
    return notes.filter((note) => /contract|distributed/.test(note))
  }

  test('training refuses data that breaks it', async () => {
    await expect(train({ ...options, input: path('bad.csv'), output: path('bad.fathom') })).rejects.toThrow(
      /breaks its contract: town is one of "Ulm", "Köln", "Bonn" \(not in 1 of 400 rows.*line 7: town = "Rom"/,
    )
    expect(existsSync(path('bad.fathom'))).toBe(false)
  })
  test('the bundle holds it, and how the inputs were distributed', async () => {
    const { contract: kept } = (await readBundle(bundle)).sections as {
      contract: { contract: unknown; reference: Record<string, { kind: string }> }
    }
    expect(kept.contract).toMatchObject({ checks: [{}, {}, {}] })
    expect(Object.entries(kept.reference).map(([name, { kind }]) => [name, kind])).toEqual([
      ['size', 'number'],
      ['town', 'category'],
    ])
  })
  test('prediction refuses rows that break it, unless told to warn', async () => {
    await expect(notesOf({ input: [path('bad.csv')] })).rejects.toThrow(/breaks its contract: town.*--contract warn/)
    await expect(notesOf({ rows: [{ size: 50, town: 'Rom' }] })).rejects.toThrow(/breaks its contract: town/)
    expect(await notesOf({ input: [path('bad.csv')], contract: 'warn' })).toEqual([
      'contract: town is one of "Ulm", "Köln", "Bonn": not in 1 of 400 rows (0.25 %)',
    ])
    expect(await notesOf({ rows: [{ size: 50, town: 'Ulm' }] })).toEqual([])
  })
  test('inputs that have moved are told, others not', async () => {
    expect(await notesOf({ input: [path('homes.csv')] })).toEqual([])
    const [note, ...more] = await notesOf({ input: [path('far.csv')] })
    expect(note).toMatch(/^"size" is distributed otherwise than in training \(PSI [\d.]+\): above \d+ /)
    expect(more).toEqual([])
    expect(await notesOf({ input: [path('far.csv')], contract: 'off' })).toEqual([])
  })
})
