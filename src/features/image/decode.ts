import { resolve } from 'node:path'

import type * as SharpModule from 'sharp'

import { type AnyColumn, FathomError, isPresent } from '../../core/index.ts'

/** The size and colours that pictures are brought to. */
export interface PictureShape {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly resize: 'cover' | 'contain' | 'fill'
}

/** A picture file: its path, or its bytes. */
export type Picture = string | Uint8Array

/** Pictures of more pixels than this are refused before they are decoded. */
export const defaultMaxPixels = 100_000_000

type Sharp = typeof SharpModule.default
let loading: Promise<Sharp> | undefined

/** sharp, loaded when the first picture is met. */
function sharpModule(): Promise<Sharp> {
  loading ??= import('sharp').then(
    ({ default: sharp }) => {
      // Many small pictures: one thread each and several at a time beat several threads for one.
      sharp.concurrency(1)
      sharp.cache(false)
      return sharp
    },
    (cause: unknown) => {
      throw new FathomError({
        operation: 'read pictures',
        problem: 'the package "sharp", which decodes them, cannot be loaded',
        hint: 'Install it with npm install sharp',
        cause,
      })
    },
  )
  return loading
}

async function open(picture: Picture, maxPixels: number) {
  const sharp = await sharpModule()
  // `error` takes pictures with harmless warnings and refuses truncated ones; the first frame stands for an animation.
  return sharp(picture, { limitInputPixels: maxPixels, failOn: 'error', pages: 1, autoOrient: true })
}

/** Width and height as seen, and whether the file has grey values only. Reads the header alone. */
export async function inspectPicture(
  picture: Picture,
  maxPixels: number,
): Promise<{ readonly width: number; readonly height: number; readonly grey: boolean }> {
  const { autoOrient, channels } = await (await open(picture, maxPixels)).metadata()
  return { width: autoOrient.width, height: autoOrient.height, grey: channels < 3 }
}

/**
 * Decodes a picture into bytes [height, width, channels]. Transparent parts become white; colours become sRGB or grey.
 * @throws what sharp throws for what is no picture, truncated, or larger than `maxPixels`.
 */
export async function decodePicture(picture: Picture, shape: PictureShape, maxPixels: number): Promise<Uint8Array> {
  const { height, width, channels, resize } = shape
  const opened = await open(picture, maxPixels)
  return opened
    .flatten({ background: '#ffffff' })
    .resize({ width, height, fit: resize, background: '#000000' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer()
}

/** Brings raw pixels [height, width, channels] to another shape. */
export async function reshapePixels(
  pixels: Uint8Array,
  from: Omit<PictureShape, 'resize'>,
  to: PictureShape,
): Promise<Uint8Array> {
  const sharp = await sharpModule()
  return sharp(pixels, { raw: { width: from.width, height: from.height, channels: from.channels } })
    .resize({ width: to.width, height: to.height, fit: to.resize, background: '#000000' })
    .toColourspace(to.channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer()
}

/** The cell as a picture; undefined where missing, null where the cell can be none. */
export function pictureOf(column: AnyColumn, row: number, directory: string | undefined): Picture | undefined | null {
  if (!isPresent(column, row)) return undefined
  const value: unknown = column.values[row]
  if (value == null) return undefined
  if (typeof value === 'string') return directory === undefined ? value : resolve(directory, value)
  return value instanceof Uint8Array ? value : null
}

/** Decoders at work at once: libuv's threads do the work, and few pictures wait in memory. */
const decodersAtOnce = 8

/** Runs `work` for 0 … count − 1, several at a time. */
export async function eachAtOnce(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(decodersAtOnce, count) }, worker))
}
