/**
 * Systematic resampling of weighted draws: one uniform u places `count` even marks (u + k)/count on the cumulated weights, and a
 * draw has a copy for each mark that falls on it.
 *
 * Source: Douc, Cappé, Moulines, "Comparison of resampling schemes for particle filtering", 2005.
 */

/** exp(log weight - largest); NaN is weight 0. Where no log weight is a finite maximum: undefined. */
function relativeWeights(logWeights: Float64Array | Float32Array): Float64Array | undefined {
  let largest = -Infinity
  for (const value of logWeights) if (value > largest) largest = value
  if (!Number.isFinite(largest)) return undefined
  return Float64Array.from(logWeights, (value) => {
    const weight = Math.exp(value - largest)
    return weight > 0 ? weight : 0
  })
}

/**
 * Ancestors of `count` copies, ascending: log weights [K] (NaN is weight 0) and a uniform in (0, 1) → [count]. Where no weight
 * is above zero every draw stays, from the first on.
 */
export function systematicAncestors(
  logWeights: Float64Array | Float32Array,
  uniform: number,
  count = logWeights.length,
): Uint32Array {
  const ancestors = new Uint32Array(count)
  const weights = relativeWeights(logWeights)
  if (!weights) return ancestors.map((_, k) => k % logWeights.length)
  let total = 0
  const cumulated = weights.map((weight) => (total += weight))
  let ancestor = 0
  for (let k = 0; k < count; k++) {
    const position = ((uniform + k) / count) * total
    while (ancestor < weights.length - 1 && cumulated[ancestor]! <= position) ancestor++
    ancestors[k] = ancestor
  }
  return ancestors
}

/** (Σ w)²/Σ w²: how many equally weighted draws say as much; 0 where no weight is above zero. */
export function effectiveSampleSize(logWeights: Float64Array | Float32Array): number {
  let sum = 0
  let squares = 0
  for (const weight of relativeWeights(logWeights) ?? []) {
    sum += weight
    squares += weight * weight
  }
  return squares > 0 ? (sum * sum) / squares : 0
}
