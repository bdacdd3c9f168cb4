/** Tail probabilities of the distributions that tests of hypotheses need. */

/** log Γ(x) for x > 0, by Lanczos' approximation (g = 7, n = 9): 15 digits. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ] // prettier-ignore
  const shifted = x - 1
  let sum = coefficients[0]!
  for (let i = 1; i < 9; i++) sum += coefficients[i]! / (shifted + i)
  const t = shifted + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Q(a, x), the upper regularised incomplete gamma function: series below a + 1, continued fraction (Lentz) above. */
export function upperGamma(a: number, x: number): number {
  if (!(x > 0)) return 1
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 1000 && Math.abs(term) > Math.abs(sum) * 1e-16; n++) {
      term *= x / (a + n)
      sum += term
    }
    return Math.max(0, 1 - sum * scale)
  }
  let b = x + 1 - a
  let c = 1e300
  let d = 1 / b
  let h = d
  for (let n = 1; n < 1000; n++) {
    const an = -n * (n - a)
    b += 2
    d = 1 / (an * d + b || 1e-300)
    c = b + an / c || 1e-300
    const step = d * c
    h *= step
    if (Math.abs(step - 1) < 1e-15) break
  }
  return scale * h
}

/** P(χ² ≥ statistic) for so many degrees of freedom. */
export function chiSquaredTail(statistic: number, degrees: number): number {
  return degrees > 0 ? upperGamma(degrees / 2, statistic / 2) : 1
}

/** P(K ≥ t) of Kolmogorov's distribution: the limit law of √n times the largest difference of distribution functions. */
export function kolmogorovTail(t: number): number {
  if (t <= 0) return 1
  if (t < 1.18) {
    // The series in its other form (Jacobi), which converges where the first does not.
    const y = Math.exp(-(Math.PI ** 2) / (8 * t * t))
    return 1 - (Math.sqrt(2 * Math.PI) / t) * (y + y ** 9 + y ** 25 + y ** 49)
  }
  let sum = 0
  for (let k = 1; k <= 20; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * t * t)
  return Math.min(1, Math.max(0, sum))
}
