/**
 * Colours of charts, as CSS variables with the light value as fallback: one SVG serves light and dark pages, and stands
 * alone. Categorical colours differ in lightness as well as hue, so that they survive colour blindness and printing.
 */
export type ColorScheme = 'light' | 'dark'

export const palette = {
  ink: { light: '#1c2230', dark: '#e8ebf2' },
  muted: { light: '#626b7d', dark: '#9aa4b8' },
  grid: { light: '#e3e7ee', dark: '#2b3344' },
  paper: { light: '#ffffff', dark: '#151a24' },
  accent: { light: '#3656d4', dark: '#8ea6ff' },
  good: { light: '#1d7f5f', dark: '#54cfa4' },
  bad: { light: '#c2413b', dark: '#ff8f86' },
  series1: { light: '#3656d4', dark: '#8ea6ff' },
  series2: { light: '#d9722b', dark: '#ffb173' },
  series3: { light: '#1f9079', dark: '#59d3b8' },
  series4: { light: '#b83a78', dark: '#f58dbd' },
  series5: { light: '#7d59c9', dark: '#c0a4ff' },
  series6: { light: '#9a7b0a', dark: '#e0c256' },
  series7: { light: '#3a94c9', dark: '#86cdf5' },
  series8: { light: '#7b828e', dark: '#b1b8c5' },
} as const satisfies Record<string, { readonly [K in ColorScheme]: string }>
export type ColorName = keyof typeof palette

/** A colour for SVG and CSS: `var(--ink, #1c2230)`. */
export function color(name: ColorName): string {
  return `var(--${name}, ${palette[name].light})`
}

const seriesCount = 8
export function seriesColor(index: number): string {
  return color(`series${(index % seriesCount) + 1}` as ColorName)
}

/** The variables' definitions for a style sheet. */
export function cssVariables(scheme: ColorScheme): string {
  return Object.entries(palette)
    .map(([name, colors]) => `--${name}:${colors[scheme]}`)
    .join(';')
}

/** An SVG with the scheme's colours in place of variables, for programs that know no CSS variables. */
export function withColors(svg: string, scheme: ColorScheme): string {
  return svg.replaceAll(/var\(--(\w+), #[0-9a-f]+\)/g, (whole, name: string) =>
    name in palette ? palette[name as ColorName][scheme] : whole,
  )
}
