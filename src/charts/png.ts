import { type ColorScheme, palette, withColors } from './theme.ts'

/** An SVG chart as a PNG on the scheme's background. `scale` 2 suits sharp screens. */
export async function toPng(
  svg: string,
  { scheme = 'light', scale = 2 }: { readonly scheme?: ColorScheme; readonly scale?: number } = {},
): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp')
  return await sharp(Buffer.from(withColors(svg, scheme)), { density: 72 * scale })
    .flatten({ background: palette.paper[scheme] })
    .png()
    .toBuffer()
}
