/**
 * Small dense linear algebra and the three matrix products of an MLP, on row-major float64 arrays.
 *
 * Sources: Golub & Van Loan, "Matrix Computations", 4th ed.: Cholesky 4.2, LU with partial pivoting 3.4,
 * cyclic Jacobi 8.5.
 */

/** The identity matrix times `scale`, [size, size]. */
export function scaledIdentity(size: number, scale: number): Float64Array {
  const matrix = new Float64Array(size * size)
  for (let i = 0; i < size; i++) matrix[i * size + i] = scale
  return matrix
}

/** A [rows, inner] · B [inner, cols] → [rows, cols]. */
export function multiply(
  a: Float64Array,
  b: Float64Array,
  rows: number,
  inner: number,
  cols: number,
): Float64Array {
  const out = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[i * inner + k]!
      for (let j = 0; j < cols; j++) out[i * cols + j]! += factor * b[k * cols + j]!
    }
  }
  return out
}

/** Transpose of A [rows, cols]. */
export function transpose(a: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out[j * rows + i] = a[i * cols + j]!
  }
  return out
}

/**
 * X [rows, inner] · Wᵀ → out [rows, cols], W [cols, inner]. Both operands are read along their rows, in tiles of
 * 4 × 2 held in registers: the product that a batched network spends its time in.
 */
export function multiplyTransposed(
  out: Float64Array,
  x: Float64Array,
  w: Float64Array,
  rows: number,
  inner: number,
  cols: number,
): void {
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    const x0 = i * inner
    const x1 = x0 + inner
    const x2 = x1 + inner
    const x3 = x2 + inner
    let j = 0
    for (; j + 2 <= cols; j += 2) {
      const w0 = j * inner
      const w1 = w0 + inner
      let s00 = 0
      let s01 = 0
      let s10 = 0
      let s11 = 0
      let s20 = 0
      let s21 = 0
      let s30 = 0
      let s31 = 0
      for (let k = 0; k < inner; k++) {
        const p = w[w0 + k]!
        const q = w[w1 + k]!
        const a = x[x0 + k]!
        const b = x[x1 + k]!
        const c = x[x2 + k]!
        const d = x[x3 + k]!
        s00 += a * p
        s01 += a * q
        s10 += b * p
        s11 += b * q
        s20 += c * p
        s21 += c * q
        s30 += d * p
        s31 += d * q
      }
      const o = i * cols + j
      out[o] = s00
      out[o + 1] = s01
      out[o + cols] = s10
      out[o + cols + 1] = s11
      out[o + 2 * cols] = s20
      out[o + 2 * cols + 1] = s21
      out[o + 3 * cols] = s30
      out[o + 3 * cols + 1] = s31
    }
    if (j < cols) for (let r = i; r < i + 4; r++) out[r * cols + j] = dot(x, r * inner, w, j * inner, inner)
  }
  for (; i < rows; i++) {
    for (let j = 0; j < cols; j++) out[i * cols + j] = dot(x, i * inner, w, j * inner, inner)
  }
}

/** Σ_k a[aOffset + k] b[bOffset + k], k < length. */
export function dot(
  a: Float64Array,
  aOffset: number,
  b: Float64Array,
  bOffset: number,
  length: number,
): number {
  let sum = 0
  for (let k = 0; k < length; k++) sum += a[aOffset + k]! * b[bOffset + k]!
  return sum
}

/**
 * out[offset ..] [inner, cols] += Xᵀ [inner, rows] · Y [rows, cols], four rows at a time: a weight gradient.
 */
export function addTransposedProduct(
  out: Float64Array,
  offset: number,
  x: Float64Array,
  y: Float64Array,
  rows: number,
  inner: number,
  cols: number,
): void {
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    const y0 = i * cols
    const y1 = y0 + cols
    const y2 = y1 + cols
    const y3 = y2 + cols
    for (let k = 0; k < inner; k++) {
      const a = x[i * inner + k]!
      const b = x[(i + 1) * inner + k]!
      const c = x[(i + 2) * inner + k]!
      const d = x[(i + 3) * inner + k]!
      const o = offset + k * cols
      for (let j = 0; j < cols; j++) {
        out[o + j]! += a * y[y0 + j]! + b * y[y1 + j]! + c * y[y2 + j]! + d * y[y3 + j]!
      }
    }
  }
  for (; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const a = x[i * inner + k]!
      for (let j = 0; j < cols; j++) out[offset + k * cols + j]! += a * y[i * cols + j]!
    }
  }
}

/**
 * Lower Cholesky factor L of a symmetric positive definite matrix [size, size], L Lᵀ = matrix.
 * Error: RangeError where the matrix is not positive definite.
 */
export function cholesky(matrix: Float64Array, size: number): Float64Array {
  const factor = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!
      for (let k = 0; k < j; k++) sum -= factor[i * size + k]! * factor[j * size + k]!
      if (i > j) factor[i * size + j] = sum / factor[j * size + j]!
      else if (sum > 0) factor[i * size + i] = Math.sqrt(sum)
      else throw new RangeError(`The matrix is not positive definite (pivot ${i} is ${sum}).`)
    }
  }
  return factor
}

/**
 * Solves matrix · x = b by LU with partial pivoting, [size, size] and [size]; neither argument is changed.
 * A zero pivot gives a zero component instead of a division by zero.
 */
export function solveDense(matrix: Float64Array, b: Float64Array, size: number): Float64Array {
  const lu = matrix.slice(0, size * size)
  const x = b.slice(0, size)
  for (let k = 0; k < size; k++) {
    let pivot = k
    for (let i = k + 1; i < size; i++) {
      if (Math.abs(lu[i * size + k]!) > Math.abs(lu[pivot * size + k]!)) pivot = i
    }
    if (pivot !== k) {
      for (let j = 0; j < size; j++) {
        const value = lu[k * size + j]!
        lu[k * size + j] = lu[pivot * size + j]!
        lu[pivot * size + j] = value
      }
      const value = x[k]!
      x[k] = x[pivot]!
      x[pivot] = value
    }
    const diagonal = lu[k * size + k]!
    if (diagonal === 0) continue
    for (let i = k + 1; i < size; i++) {
      const factor = lu[i * size + k]! / diagonal
      for (let j = k + 1; j < size; j++) lu[i * size + j]! -= factor * lu[k * size + j]!
      x[i]! -= factor * x[k]!
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = x[i]!
    for (let j = i + 1; j < size; j++) sum -= lu[i * size + j]! * x[j]!
    const diagonal = lu[i * size + i]!
    x[i] = diagonal === 0 ? 0 : sum / diagonal
  }
  return x
}

/** Inverse of a matrix [size, size], column by column with `solveDense`. */
export function invert(matrix: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size)
  for (let j = 0; j < size; j++) {
    const unit = new Float64Array(size)
    unit[j] = 1
    const column = solveDense(matrix, unit, size)
    for (let i = 0; i < size; i++) inverse[i * size + j] = column[i]!
  }
  return inverse
}

/** matrix = vectors · diag(values) · vectorsᵀ. */
export interface SymmetricEigen {
  /** Ascending, [size]. */
  readonly values: Float64Array
  /** Column k belongs to values[k], [size, size]. */
  readonly vectors: Float64Array
}

/** Eigendecomposition of a symmetric matrix [size, size] by cyclic Jacobi rotations. */
export function symmetricEigen(matrix: Float64Array, size: number): SymmetricEigen {
  const a = matrix.slice(0, size * size)
  const v = scaledIdentity(size, 1)
  for (let sweep = 0; sweep < 64; sweep++) {
    let changed = false
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const apq = a[p * size + q]!
        const app = a[p * size + p]!
        const aqq = a[q * size + q]!
        // Below rounding of the diagonal a rotation changes nothing.
        if (Math.abs(apq) <= 1e-18 * (Math.abs(app) + Math.abs(aqq)) || apq === 0) continue
        changed = true
        const theta = (aqq - app) / (2 * apq)
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const c = 1 / Math.sqrt(t * t + 1)
        rotate(a, v, size, p, q, c, t * c)
      }
    }
    if (!changed) break
  }
  const order = Array.from({ length: size }, (_, k) => k).sort((k, l) => a[k * size + k]! - a[l * size + l]!)
  const values = Float64Array.from(order, (k) => a[k * size + k]!)
  const vectors = new Float64Array(size * size)
  order.forEach((k, column) => {
    for (let i = 0; i < size; i++) vectors[i * size + column] = v[i * size + k]!
  })
  return { values, vectors }
}

/** a ← Gᵀ a G and v ← v G for the rotation G in the plane (p, q). */
function rotate(
  a: Float64Array,
  v: Float64Array,
  size: number,
  p: number,
  q: number,
  c: number,
  s: number,
): void {
  for (const target of [a, v]) {
    for (let i = 0; i < size; i++) {
      const x = target[i * size + p]!
      const y = target[i * size + q]!
      target[i * size + p] = c * x - s * y
      target[i * size + q] = s * x + c * y
    }
  }
  for (let j = 0; j < size; j++) {
    const x = a[p * size + j]!
    const y = a[q * size + j]!
    a[p * size + j] = c * x - s * y
    a[q * size + j] = s * x + c * y
  }
}

/** vectors · diag(scale(values)) · vectorsᵀ, [size, size]: a function of a symmetric matrix. */
export function fromEigen(
  { values, vectors }: SymmetricEigen,
  scale: (value: number) => number,
): Float64Array {
  const size = values.length
  const out = new Float64Array(size * size)
  for (let k = 0; k < size; k++) {
    const value = scale(values[k]!)
    for (let i = 0; i < size; i++) {
      const factor = value * vectors[i * size + k]!
      for (let j = 0; j < size; j++) out[i * size + j]! += factor * vectors[j * size + k]!
    }
  }
  return out
}
