// Medians with their spread.

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
}

/** Median, 10 % and 90 % quantile. */
export const summary = (values) => ({
  median: quantile(values, 0.5),
  low: quantile(values, 0.1),
  high: quantile(values, 0.9),
})

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

const digits = (value) => (value < 1 ? 3 : value < 100 ? 2 : 1)
/** `12.34 (12.01–13.20)`. */
export const spread = (each) =>
  each === undefined
    ? ''
    : `${each.median.toFixed(digits(each.median))} (${each.low.toFixed(digits(each.low))}–${each.high.toFixed(digits(each.high))})`

export function markdownTable(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n')
}
