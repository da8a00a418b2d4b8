/**
 * Entropic optimal transport between two clouds with uniform weights and squared Euclidean cost, log domain.
 *
 *     f_i = -ε log Σ_j exp((g_j - C_ij)/ε) / M,   g_j = -ε log Σ_i exp((f_i - C_ij)/ε) / N,   C_ij = ‖u_i - v_j‖²
 *     P_ij = exp((f_i + g_j - C_ij)/ε) / (N M),   T(u, v) = ⟨P, C⟩
 *     S(u, v) = max(T(u1, v) - T(u1, u2), 1e-6)
 *
 * Costs are recomputed, never stored. Potentials start at zero; an iteration updates rows, then columns. Small ε needs
 * the stages of sinkhornStages.ts: `begin` comes before each iteration.
 * Source: Cuturi, "Sinkhorn distances", NeurIPS 2013; Peyré & Cuturi, "Computational optimal transport", 4.4.
 */
import {
  iterationAt,
  largestRaise,
  settlingIteration,
  sinkhornStages,
  type EpsilonScaling,
  type SinkhornIteration,
} from './sinkhornStages'

export interface SinkhornOptions {
  /** ε, in units of the cost. */
  readonly regularization: number
  /** Most iterations in all. */
  readonly iterations: number
  /** Stop when no potential moves by more than this in an iteration. */
  readonly tolerance: number
  readonly scaling?: EpsilonScaling
}

/** Smallest value of the divergence, so that it can be drawn on a logarithmic axis. */
export const DIVERGENCE_FLOOR = 1e-6

/** S(u, v) from T(u1, v) and T(u1, u2), where u1 and u2 are disjoint draws of the truth. */
export function sinkhornDivergence(transportToSample: number, transportWithinTruth: number): number {
  return Math.max(transportToSample - transportWithinTruth, DIVERGENCE_FLOOR)
}

/** One side of the problem: its points [count, features] and its potential [count]. */
interface Cloud {
  readonly count: number
  readonly points: Float64Array
  readonly potential: Float64Array
  /** Its potential at the end of the stage before. */
  readonly previous: Float64Array
}

/** The iteration, in pieces: a caller that must stay responsive updates a range of points at a time. */
export class Sinkhorn {
  readonly rows: Cloud
  readonly columns: Cloud
  private readonly exponents: Float64Array
  private relaxation = 1

  /** u [N, features], v [M, features]. Error: RangeError where a cloud is empty. */
  constructor(
    u: Float64Array | Float32Array,
    v: Float64Array | Float32Array,
    readonly features: number,
    private regularization: number,
  ) {
    this.rows = cloud(u, features)
    this.columns = cloud(v, features)
    this.exponents = new Float64Array(Math.max(this.rows.count, this.columns.count))
  }

  /**
   * Prepares an iteration. Where it is the first of its stage, potentials go on along the line through the ends of the
   * two stages before.
   */
  begin({ stage: { regularization, relaxation, extrapolation }, first }: SinkhornIteration): void {
    this.relaxation = first ? 1 : relaxation
    if (!first) return
    this.regularization = regularization
    for (const { potential, previous } of [this.rows, this.columns]) {
      for (let i = 0; i < potential.length; i++) {
        const value = potential[i]!
        potential[i] = value + extrapolation * (value - previous[i]!)
        previous[i] = value
      }
    }
  }

  /** Updates potentials begin ≤ i < end of one side; returns the largest move, without its over-relaxation. */
  update(side: 'rows' | 'columns', begin: number, end: number): number {
    const { features, regularization, relaxation, exponents } = this
    const target = side === 'rows' ? this.rows : this.columns
    const other = side === 'rows' ? this.columns : this.rows
    const raise = largestRaise(relaxation) * regularization
    let largest = 0
    for (let i = begin; i < end; i++) {
      let maximum = -Infinity
      for (let j = 0; j < other.count; j++) {
        const exponent =
          (other.potential[j]! - squaredDistance(target.points, i, other.points, j, features)) /
          regularization
        exponents[j] = exponent
        if (exponent > maximum) maximum = exponent
      }
      let sum = 0
      for (let j = 0; j < other.count; j++) sum += Math.exp(exponents[j]! - maximum)
      const potential = -regularization * (maximum + Math.log(sum / other.count))
      const move = potential - target.potential[i]!
      largest = Math.max(largest, Math.abs(move))
      target.potential[i] =
        relaxation === 1 ? potential : potential + (relaxation - 1) * Math.min(move, raise)
    }
    return largest
  }

  /** Share of rows begin ≤ i < end in ⟨P, C⟩. */
  cost(begin: number, end: number): number {
    const { rows, columns, features, regularization } = this
    let total = 0
    for (let i = begin; i < end; i++) {
      for (let j = 0; j < columns.count; j++) {
        const distance = squaredDistance(rows.points, i, columns.points, j, features)
        total += Math.exp((rows.potential[i]! + columns.potential[j]! - distance) / regularization) * distance
      }
    }
    return total / (rows.count * columns.count)
  }

  /**
   * Share of rows begin ≤ i < end in ⟨P, C⟩ + Σ_i f_i (1/N - Σ_j P_ij), after a plain update of the columns: mass that the
   * rows still lack is counted at its price f_i, so that the error is of second order. Without loss of digits it is
   * Σ_i f_i/N + Σ_j g_j/M + Σ_ij P_ij (C_ij - f_i - g_j).
   */
  correctedCost(begin: number, end: number): number {
    const { rows, columns, features, regularization } = this
    let offset = 0
    for (let j = 0; j < columns.count; j++) offset += columns.potential[j]!
    offset /= columns.count
    let total = 0
    for (let i = begin; i < end; i++) {
      let sum = 0
      for (let j = 0; j < columns.count; j++) {
        const distance = squaredDistance(rows.points, i, columns.points, j, features)
        const gain = rows.potential[i]! + columns.potential[j]! - distance
        sum -= Math.exp(gain / regularization) * gain
      }
      total += rows.potential[i]! + offset + sum / columns.count
    }
    return total / rows.count
  }
}

/** ⟨P, C⟩ after at most `iterations` iterations. u [N, features], v [M, features]. */
export function transportCost(
  u: Float64Array | Float32Array,
  v: Float64Array | Float32Array,
  features: number,
  options: SinkhornOptions,
): number {
  const sinkhorn = new Sinkhorn(u, v, features, options.regularization)
  const { rows, columns } = sinkhorn
  const iterate = () =>
    Math.max(sinkhorn.update('rows', 0, rows.count), sinkhorn.update('columns', 0, columns.count))
  const stages = sinkhornStages(options)
  for (let k = 0; k < options.iterations; k++) {
    const iteration = iterationAt(stages, k)
    sinkhorn.begin(iteration)
    const moved = iterate()
    if (iteration.last && moved <= options.tolerance) break
  }
  if (!options.scaling) return sinkhorn.cost(0, rows.count)
  sinkhorn.begin(settlingIteration(stages))
  iterate()
  return sinkhorn.correctedCost(0, rows.count)
}

function cloud(points: Float64Array | Float32Array, features: number): Cloud {
  const count = points.length / features
  if (!(count > 0 && Number.isInteger(count))) {
    throw new RangeError(`${points.length} numbers are no points of ${features} features.`)
  }
  return {
    count,
    points: Float64Array.from(points),
    potential: new Float64Array(count),
    previous: new Float64Array(count),
  }
}

function squaredDistance(a: Float64Array, i: number, b: Float64Array, j: number, features: number): number {
  let sum = 0
  for (let d = 0; d < features; d++) {
    const difference = a[i * features + d]! - b[j * features + d]!
    sum += difference * difference
  }
  return sum
}
