/**
 * Exact optimal transport between two clouds of N points with uniform weights, as an assignment problem: the
 * oracle for the entropic transport. Shortest augmenting paths, O(N³) (Jonker & Volgenant 1987).
 */

/** Mean squared distance of the best one-to-one pairing of u and v, both [N, features]. */
export function exactTransport(u: Float64Array, v: Float64Array, features: number): number {
  const count = u.length / features
  const cost = (i: number, j: number) => {
    let sum = 0
    for (let d = 0; d < features; d++) sum += (u[i * features + d]! - v[j * features + d]!) ** 2
    return sum
  }
  const NONE = count
  const rowPotential = new Float64Array(count)
  const columnPotential = new Float64Array(count + 1)
  /** Row matched to each column; column `count` is where an augmenting path starts. */
  const match = new Int32Array(count + 1).fill(-1)
  for (let row = 0; row < count; row++) {
    match[NONE] = row
    const distance = new Float64Array(count + 1).fill(Infinity)
    const previous = new Int32Array(count + 1).fill(NONE)
    const visited = new Uint8Array(count + 1)
    let column = NONE
    do {
      visited[column] = 1
      const i = match[column]!
      let best = -1
      let delta = Infinity
      for (let j = 0; j < count; j++) {
        if (visited[j]) continue
        const reduced = cost(i, j) - rowPotential[i]! - columnPotential[j]!
        if (reduced < distance[j]!) {
          distance[j] = reduced
          previous[j] = column
        }
        if (distance[j]! < delta) {
          delta = distance[j]!
          best = j
        }
      }
      for (let j = 0; j <= count; j++) {
        if (visited[j]) {
          rowPotential[match[j]!]! += delta
          columnPotential[j]! -= delta
        } else distance[j]! -= delta
      }
      column = best
    } while (match[column] !== -1)
    while (column !== NONE) {
      const before = previous[column]!
      match[column] = match[before]!
      column = before
    }
  }
  let total = 0
  for (let j = 0; j < count; j++) total += cost(match[j]!, j)
  return total / count
}
