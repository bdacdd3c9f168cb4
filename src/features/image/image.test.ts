import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { DataError, ShapeError, Tensor } from '../../core/index.ts'
import {
  batchOfRows,
  encodePixelExamples,
  EncodingReport,
  fitFeatures,
  type FittedFeatures,
  fitPixels,
  type ImageSpec,
  inferFeatures,
  memorySource,
  summarize,
} from '../index.ts'

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'fathom-pictures-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Rgb = readonly [number, number, number]
/** Left half of one colour, right half of another. */
function halves(width: number, height: number, left: Rgb, right: Rgb): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let i = 0; i < width * height; i++) pixels.set(i % width < width / 2 ? left : right, i * 3)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}
const red: Rgb = [250, 0, 0]
const blue: Rgb = [0, 0, 250]

async function features(pictures: readonly unknown[], options: Partial<ImageSpec> = {}): Promise<FittedFeatures> {
  const rows = pictures.map((picture) => ({ picture }))
  const spec = { features: [{ kind: 'image', column: 'picture', ...options } as const] }
  return fitFeatures(await memorySource([batchOfRows(rows)]), spec)
}
async function pixelsOf(fitted: FittedFeatures, pictures: readonly unknown[], report = new EncodingReport()) {
  const rows = pictures.map((picture) => ({ picture }))
  const examples = await fitted.apply(batchOfRows(rows), { report })
  const field = examples.fields['image']
  if (field?.kind !== 'dense') throw new Error('no pictures')
  return { shape: field.tensor.shape, pixels: field.tensor.data as Uint8Array, rows: examples.rows, report }
}

describe('pictures', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    '%s files decode to their colours',
    async (format) => {
      const file = await halves(32, 24, red, blue).toFormat(format).toBuffer()
      const fitted = await features([file])
      expect(fitted.fields).toEqual([{ kind: 'dense', name: 'image', dtype: 'uint8', shape: [24, 32, 3] }])
      const { pixels } = await pixelsOf(fitted, [file])
      const at = (x: number, y: number) => Array.from(pixels.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3))
      at(4, 12).forEach((value, c) => expect(Math.abs(value - red[c]!)).toBeLessThan(12))
      at(28, 12).forEach((value, c) => expect(Math.abs(value - blue[c]!)).toBeLessThan(12))
    },
  )

  it('grey pictures stored in colour are grey; transparent parts are white; orientation is followed', async () => {
    const grey = await halves(16, 16, [10, 10, 10], [200, 200, 200]).jpeg().toBuffer()
    const fitted = await features([grey, grey])
    expect(fitted.fields[0]).toMatchObject({ shape: [16, 16, 1] })
    const clear = await sharp({ create: { width: 16, height: 16, channels: 4, background: '#00000000' } })
      .png()
      .toBuffer()
    expect(new Set((await pixelsOf(fitted, [clear])).pixels)).toEqual(new Set([255]))
    const turned = await halves(32, 16, red, blue).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const upright = await features([turned])
    expect(upright.fields[0]).toMatchObject({ shape: [32, 16, 3] })
    const { pixels } = await pixelsOf(upright, [turned])
    expect(pixels[0]).toBeGreaterThan(200)
    expect(pixels.at(-1)).toBeGreaterThan(200)
  })

  it('the size is the middle one of the sample, bounded, and a multiple of 4', async () => {
    const sizes = [[100, 60], [130, 70], [900, 901]] as const // prettier-ignore
    const files = await Promise.all(sizes.map(([w, h]) => halves(w, h, red, blue).png().toBuffer()))
    expect((await features(files)).fields[0]).toMatchObject({ shape: [36, 64, 3] })
    expect((await features(files, { maxSize: 256 })).fields[0]).toMatchObject({ shape: [72, 132, 3] })
    expect((await features(files, { height: 10, channels: 1 })).fields[0]).toMatchObject({ shape: [10, 10, 1] })
  })

  it('cover cuts, contain pads, fill distorts', async () => {
    const wide = await halves(64, 16, red, blue).png().toBuffer()
    const first = async (resize: 'cover' | 'contain' | 'fill') =>
      (await pixelsOf(await features([wide], { height: 16, width: 16, resize }), [wide])).pixels.slice(0, 3)
    expect([...(await first('contain'))]).toEqual([0, 0, 0])
    expect([...(await first('fill'))]).toEqual([...red])
    expect([...(await first('cover'))]).toEqual([...red])
  })

  it('unreadable pictures among good ones are left out, counted and named', async () => {
    const good = join(folder, 'good.jpg')
    const cut = join(folder, 'cut.jpg')
    const empty = join(folder, 'empty.png')
    const text = join(folder, 'text.webp')
    const bomb = join(folder, 'bomb.png')
    writeFileSync(good, await halves(64, 64, red, blue).jpeg().toBuffer())
    writeFileSync(cut, readFileSync(good))
    truncateSync(cut, readFileSync(good).length - 20)
    writeFileSync(empty, '')
    writeFileSync(text, 'not a picture')
    writeFileSync(bomb, await halves(300, 300, red, blue).png().toBuffer())
    const fitted = await features([good], { height: 8, maxPixels: 200 * 200 })
    const pictures = [good, cut, empty, good, text, bomb, join(folder, 'absent.jpg'), null]
    const { rows, report, shape } = await pixelsOf(fitted, pictures)
    expect([...rows!]).toEqual([0, 3])
    expect(shape).toEqual([2, 8, 8, 3])
    expect(report.columns[0]).toMatchObject({
      unreadable: 6,
      examples: [cut, empty, text, bomb, join(folder, 'absent.jpg')],
    })
    await expect(features([text, empty])).rejects.toThrow(DataError)
  })

  it('reads paths from a given directory', async () => {
    writeFileSync(join(folder, 'here.png'), await halves(8, 8, red, blue).png().toBuffer())
    const fitted = await features(['here.png'], { directory: folder })
    const batch = batchOfRows([{ picture: 'here.png' }])
    expect((await fitted.apply(batch, { directory: folder })).size).toBe(1)
    expect((await fitted.apply(batch)).size).toBe(0)
  })
})

function idx(file: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(`${data}mnist/${file}.gz`)))
}

describe.skipIf(!existsSync(`${data}mnist`))('MNIST', () => {
  it('its pixels are examples as they are, and a picture file of a digit encodes alike', async () => {
    const images = new Tensor('uint8', [10_000, 28, 28], idx('t10k-images-idx3-ubyte').slice(16))
    const labels = idx('t10k-labels-idx1-ubyte').slice(8)
    const fitted = await fitPixels({ images, labels })
    expect(fitted.fields[0]).toMatchObject({ name: 'image', shape: [28, 28, 1] })
    const state = fitted.features[0]!
    if (state.kind !== 'image') throw new Error('no image')
    // The test set's own moments, 0.1325 and 0.3105 of 255.
    expect(state.mean[0]! / 255).toBeCloseTo(0.1325, 4)
    expect(state.std[0]! / 255).toBeCloseTo(0.3105, 4)
    const examples = await encodePixelExamples(fitted, { images, labels })
    expect(examples.size).toBe(10_000)
    const target = examples.fields['target']
    expect(target?.kind === 'dense' && Array.from((target.tensor.data as Int32Array).subarray(0, 5))).toEqual([
      7, 2, 1, 0, 4,
    ])
    const digit = images.data.slice(0, 784)
    const file = await sharp(digit, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toBuffer()
    const encoded = await fitted.apply(batchOfRows([{ image: file }]))
    const field = encoded.fields['image']
    expect(field?.kind === 'dense' && field.tensor.data).toEqual(digit)
  })

  it('other sizes are resized, other shapes refused', async () => {
    const fitted = await fitPixels({ images: new Tensor('uint8', [2, 28, 28]) })
    const large = new Tensor('uint8', [3, 56, 56, 3], new Uint8Array(3 * 56 * 56 * 3).fill(100))
    const field = (await encodePixelExamples(fitted, { images: large })).fields['image']
    expect(field?.kind === 'dense' && field.tensor.shape).toEqual([3, 28, 28, 1])
    expect(field?.kind === 'dense' && new Set(field.tensor.data as Uint8Array)).toEqual(new Set([100]))
    await expect(fitPixels({ images: new Tensor('float32', [2, 28, 28]) })).rejects.toThrow(ShapeError)
    await expect(fitPixels({ images: new Tensor('uint8', [2, 8, 8]), labels: [1] })).rejects.toThrow(/2 labels/)
  })
})

const cifar = `${data}cifar10-jpeg/cifar10-jpeg.tar.gz`
describe.skipIf(!existsSync(cifar))('CIFAR-10 as JPEG files', () => {
  let files: string[] = []
  beforeAll(() => {
    const listed = execFileSync('sh', ['-c', `tar -tzf "${cifar}" | grep '\\.jpe\\?g$' | head -120`], {
      encoding: 'utf8',
    })
    files = listed.trim().split('\n')
    execFileSync('tar', ['-xzf', cifar, '-C', folder, '--occurrence=1', ...files], { stdio: 'ignore' })
  }, 60_000)

  it('a column of their paths is a picture feature', async () => {
    const rows = files.map((file) => ({ path: join(folder, file), label: file.split('/').at(-2) }))
    const source = await memorySource([batchOfRows(rows)])
    const { spec, columns } = inferFeatures(await summarize(source), { target: 'label', columns: {} })
    expect(columns[0]).toMatchObject({ column: 'path', role: 'image' })
    const fitted = await fitFeatures(source, { features: spec.features })
    expect(fitted.fields[0]).toMatchObject({ shape: [32, 32, 3] })
    const examples = await fitted.apply(batchOfRows(rows))
    expect(examples).toMatchObject({ size: files.length, rows: undefined })
  })
})
