/**
 * A picture as a data: URL that a report can hold: a PNG of at most `limit` pixels a side (default 160), small ones
 * unchanged. Pixels are rows of 1, 3 or 4 channels, 0 … 255.
 */
export async function pictureUrl(
  pixels: Uint8Array | Uint8ClampedArray,
  shape: { readonly height: number; readonly width: number; readonly channels: 1 | 3 | 4 },
  limit = 160,
): Promise<string> {
  const { default: sharp } = await import('sharp')
  const { height, width, channels } = shape
  const png = await sharp(pixels, { raw: { width, height, channels } })
    .resize({ width: limit, height: limit, fit: 'inside', withoutEnlargement: true })
    .png({ compressionLevel: 9, palette: width * height > 4096 })
    .toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
