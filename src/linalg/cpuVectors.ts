/**
 * Batches of vectors in the memory of this thread: float32 storage, float64 sums, scalars in float64.
 * The twin of src/gpu/vectors.ts.
 */
import { RandomStream } from '../math/philox'
import { checkProgram, checkRecord, checkTerms, requireSameShape, requireScalars } from './vectorChecks'
import type {
  CpuVector,
  NoiseAddress,
  ScalarInstruction,
  ScalarOperand,
  ScalarOperation,
  Scalars,
  Term,
  Vector,
  VectorSpace,
} from './vectorSpace'

interface CpuScalars extends Scalars {
  readonly values: Float64Array
}

const dataOf = (vector: Vector): Float32Array => (vector as CpuVector).data
const valuesOf = (scalars: Scalars): Float64Array => (scalars as CpuScalars).values

/** a, b and what `out` was. */
const operations: Record<ScalarOperation, (a: number, b: number, out: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  ratio: (a, b) => (b === 0 ? 0 : a / b),
  root: (a) => Math.sqrt(Math.max(a, 0)),
  magnitude: (a) => Math.abs(a),
  larger: (a, b) => (a > b ? 1 : 0),
  choose: (a, b, out) => (a === 0 ? out : b),
}

const valueAt = (operand: ScalarOperand, sample: number): number =>
  typeof operand === 'number' ? operand : valuesOf(operand)[sample]!

function factorAt({ factor }: Term, sample: number): number {
  if (typeof factor === 'number') return factor
  return 'minus' in factor ? -valuesOf(factor.minus)[sample]! : valuesOf(factor)[sample]!
}

/** out[begin..] ← Σ factors · rows, each from its own offset; no terms: zeros. */
function addRows(
  out: Float32Array,
  begin: number,
  size: number,
  rows: readonly Float32Array[],
  offsets: readonly number[],
  factors: readonly number[],
): void {
  const [a, b, c, d] = rows as [Float32Array, Float32Array, Float32Array, Float32Array]
  const [i, j, k, l] = offsets as [number, number, number, number]
  const [f, g, h, m] = factors as [number, number, number, number]
  switch (rows.length) {
    case 0:
      out.fill(0, begin, begin + size)
      break
    case 1:
      for (let e = 0; e < size; e++) out[begin + e] = f * a[i + e]!
      break
    case 2:
      for (let e = 0; e < size; e++) out[begin + e] = f * a[i + e]! + g * b[j + e]!
      break
    case 3:
      for (let e = 0; e < size; e++) out[begin + e] = f * a[i + e]! + g * b[j + e]! + h * c[k + e]!
      break
    default:
      for (let e = 0; e < size; e++) {
        out[begin + e] = f * a[i + e]! + g * b[j + e]! + h * c[k + e]! + m * d[l + e]!
      }
  }
}

class CpuVectors implements VectorSpace {
  readonly kind = 'cpu'

  vector(label: string, batch: number, size: number): CpuVector {
    return { label, batch, size, data: new Float32Array(batch * size) }
  }

  scalars(_label: string, batch: number): CpuScalars {
    return { batch, values: new Float64Array(batch) }
  }

  release(): void {
    // the garbage collector does
  }

  write(vector: Vector, data: Float32Array): void {
    dataOf(vector).set(data)
  }

  async read(vector: Vector): Promise<Float32Array> {
    return dataOf(vector).slice()
  }

  async readTogether(vectors: readonly Vector[]): Promise<Float32Array[]> {
    return vectors.map((vector) => dataOf(vector).slice())
  }

  async readScalars(scalars: Scalars): Promise<Float32Array> {
    return Float32Array.from(valuesOf(scalars))
  }

  peek(scalars: Scalars): ArrayLike<number> {
    return valuesOf(scalars)
  }

  copy(from: Vector, to: Vector): void {
    requireSameShape('copy', to, from)
    dataOf(to).set(dataOf(from))
  }

  combine(out: Vector, terms: readonly Term[]): void {
    checkTerms(out, terms)
    const { batch, size } = out
    for (let sample = 0; sample < batch; sample++) {
      const factors = terms.map((term) => factorAt(term, sample))
      const kept = terms.filter((_, t) => factors[t] !== 0)
      addRows(
        dataOf(out),
        sample * size,
        size,
        kept.map(({ vector }) => dataOf(vector)),
        kept.map(({ vector }) => (vector.batch === 1 ? 0 : sample * size)),
        factors.filter((factor) => factor !== 0),
      )
    }
  }

  multiply(out: Vector, a: Vector, b: Vector): void {
    requireSameShape('multiply', out, a, true)
    requireSameShape('multiply', out, b, true)
    const { batch, size } = out
    const [to, x, y] = [dataOf(out), dataOf(a), dataOf(b)]
    for (let sample = 0; sample < batch; sample++) {
      const begin = sample * size
      const i = a.batch === 1 ? 0 : begin
      const j = b.batch === 1 ? 0 : begin
      for (let e = 0; e < size; e++) to[begin + e] = x[i + e]! * y[j + e]!
    }
  }

  atLeast(out: Vector, a: Vector, least: number): void {
    requireSameShape('atLeast', out, a)
    const [to, x] = [dataOf(out), dataOf(a)]
    for (let e = 0; e < to.length; e++) to[e] = Math.max(x[e]!, least)
  }

  dot(out: Scalars, a: Vector, b: Vector): void {
    requireSameShape('dot', a, b)
    requireScalars('dot', a.batch, out)
    const { batch, size } = a
    const [to, x, y] = [valuesOf(out), dataOf(a), dataOf(b)]
    for (let sample = 0; sample < batch; sample++) {
      let sum = 0
      for (let e = sample * size; e < (sample + 1) * size; e++) sum += x[e]! * y[e]!
      to[sample] = sum
    }
  }

  compute(program: readonly ScalarInstruction[]): void {
    const batch = checkProgram(program)
    for (const { operation, out, a, b = 0 } of program) {
      const apply = operations[operation]
      const to = valuesOf(out)
      for (let i = 0; i < batch; i++) to[i] = apply(valueAt(a, i), valueAt(b, i), to[i]!)
    }
  }

  record(out: Vector, column: number, scalars: readonly Scalars[]): void {
    checkRecord(out, column, scalars)
    scalars.forEach((kept, c) => {
      for (let i = 0; i < out.batch; i++) dataOf(out)[i * out.size + column + c] = valuesOf(kept)[i]!
    })
  }

  fillNormal(out: Vector, { seed, stream, step, domain }: NoiseAddress, firstIndex = 0): void {
    const random = new RandomStream(seed, stream)
    const row = new Float64Array(out.size)
    for (let i = 0; i < out.batch; i++) {
      random.fillNormals(row, 0, out.size, firstIndex + i, step, domain)
      dataOf(out).set(row, i * out.size)
    }
  }

  flush(): void {
    // nothing waits
  }

  async finished(): Promise<void> {
    // everything is done when a method returns
  }
}

export function createCpuVectors(): VectorSpace {
  return new CpuVectors()
}
