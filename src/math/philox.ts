/**
 * Counter-based random numbers, Philox4x32-10: block = bijection_key(counter).
 *
 * Key (seed, stream), counter (index, step, block, domain) → four 32-bit words. The shader
 * shaders/shared/random.wgsl computes the same words, so a seed means the same draws on every device.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Random123).
 */

/** Last counter word: what a draw is for, so that no two uses share random numbers. */
export const DOMAIN = {
  samplerStart: 0,
  samplerNoise: 1,
  training: 2,
  weights: 3,
  curve: 4,
  latents: 5,
  matrices: 6,
  observationNoise: 7,
  gaussianStart: 8,
  metric: 9,
  resampling: 10,
  imageStart: 11,
  imageNoise: 12,
  measurementNoise: 13,
  imageMask: 14,
  motionKernel: 15,
  verification: 16,
} as const

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
export function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const lowHigh = aLow * bHigh
  const cross = ((aLow * bLow) >>> 16) + (lowHigh & 0xffff) + aHigh * bLow
  return (aHigh * bHigh + (lowHigh >>> 16) + (cross >>> 16)) >>> 0
}

/** Philox4x32-10 of one counter; writes four words to `out`. Arguments are taken modulo 2^32. */
export function philox(
  out: Uint32Array,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
): void {
  let c0 = counter0 >>> 0
  let c1 = counter1 >>> 0
  let c2 = counter2 >>> 0
  let c3 = counter3 >>> 0
  let k0 = key0 >>> 0
  let k1 = key1 >>> 0
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0)
    const high1 = mulHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** A 32-bit word as a number in (0, 1): exact in float32, never 0 or 1. */
export function unit(word: number): number {
  return ((word >>> 9) + 0.5) * 2 ** -23
}

/** A 32-bit word as an integer in [0, count). */
export function uniformIndex(word: number, count: number): number {
  return mulHigh(word >>> 0, count)
}

/** The random numbers of one key (seed, stream). Every method is a pure function of its arguments. */
export class RandomStream {
  private readonly words = new Uint32Array(4)

  constructor(
    readonly seed: number,
    readonly stream: number,
  ) {}

  /** The four words at a counter; the returned array is overwritten by the next call. */
  block(index: number, step: number, block: number, domain: number): Uint32Array {
    philox(this.words, index, step, block, domain, this.seed, this.stream)
    return this.words
  }

  /** Writes uniforms u_0 .. u_{count-1} in (0, 1): word j % 4 of block firstBlock + j / 4. */
  fillUniforms(
    out: Float64Array,
    offset: number,
    count: number,
    index: number,
    step: number,
    domain: number,
    firstBlock = 0,
  ): void {
    for (let j = 0; j < count; j += 4) {
      const words = this.block(index, step, firstBlock + j / 4, domain)
      const end = Math.min(4, count - j)
      for (let i = 0; i < end; i++) out[offset + j + i] = unit(words[i]!)
    }
  }

  /**
   * Writes standard normals n_0 .. n_{count-1}: component j % 4 of block firstBlock + j / 4, by Box-Muller,
   * (n_0, n_1) = sqrt(-2 ln u_x) (cos, sin)(2π u_y) and (n_2, n_3) likewise from the last two words.
   */
  fillNormals(
    out: Float64Array,
    offset: number,
    count: number,
    index: number,
    step: number,
    domain: number,
    firstBlock = 0,
  ): void {
    for (let j = 0; j < count; j += 4) {
      const words = this.block(index, step, firstBlock + j / 4, domain)
      for (let pair = 0; pair < 2 && j + 2 * pair < count; pair++) {
        const radius = Math.sqrt(-2 * Math.log(unit(words[2 * pair]!)))
        const angle = 2 * Math.PI * unit(words[2 * pair + 1]!)
        const at = offset + j + 2 * pair
        out[at] = radius * Math.cos(angle)
        if (j + 2 * pair + 1 < count) out[at + 1] = radius * Math.sin(angle)
      }
    }
  }
}

/**
 * Beta(alpha, beta) for integers, as the alpha-th smallest of alpha + beta - 1 uniforms.
 * Reads `uniforms[offset ..]` and reorders that part.
 */
export function betaFromUniforms(
  uniforms: Float64Array,
  offset: number,
  alpha: number,
  beta: number,
): number {
  const count = alpha + beta - 1
  for (let i = 0; i < alpha; i++) {
    let smallest = i
    for (let j = i + 1; j < count; j++) {
      if (uniforms[offset + j]! < uniforms[offset + smallest]!) smallest = j
    }
    const value = uniforms[offset + smallest]!
    uniforms[offset + smallest] = uniforms[offset + i]!
    uniforms[offset + i] = value
  }
  return uniforms[offset + alpha - 1]!
}
