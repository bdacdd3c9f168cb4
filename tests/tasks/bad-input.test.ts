import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs' // prettier-ignore
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FathomError } from '../../src/core/index.ts'
import { evaluate, inspect, predict, train, type TrainOptions, type TrainPlan } from '../../src/tasks/index.ts'
import { temporaryFolder } from '../cli/support.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
/** Where outputs go: nothing else is there. */
const made = (name: string) => join(folder, 'made', name)
mkdirSync(made(''))

function write(name: string, text: string | Uint8Array): string {
  writeFileSync(at(name), text)
  return at(name)
}

/** Rows of two numbers and a target that follows them. */
function rows(count: number, cells: (i: number) => string = () => ''): string {
  return Array.from({ length: count }, (_, i) => `${i % 17},${(i * 7) % 23}${cells(i)},${i % 2}\n`).join('')
}

interface Trained {
  readonly notes: readonly string[]
  readonly plan: TrainPlan
}

async function trained(options: TrainOptions): Promise<Trained> {
  const notes: string[] = []
  let plan: TrainPlan | undefined
  await train(
    { output: made('model.fathom'), force: true, epochs: 1, ...options },
    { observer: { note: (text) => notes.push(text), plan: (each) => (plan = each) } },
  )
  return { notes, plan: plan! }
}

/** A typed error that says what came and what to do; and nothing is left of the attempt. */
async function refused(work: () => Promise<unknown>, code: string, ...says: readonly string[]): Promise<void> {
  const before = readdirSync(made('')).toSorted()
  const error: unknown = await work().then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(FathomError)
  const { code: found, message, hint } = error as FathomError
  expect(`${found}: ${message}`).toMatch(new RegExp(`^${code}: `))
  for (const each of says) expect(message).toContain(each)
  expect(message).not.toMatch(/undefined|\[object|\n +at /)
  expect(`${message} (hint: ${hint ?? ''})`).not.toContain('(hint: )')
  expect(readdirSync(made('')).toSorted()).toEqual(before)
}

describe('files', () => {
  test('missing, empty, blank, binary, truncated, header only', async () => {
    const go = (input: string) => () => trained({ input, target: 'y' })
    write('sales.csv', `a,b,y\n${rows(60)}`)
    await refused(go(at('slaes.csv')), 'FILE', 'slaes.csv', 'sales.csv')
    await refused(go(at('*.tsv')), 'FILE')
    await refused(go(write('empty.csv', '')), 'DATA', 'empty')
    await refused(go(write('blank.csv', '\n\n  \n')), 'DATA')
    await refused(go(write('binary.csv', Uint8Array.from({ length: 5000 }, (_, i) => (i * 197) % 256))), 'DATA', 'binary') // prettier-ignore
    await refused(go(write('cut.csv.gz', gzipSync(`a,b,y\n${rows(3000)}`).subarray(0, 200))), 'DATA', 'gzip')
    await refused(go(write('cut.parquet', Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(500, 7)]))), 'DATA')
    await refused(go(write('header.csv', 'a,b,y\n')), 'DATA', 'no row')
    mkdirSync(at('nothing'), { recursive: true })
    await refused(go(at('nothing')), '(DATA|FILE)', 'nothing')
  })

  test('rows that are cut off or do not fit are told with their line; they can be left out', async () => {
    const input = write('ragged.csv', `a,b,y\n${rows(50)}1,2,3,4,5\n${rows(50)}7,"half`)
    await refused(() => trained({ input, target: 'y' }), 'DATA', 'ragged.csv')
    const { notes } = await trained({ input, target: 'y', onBadRows: 'skip' })
    expect(notes.join('\n')).toMatch(/2 malformed rows were left out/)
  })
})

describe('columns', () => {
  test('one class only, no value at all, too many classes, an absent target', async () => {
    const same = write('same.csv', `a,b,y\n${rows(60).replaceAll(/,[01]\n/g, ',yes\n')}`)
    await refused(() => trained({ input: same, target: 'y' }), 'DATA', 'two classes', '"yes"')
    const input = write('none.csv', `a,b,y\n${rows(60).replaceAll(/,[01]\n/g, ',\n')}`)
    await refused(() => trained({ input, target: 'y' }), 'DATA', 'target "y"', 'none in 60 rows')
    await refused(() => trained({ input: same, target: 'Y' }), 'NOT_FOUND', '"Y"', 'Did you mean "y"?')
    await refused(() => trained({ input: same, target: 'y', columns: { aa: 'drop' } }), 'NOT_FOUND', '"aa"')
    await refused(() => trained({ input: same, target: 'y', drop: ['bb'] }), 'NOT_FOUND', '"bb"')
    await refused(() => trained({ input: same, target: 'a', split: { time: 'when' } }), 'NOT_FOUND', '"when"')
    await refused(() => trained({ input: same, target: 'a', drop: ['b', 'y'] }), 'DATA')
    const many = write('many.csv', `x,id\n${Array.from({ length: 30_000 }, (_, i) => `${i % 7},name ${i}\n`).join('')}`)
    await refused(() => trained({ input: many, target: 'id', task: 'classification' }), 'DATA', 'target "id"', 'classes') // prettier-ignore
  })

  test('an all-missing column is dropped, columns of one name are told apart', async () => {
    const input = write('odd.csv', `a,a,void,y\n${rows(80, () => ',')}`)
    const { notes, plan } = await trained({ input, target: 'y' })
    expect(plan.inferences).toContainEqual(expect.objectContaining({ about: 'column void', what: 'dropped' }))
    expect(plan.inferences.map(({ about }) => about)).toEqual(expect.arrayContaining(['column a', 'column a_2']))
    expect(notes.join('\n')).toContain('"a_2"')
  })

  test("a number column with 'n/a' and one with a word far down stay numbers; the word is told", async () => {
    const cells = (i: number) => (i === 60_000 ? ',n/a' : `,${i % 1000}`)
    const input = write('late.csv', `a,b,x,y\n${rows(60_010, cells)}`)
    const { plan } = await trained({ input, target: 'y', batchSize: 4096 })
    expect(plan.inferences).toContainEqual(expect.objectContaining({ about: 'column x', what: 'numeric' }))
    const word = write('word.csv', `a,b,x,y\n${rows(30_010, (i) => (i === 30_000 ? ',unknown?' : `,${i % 1000}`))}`)
    const second = await trained({ input: word, target: 'y', batchSize: 4096 })
    expect(second.plan.inferences).toContainEqual(expect.objectContaining({ about: 'column x', what: 'numeric' }))
    expect(second.notes.join('\n')).toMatch(/"x": 1 × "unknown\?".*row 30,?001/)
  })

  test('very many categories and very many columns are worked on', async () => {
    const input = write('categories.csv', `a,b,c,y\n${rows(50_000, (i) => `,key ${i}`)}`)
    const { plan } = await trained({ input, target: 'y', batchSize: 4096 })
    expect(plan.inferences).toContainEqual(expect.objectContaining({ about: 'column c', what: 'dropped' }))
    const names = Array.from({ length: 1500 }, (_, i) => `c${i}`)
    const wide = Array.from({ length: 40 }, (_, r) => `${names.map((_name, c) => (r * c) % 13).join(',')},${r % 2}\n`)
    const second = await trained({ input: write('wide.csv', `${names.join(',')},y\n${wide.join('')}`), target: 'y' })
    expect(second.plan.inferences.at(-1)!.what).toMatch(/more columns/)
  })
})

describe('bundles', () => {
  let whole: Uint8Array
  beforeAll(async () => {
    await trained({ input: write('good.csv', `a,b,y\n${rows(60)}`), target: 'y', output: at('good.fathom') })
    whole = readFileSync(at('good.fathom'))
  })

  test('truncated at every 1/20 of its length', async () => {
    for (let part = 0; part < 20; part++) {
      const path = write('cut.fathom', whole.subarray(0, Math.floor((whole.length * part) / 20)))
      await refused(() => inspect(path), 'BUNDLE', 'cut.fathom')
    }
    await refused(() => predict({ bundle: at('cut.fathom'), rows: [{ a: 1, b: 2 }] }), 'BUNDLE')
    await refused(() => evaluate({ bundle: at('cut.fathom'), input: [at('good.csv')] }), 'BUNDLE')
  })

  test('with any byte changed', async () => {
    for (let k = 0; k < 40; k++) {
      const bytes = Uint8Array.from(whole)
      bytes[Math.floor(((k + 0.5) * bytes.length) / 40)]! ^= 0x10
      await refused(() => inspect(write('changed.fathom', bytes)), 'BUNDLE')
    }
  })

  test('of another version, or none at all, or absent', async () => {
    const text = Buffer.from(whole).toString('latin1').replaceAll('"version":[1,', '"version":[9,')
    expect(text.length).toBe(whole.length)
    await refused(() => inspect(write('newer.fathom', Buffer.from(text, 'latin1'))), 'BUNDLE')
    await refused(() => inspect(at('good.csv')), 'BUNDLE', 'not a Fathom bundle')
    await refused(() => inspect(at('absent.fathom')), '(FILE|BUNDLE)', 'absent.fathom')
  })

  test('data that does not fit', async () => {
    const other = write('other.csv', 'a,c,y\n1,2,0\n3,4,1\n')
    await refused(() => evaluate({ bundle: at('good.fathom'), input: [other] }), 'NOT_FOUND', '"b"')
    const unlabelled = write('unlabelled.csv', 'a,b\n1,2\n')
    await refused(() => evaluate({ bundle: at('good.fathom'), input: [unlabelled] }), 'NOT_FOUND', '"y"')
    const words = write('words.csv', `a,b,y\n${'one,two,1\n'.repeat(30)}`)
    await refused(() => predict({ bundle: at('good.fathom'), input: [words] }), 'TYPE', '"a"')
  })
})

describe('outputs', () => {
  const good = () => write('outputs.csv', `a,b,y\n${rows(60)}`)

  test('what exists is not overwritten without force', async () => {
    const output = write('made/mine.fathom', 'mine')
    await refused(() => train({ input: good(), target: 'y', output, epochs: 1 }), 'FILE', '--force')
    await trained({ input: good(), target: 'y', output: made('made.fathom') })
    const table = write('made/mine.csv', 'mine')
    await refused(() => predict({ bundle: made('made.fathom'), input: [good()], output: table }), 'FILE', '--force')
    await refused(() => evaluate({ bundle: made('made.fathom'), input: [good()], report: table }), 'FILE', '--force')
    expect(readFileSync(output, 'utf8') + readFileSync(table, 'utf8')).toBe('minemine')
  })

  test('a folder that is not there, and one that may not be written to', async () => {
    const input = good()
    await refused(() => trained({ input, target: 'y', output: made('nowhere/model.fathom') }), 'FILE', 'nowhere')
    mkdirSync(made('locked'))
    chmodSync(made('locked'), 0o500)
    if (process.getuid?.() !== 0)
      await refused(() => trained({ input, target: 'y', output: made('locked/model.fathom') }), 'FILE', 'permission')
    await refused(() => trained({ input, target: 'y', output: at('outputs.csv/model.fathom') }), 'FILE')
  })
})

/** A small file system of its own; only root may make one. */
function smallDisk(): string | undefined {
  const disk = at('disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', disk], { stdio: 'pipe' })
    return disk
  } catch {
    return undefined
  }
}
const disk = smallDisk()
afterAll(() => {
  if (disk !== undefined) execFileSync('umount', [disk], { stdio: 'pipe' })
})

describe.skipIf(disk === undefined)('a full disk (only root may mount a small one)', () => {
  test('is told, and nothing half-written stays', async () => {
    const input = write('disk.csv', `a,b,y\n${rows(60)}`)
    const output = join(disk!, 'model.fathom')
    await refused(() => trained({ input, target: 'y', output }), 'FILE', 'full')
    expect(readdirSync(disk!)).toEqual([])

    await trained({ input, target: 'y', output: at('fits.fathom') })
    const long = write(
      'long.csv',
      `a,b,y\n${Array.from({ length: 20_000 }, (_, i) => `${(i * 7919) % 10_007},${Math.sqrt(i)},1\n`).join('')}`,
    )
    for (const name of ['out.csv', 'out.ndjson', 'out.parquet']) {
      await refused(() => predict({ bundle: at('fits.fathom'), input: [long], output: join(disk!, name) }), 'FILE')
      expect(readdirSync(disk!)).toEqual([])
    }
    // What was there before stays as it was.
    const kept = openSync(join(disk!, 'kept.fathom'), 'w')
    writeSync(kept, 'kept')
    closeSync(kept)
    await refused(() => trained({ input, target: 'y', output: join(disk!, 'kept.fathom') }), 'FILE', 'full')
    expect(statSync(join(disk!, 'kept.fathom')).size).toBe(4)
  })
})
