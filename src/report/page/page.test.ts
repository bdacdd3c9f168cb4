import { readFileSync } from 'node:fs'
import { parseHTML } from 'linkedom'
import { describe, expect, test } from 'vitest'
import type { AnyColumn, ColumnBatch } from '../../core/index.ts'
import {
  type ReportData,
  evaluateClassification,
  evaluateRegression,
  pictureUrl,
  profileColumns,
  renderReport,
} from '../index.ts'

interface Fixture {
  readonly binary: Classified & { readonly columns: Record<string, number[]> }
  readonly multiclass: Classified & { readonly worst: { readonly row: number; readonly pixels: number[] }[] }
  readonly regression: { readonly actual: number[]; readonly predicted: number[] }
}
interface Classified {
  readonly classes: string[]
  readonly labels: number[]
  readonly probabilities: number[]
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/report.json', import.meta.url), 'utf8')) as Fixture

const evaluate = ({ labels, probabilities, classes }: Classified): ReportData['evaluation'] =>
  evaluateClassification({ labels, probabilities: Float64Array.from(probabilities), classes })

function batchOf(columns: Record<string, readonly (number | string | null)[]>): ColumnBatch {
  const names = Object.keys(columns)
  const built = names.map((name): AnyColumn => {
    const values = columns[name]!
    const validity = Uint8Array.from(values, (value) => (value === null ? 0 : 1))
    return values.some((value) => typeof value === 'string')
      ? { type: 'string', values: values.map((value) => (value === null ? null : String(value))), validity }
      : { type: 'float64', values: Float64Array.from(values, (value) => Number(value ?? 0)), validity }
  })
  const schema = names.map((name, i) => ({ name, type: built[i]!.type, sqlType: '', nullable: true }))
  return { schema, columns: built, length: Object.values(columns)[0]!.length }
}

/** A report on real predictions with every part filled. */
function binaryReport(): ReportData {
  const { columns, labels, classes } = fixture.binary
  const rows = labels.length
  return {
    title: 'breast cancer',
    generated: '2026-11-20T12:00:00Z',
    question: {
      target: 'diagnosis',
      inputs: ['breast-cancer.csv'],
      inferences: [{ about: 'task', what: 'classification', why: 'the target has 2 distinct values' }],
    },
    rows: { train: 300, validation: 69, test: rows, split: '35 % held back at random' },
    evaluation: evaluate(fixture.binary),
    notes: ['2 rows were left out: the target is missing'],
    profile: profileColumns(batchOf({ ...columns, diagnosis: labels.map((label) => classes[label]!) }), {
      target: 'diagnosis',
    }),
    features: [{ name: 'mean radius', role: 'numeric', detail: 'robust scaling, smooth clipping', width: 1 }],
    model: {
      name: 'MLP',
      parameters: 4242,
      layers: [{ name: 'dense', type: 'dense', outputShape: '[batch, 64]', parameters: 2000 }],
      settings: { optimizer: 'adam', learningRate: 0.001 },
    },
    training: {
      epochs: [1, 2, 3].map((epoch) => ({
        epoch,
        figures: { loss: 1 / epoch, valLoss: 1.1 / epoch, accuracy: 0.5 + epoch / 10 },
      })),
      bestEpoch: 3,
      seconds: 4.2,
    },
    importance: {
      metric: 'logLoss',
      repeats: 5,
      features: Object.keys(columns).map((name, i) => ({ name, mean: 0.2 / (i + 1), deviation: 0.02 })),
    },
    worst: [
      {
        content: { kind: 'row', values: Object.entries(columns).map(([name, values]) => [name, values[0]!] as const) },
        actual: 'malignant',
        predicted: 'benign',
        probability: { predicted: 0.9, actual: 0.1 },
        source: 'row 12',
      },
      { content: { kind: 'text', text: 'a text' }, actual: 'malignant', predicted: 'benign' },
    ],
    lineage: {
      data: [{ path: 'breast-cancer.csv', bytes: 125_204, rows: 569, sha256: 'ab'.repeat(32) }],
      versions: { fathom: '0.1.0' },
      seed: 0,
      config: { target: 'diagnosis', preset: 'default' },
    },
    reproduce: { commands: ['fathom train breast-cancer.csv --target diagnosis --seed 0'] },
  }
}

async function picturesReport(): Promise<ReportData> {
  const { worst, labels, classes } = fixture.multiclass
  return {
    ...binaryReport(),
    title: 'digits',
    evaluation: evaluate(fixture.multiclass),
    worst: await Promise.all(
      worst.map(async ({ row, pixels }) => ({
        content: {
          kind: 'picture' as const,
          url: await pictureUrl(
            Uint8Array.from(pixels, (value) => value * 15),
            { height: 8, width: 8, channels: 1 },
          ),
        },
        actual: classes[labels[row]!]!,
        predicted: '?',
      })),
    ),
  }
}

function regressionReport(): ReportData {
  const { actual, predicted } = fixture.regression
  const { profile: _, ...rest } = binaryReport()
  return {
    ...rest,
    title: 'diabetes',
    question: { ...rest.question, target: 'progression' },
    evaluation: evaluateRegression({ actual: Float64Array.from(actual), predicted: Float64Array.from(predicted) }),
  }
}

/** The little of the DOM that these tests read. */
interface Element {
  readonly textContent: string
  getAttribute(name: string): string | null
  querySelector(selector: string): Element | null
  querySelectorAll(selector: string): Iterable<Element>
}
const parse = (page: string): Element => (parseHTML(page) as unknown as { document: Element }).document
const all = (page: Element, selector: string): Element[] => Array.from(page.querySelectorAll(selector))

describe.each([
  ['two classes', binaryReport],
  ['pictures of ten classes', picturesReport],
  ['a regression', regressionReport],
] as const)('a report on %s', (_name, make) => {
  test('is one small page that fetches nothing', async () => {
    const page = renderReport(await make())
    expect(page.length).toBeLessThan(1_000_000)
    const addresses = page.match(/(?:src|href|url|@import)\s*[=(:]\s*["']?[^"'\s>)]+/g) ?? []
    for (const address of addresses) expect(address).toMatch(/^(?:href="#|src="data:image\/)/)
    expect(page.match(/https?:\/\/[^"'\s<]*/g)?.filter((url) => url !== 'http://www.w3.org/2000/svg') ?? []).toEqual([])
  })

  test('names every picture, heads every section and links to each', async () => {
    const page = parse(renderReport(await make()))
    const pictures = all(page, 'svg')
    expect(pictures.length).toBeGreaterThan(4)
    for (const svg of pictures) {
      expect(svg.getAttribute('role')).toBe('img')
      expect(svg.querySelector('title')!.textContent).not.toBe('')
    }
    for (const img of all(page, 'img')) expect(img.getAttribute('alt')).toBeTruthy()
    const links = all(page, 'nav a').map((link) => link.getAttribute('href'))
    expect(links.length).toBeGreaterThan(5)
    for (const link of links) expect(page.querySelector(`section${link} h2`)!.textContent).not.toBe('')
    expect(page.querySelector('html')!.getAttribute('lang')).toBe('en')
  })

  test('shows no value that is not one', async () => {
    const text = parse(renderReport(await make())).querySelector('body')!.textContent
    expect(text).not.toMatch(/NaN|undefined|\[object|Infinity/)
  })

  test('has no broken coordinate', async () => {
    expect(renderReport(await make())).not.toMatch(
      / (?:x|y|x1|x2|y1|y2|d|width|height|transform)="[^"]*(?:NaN|undefined)/,
    )
  })
})

test('says the result in words, with the interval and the baseline', () => {
  const data = binaryReport()
  const words = parse(renderReport(data)).querySelector('.lead')!.textContent.replaceAll(/\s+/g, ' ')
  const { metrics, baseline } = data.evaluation
  expect(words).toContain(`right for ${(metrics['accuracy']! * 100).toFixed(1)} %`)
  expect(words).toContain('95 % interval')
  expect(words).toContain(`is right for ${(baseline.metrics['accuracy']! * 100).toFixed(1)} %`)
  expect(parse(renderReport(data)).querySelector('.badge')!.textContent).toBe('clearly better than the baseline')
})

test('parts that are left out are left out of the page', () => {
  const { title, generated, question, rows, evaluation } = binaryReport()
  const page = parse(renderReport({ title, generated, question, rows, evaluation }))
  expect(all(page, 'section').map((section) => section.getAttribute('id'))).toEqual(['question', 'quality'])
})

test('hostile names, values and texts stay text', () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&\u0000`
  const data = binaryReport()
  const { labels, probabilities } = fixture.binary
  const classes = [evil, `${evil}2`]
  const page = renderReport({
    ...data,
    title: evil,
    notes: [evil],
    question: { target: evil, inputs: [evil], inferences: [{ about: evil, what: evil, why: evil }] },
    rows: { ...data.rows, split: evil },
    evaluation: evaluateClassification({ labels, probabilities: Float64Array.from(probabilities), classes }),
    profile: profileColumns(
      batchOf({ [evil]: [1, 2, 3, 4, 5, 6, 7, null], b: Array.from({ length: 8 }, (_, i) => `${evil}${i % 3}`) }),
      { target: 'b' },
    ),
    features: [{ name: evil, role: evil, detail: evil }],
    model: {
      name: evil,
      description: evil,
      parameters: 1,
      layers: [{ name: evil, type: evil, outputShape: evil, parameters: 1 }],
      settings: { [evil]: evil },
    },
    training: { epochs: [{ epoch: 1, figures: { [evil]: 1, loss: 2 } }], seconds: 1 },
    importance: { metric: evil, repeats: 1, features: [{ name: evil, mean: 1, deviation: 0 }] },
    worst: [
      { content: { kind: 'text', text: evil }, actual: evil, predicted: evil, source: evil },
      { content: { kind: 'row', values: [[evil, evil]] }, actual: evil, predicted: evil },
      {
        content: { kind: 'picture', url: `https://example.org/${evil}`, description: evil },
        actual: evil,
        predicted: evil,
      },
      {
        content: { kind: 'picture', url: 'data:image/png;base64,AAAA', description: evil },
        actual: evil,
        predicted: evil,
      },
      { content: { kind: 'picture', url: 'data:image/svg+xml;base64,AAAA' }, actual: evil, predicted: evil },
    ],
    lineage: {
      data: [{ path: evil, sha256: evil }],
      versions: { [evil]: evil },
      seed: 0,
      config: { [evil]: evil },
      machine: { [evil]: evil },
    },
    reproduce: { commands: [evil], remark: evil },
  })
  const parsed = parse(page)
  expect(all(parsed, 'script').length).toBe(1)
  expect(all(parsed, 'img').map((img) => img.getAttribute('src'))).toEqual(['data:image/png;base64,AAAA'])
  expect(all(parsed, '[onerror]')).toEqual([])
  expect(page).not.toContain('example.org')
  expect(page).not.toContain('\u0000')
  // Escaped, it is still there to read.
  expect(parsed.querySelector('.worst blockquote')!.textContent).toContain('<script>alert(1)</script>')
})

test('many columns and classes keep the page small', () => {
  const data = binaryReport()
  const columns = Object.fromEntries(
    Array.from({ length: 3000 }, (_, i) => [`column ${i}`, Array.from({ length: 40 }, (_, j) => (i * j) % 17)]),
  )
  const classes = Array.from({ length: 300 }, (_, k) => `class ${k}`)
  const labels = Array.from({ length: 600 }, (_, i) => i % 300)
  const probabilities = new Float64Array(600 * 300).fill(1 / 300)
  const page = renderReport({
    ...data,
    profile: profileColumns(batchOf(columns)),
    evaluation: evaluateClassification({ labels, probabilities, classes, bootstrap: { samples: 60 } }),
    importance: {
      metric: 'logLoss',
      repeats: 2,
      features: Object.keys(columns).map((name) => ({ name, mean: 0, deviation: 0 })),
    },
  })
  expect(page.length).toBeLessThan(2_000_000)
})
