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

/** A number, or one of each sample. */
export type ScalarOperand = Scalars | number

/**
 * What an instruction computes of a and b, sample by sample:
 *
 *     add a + b · subtract a - b · multiply a b · ratio a/b, and 0 where b = 0 · root √max(a, 0) · magnitude |a|
 *     larger 1 where a > b, else 0 (also where a is not a number) · choose b where a ≠ 0, else what `out` was
 */
export type ScalarOperation =
  'add' | 'subtract' | 'multiply' | 'ratio' | 'root' | 'magnitude' | 'larger' | 'choose'

/** out ← operation(a, b); `out` may be an operand. */
export interface ScalarInstruction {
  readonly operation: ScalarOperation
  readonly out: Scalars
  readonly a: ScalarOperand
  /** Unused by `root` and `magnitude`. */
  readonly b?: ScalarOperand
}

/** Most instructions of one program. */
export const LONGEST_PROGRAM = 250

/**
 * factor · vector; a factor may live on the device, and then may be negated. A vector with batch 1 is shared by all samples.
 * A term whose factor is 0 adds exactly nothing, whatever its vector holds: so a sample is frozen.
 */
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
  /** Not set to anything yet. */
  scalars(label: string, batch: number): Scalars
  /** Frees vectors and scalars of this space; idempotent. */
  release(...held: readonly (Vector | Scalars)[]): void
  write(vector: Vector, data: Float32Array): void
  /** Waits for all work and copies to the host, [batch, size]. */
  read(vector: Vector): Promise<Float32Array>
  /** As `read`, for several vectors with one transfer. */
  readTogether(vectors: readonly Vector[]): Promise<Float32Array[]>
  readScalars(scalars: Scalars): Promise<Float32Array>
  /** The scalars where the host knows them without waiting (CPU), else null: lets a loop end early where that is free. */
  peek(scalars: Scalars): ArrayLike<number> | null
  copy(from: Vector, to: Vector): void
  /** out ← Σ factor · vector, one to four terms; `out` may be among them. */
  combine(out: Vector, terms: readonly Term[]): void
  /** out ← a ∘ b, element by element; a vector with batch 1 is shared by all samples. `out` may be a or b. */
  multiply(out: Vector, a: Vector, b: Vector): void
  /** out ← max(a, least), element by element; `out` may be a. */
  atLeast(out: Vector, a: Vector, least: number): void
  /** out[i] ← ⟨a_i, b_i⟩; summed in the same order every time. */
  dot(out: Scalars, a: Vector, b: Vector): void
  /** Runs a program of at most LONGEST_PROGRAM instructions, in order, on scalars of one batch. */
  compute(program: readonly ScalarInstruction[]): void
  /** out[i, column + c] ← scalars_c[i]: keeps up to four numbers a sample for a later `read`. */
  record(out: Vector, column: number, scalars: readonly Scalars[]): void
  /** out ← ε ~ N(0, I), sample i at counter index `firstIndex` + i (default 0). */
  fillNormal(out: Vector, address: NoiseAddress, firstIndex?: number): void
  /** Hands all encoded work to the device, before somebody else (ONNX Runtime) uses the vectors. */
  flush(): void
  /** Flushes, and resolves when the device has finished all work handed to it. */
  finished(): Promise<void>
}

/** out ← M v, on vectors of a space; may wait for a network. `out` is never `v`. */
export type VectorMap = (v: Vector, out: Vector) => void | Promise<void>
