/**
 * The error function in float64, relative error about 1e-15.
 *
 * |x| < 2: Maclaurin series; beyond: erfc's continued fraction, exp(-x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))).
 * Source: DLMF 7.6.1, 7.9.1.
 */
export function erf(x: number): number {
  const size = Math.abs(x)
  if (Number.isNaN(x)) return NaN
  if (size > 6) return Math.sign(x)
  if (size < 2) {
    let [term, sum] = [x, x]
    for (let n = 1; n < 60 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= -(x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = size
  for (let n = 80; n > 0; n--) fraction = size + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / fraction)
}
