// Text for terminals, measured in their cells.

/** Nothing that moves the cursor, colours, or turns the direction of what follows. */
export function printable(text: string): string {
  return text
    .replace(/\r\n|[\n\r\u2028\u2029]/g, '⏎')
    .replaceAll('\t', ' ')
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�')
}

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** At most so many cells of the terminal; characters made of several stay whole. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit && displayWidth(text) <= limit) return text
  let kept = ''
  let width = 0
  for (const { segment } of segments.segment(text)) {
    const next = width + graphemeWidth(segment)
    if (next > limit) return `${clipEnd(kept, width, limit)}…`
    kept += segment
    width = next
  }
  return kept
}

/** Room for the ellipsis. */
function clipEnd(text: string, width: number, limit: number): string {
  if (width < limit) return text
  const parts = Array.from(segments.segment(text), ({ segment }) => segment)
  while (width >= limit && parts.length > 0) width -= graphemeWidth(parts.pop()!)
  return parts.join('')
}

/** Cells of a terminal: East Asian wide characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segments.segment(text)) width += graphemeWidth(segment)
  return width
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u

function graphemeWidth(segment: string): number {
  if (/^[\p{M}\p{Cf}]+$/u.test(segment)) return 0
  return wide.test(segment) ? 2 : 1
}

/** A sentence over lines of a width, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line)
      line = `  ${word}`
    } else line = longer
  }
  return [...lines, line]
}
