/**
 * Batches of vectors on some device, and the arithmetic of iterative solvers and samplers on them.
 *
 * One instance computes on the CPU (src/linalg/cpuVectors.ts, float32 storage, float64 sums), one with WebGPU
 * (src/gpu/vectors.ts). Methods encode or compute; nothing is read back but by `read`. A sample is a row: each has its own
 * scalars, so that samples never mix.
 */

/** [batch, size] numbers on the device of its space. */
export interface Vector {
  readonly label: string
  readonly batch: number
  readonly size: number
}

export interface CpuVector extends Vector {
  /** [batch, size]. */
  readonly data: Float32Array
}

export interface GpuVector extends Vector {
  /** float32 [batch, size], usage STORAGE | COPY_SRC | COPY_DST. */
  readonly buffer: GPUBuffer
}

/** One number a sample, on the device: [batch]. */
export interface Scalars {
  readonly batch: number
}

/** factor · vector; a factor may live on the device, and then may be negated. */
export interface Term {
  readonly factor: number | Scalars | { readonly minus: Scalars }
  readonly vector: Vector
}

/** Address of random numbers (src/math/philox.ts): a number depends on nothing else, whatever the device. */
export interface NoiseAddress {
  readonly seed: number
  readonly stream: number
  readonly step: number
  readonly domain: number
}

export interface VectorSpace {
  readonly kind: 'cpu' | 'webgpu'
  /** Zeros. */
  vector(label: string, batch: number, size: number): Vector
  scalars(label: string, batch: number): Scalars
  /** Frees vectors and scalars of this space; idempotent. */
  release(...held: readonly (Vector | Scalars)[]): void
  write(vector: Vector, data: Float32Array): void
  /** Waits for all work and copies to the host, [batch, size]. */
  read(vector: Vector): Promise<Float32Array>
  readScalars(scalars: Scalars): Promise<Float32Array>
  copy(from: Vector, to: Vector): void
  /** out ← Σ factor · vector, one to four terms; `out` may be among them. */
  combine(out: Vector, terms: readonly Term[]): void
  /** out ← a ∘ b, element by element; a vector with batch 1 is shared by all samples. `out` may be a or b. */
  multiply(out: Vector, a: Vector, b: Vector): void
  /** out[i] ← ⟨a_i, b_i⟩. */
  dot(out: Scalars, a: Vector, b: Vector): void
  /** out ← ε ~ N(0, I), sample i at counter index `firstIndex` + i (default 0). */
  fillNormal(out: Vector, address: NoiseAddress, firstIndex?: number): void
  /** Hands all encoded work to the device, before somebody else (ONNX Runtime) uses the vectors. */
  flush(): void
}

/** out ← M v, on vectors of a space; may wait for a network. `out` is never `v`. */
export type VectorMap = (v: Vector, out: Vector) => void | Promise<void>
