/**
 * Is this model a denoiser, and are its derivatives right, on this device? Measured on noisy images x_t = x + sigma z:
 *
 *     finite         every number of d(x_t, sigma), at noise levels over the whole range
 *     falling        mean (d - x)² falls with sigma; it ends at most at the noise itself
 *     useful         it is below sigma² (d = x_t) and below sigma² m/(sigma² + m), m = mean x² (the best d = c x_t)
 *     adjoint        ⟨u, Jᵀ v⟩ = ⟨J u, v⟩
 *     differences    (d(x_t + h u) - d(x_t - h u))/2h = J u
 *     symmetric      ‖J v - Jᵀ v‖ / ‖J v‖: 0 for an exact E[x | x_t], whose J is V[x | x_t]/sigma²; decides CG or GMRES
 *     providers      the same numbers from WebGPU and from the CPU
 *     time           of a VJP over that of a forward pass
 */
import type { ImageDenoiser } from '../diffusion/image/types'
import { DOMAIN } from '../math/philox'
import type { Vector } from '../linalg/vectorSpace'
import { sizeOf } from '../operators/types'
import { NonFiniteOutputError } from './session/errors'
import { smoothImages } from './testImages'
import { type Measurements, type VerificationReport, conclude } from './verdicts'

export type { Check as VerificationCheck, VerificationReport } from './verdicts'

export interface VerificationOptions {
  readonly seed: number
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** Clean images, [any number, channels, height, width]; else smooth random ones. */
  readonly images?: Float32Array
  /** Whether they are like the model's training images, so that it must denoise them well; default: where they are given. */
  readonly familiar?: boolean
  /** The same model on the CPU, of the same shape and batch: its numbers are compared. */
  readonly reference?: ImageDenoiser
  /** Noise levels of the curve, default 8; derivatives are checked at up to 3. */
  readonly levels?: number
  readonly signal?: AbortSignal
  /** Before each step; a worker whose runs block it lets its messages in here. */
  ready?(): Promise<void>
  onProgress?(fraction: number, label: string): void
}

/** Errors: those of the denoiser, the signal's reason. */
export async function verifyDenoiser(
  denoiser: ImageDenoiser,
  options: VerificationOptions,
): Promise<VerificationReport> {
  return conclude(await new Verification(denoiser, options).measure())
}

/** Noise levels at which J is checked, as far as the model takes them. */
const DERIVATIVE_LEVELS = [0.1, 1, 10]
const REPEATS = 3
/** Draws of noise are numbered; each batch of images has so many numbers. */
const LARGEST_DRAW = 1000

class Verification {
  readonly #size: number
  /** As many as fill whole batches: the curve is of all, derivatives are of the first. */
  readonly #batches: readonly Float32Array[]
  readonly #held: Vector[] = []
  #done = 0
  #total = 1

  constructor(
    private readonly denoiser: ImageDenoiser,
    private readonly options: VerificationOptions,
  ) {
    const { shape, batch } = denoiser
    this.#size = sizeOf(shape)
    const images = options.images ?? smoothImages(shape, batch, options.seed)
    if (images.length < this.#size) throw new RangeError('There is no whole image to verify the model with.')
    const given = Math.floor(images.length / this.#size)
    this.#batches = Array.from({ length: Math.ceil(given / batch) }, (_, b) => {
      const clean = new Float32Array(batch * this.#size)
      for (let i = 0; i < batch; i++) {
        const from = ((b * batch + i) % given) * this.#size
        clean.set(images.subarray(from, from + this.#size), i * this.#size)
      }
      return clean
    })
  }

  async measure(): Promise<Measurements> {
    const { sigmaMin, sigmaMax, levels = 8 } = this.options
    try {
      const sigmas = Array.from(
        { length: Math.max(2, levels) },
        (_, i) => sigmaMin * (sigmaMax / sigmaMin) ** (i / (Math.max(2, levels) - 1)),
      )
      const within = DERIVATIVE_LEVELS.filter((sigma) => sigma >= sigmaMin && sigma <= sigmaMax)
      const derivatives = within.length > 0 ? within : [Math.sqrt(sigmaMin * sigmaMax)]
      this.#total = sigmas.length * this.#batches.length + 6 * derivatives.length + 2 * REPEATS
      return await this.#measure(sigmas, derivatives)
    } finally {
      this.denoiser.space.release(...this.#held)
    }
  }

  async #measure(sigmas: readonly number[], derivatives: readonly number[]): Promise<Measurements> {
    const { denoiser, options } = this
    const { space } = denoiser
    const base = {
      webgpu: space.kind === 'webgpu',
      sigmaMin: options.sigmaMin,
      familiar: options.familiar ?? options.images !== undefined,
    }
    const out = this.#vector('d')
    const curve: { sigma: number; error: number; trivial: number }[] = []
    const power = mean(this.#batches.map((clean) => meanSquare(clean)))
    for (const [i, sigma] of sigmas.entries()) {
      const errors = []
      for (const [b, clean] of this.#batches.entries()) {
        await this.#step(`Denoising at σ ${sigma.toPrecision(2)}`)
        errors.push(await this.#error(clean, sigma, b * LARGEST_DRAW + i, out))
      }
      const error = mean(errors)
      curve.push({ sigma, error, trivial: (sigma * sigma * power) / (sigma * sigma + power) })
    }
    const unknown = {
      adjoint: NaN,
      differences: NaN,
      asymmetry: [],
      positive: false,
      providers: null,
      milliseconds: { forward: null, vjp: null, jvp: null },
    }
    const notFinite = curve.filter(({ error }) => !Number.isFinite(error)).map(({ sigma }) => sigma)
    if (notFinite.length > 0) return { ...base, notFinite, curve, ...unknown }
    const found = []
    for (const [i, sigma] of derivatives.entries()) {
      try {
        found.push(await this.#derivatives(sigma, sigmas.length + i))
      } catch (error) {
        if (!(error instanceof NonFiniteOutputError)) throw error
        return { ...base, notFinite: [sigma], curve, ...unknown }
      }
    }
    const providers = found.map((each) => each.providers).filter((each) => each !== null)
    return {
      ...base,
      notFinite: [],
      curve,
      adjoint: Math.max(...found.map((each) => each.adjoint)),
      differences: Math.max(...found.map((each) => each.differences)),
      asymmetry: found.map(({ asymmetry }, i) => ({ sigma: derivatives[i]!, value: asymmetry })),
      positive: found.every((each) => each.positive),
      providers:
        providers.length === 0
          ? null
          : {
              forward: Math.max(...providers.map((each) => each.forward)),
              vjp: Math.max(...providers.map((each) => each.vjp)),
            },
      milliseconds: await this.#times(derivatives.at(-1)!),
    }
  }

  /** Mean (d - x)²; NaN where d is not finite. */
  async #error(clean: Float32Array, sigma: number, draw: number, out: Vector): Promise<number> {
    try {
      await this.denoiser.denoise(this.#noisy(sigma, draw, clean), sigma, out)
    } catch (error) {
      if (error instanceof NonFiniteOutputError) return NaN
      throw error
    }
    return meanSquare(await this.denoiser.space.read(out), clean)
  }

  async #derivatives(sigma: number, draw: number) {
    const { denoiser } = this
    const { space } = denoiser
    const label = `Derivatives at σ ${sigma.toPrecision(2)}`
    const xT = this.#noisy(sigma, draw)
    const u = this.#normal('u', draw, 1)
    const v = this.#normal('v', draw, 2)
    const [ju, jv, vjp] = [this.#vector('J u'), this.#vector('J v'), this.#vector('Jᵀ v')]
    await this.#step(label)
    const linear = await denoiser.linearize(xT, sigma)
    await this.#step(label)
    await linear.vjp(v, vjp)
    await this.#step(label)
    await linear.jvp(u, ju)
    await linear.jvp(v, jv)
    const [xHat, us, vs, jus, jvs, vjps] = (await space.readTogether([linear.xHat, u, v, ju, jv, vjp])) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const adjoint = Math.abs(dot(us, vjps) - dot(jus, vs)) / (norm(us) * norm(vjps))
    const asymmetry = norm(jvs, vjps) / norm(jvs)
    // of vectors without relation, the cosine has a standard deviation of 1/√n
    const positive = dot(vs, jvs) / (norm(vs) * norm(jvs)) > -3 / Math.sqrt(vs.length)
    // the best of two steps: the first is too long for a curved model, the second for float32
    const errors = []
    for (const factor of [0.03, 0.004]) {
      await this.#step(label)
      const step = factor * Math.max(sigma, 0.1)
      const difference = await this.#difference(xT, u, sigma, step)
      errors.push(norm(difference, jus) / norm(jus))
    }
    await this.#step(label)
    const providers = await this.#compare(xT, v, sigma, xHat, vjps)
    return { adjoint, asymmetry, positive, differences: Math.min(...errors), providers }
  }

  /** (d(x + h u) - d(x - h u)) / 2h. */
  async #difference(xT: Vector, u: Vector, sigma: number, h: number): Promise<Float32Array> {
    const { space } = this.denoiser
    const moved = this.#vector('x_t moved')
    const [ahead, behind] = [this.#vector('d ahead'), this.#vector('d behind')]
    for (const [sign, out] of [
      [1, ahead],
      [-1, behind],
    ] as const) {
      space.combine(moved, [
        { factor: 1, vector: xT },
        { factor: sign * h, vector: u },
      ])
      await this.denoiser.denoise(moved, sigma, out)
    }
    space.combine(ahead, [
      { factor: 0.5 / h, vector: ahead },
      { factor: -0.5 / h, vector: behind },
    ])
    return space.read(ahead)
  }

  /** Relative differences of d and Jᵀ v from those of the reference, at the same x_t and v. */
  async #compare(xT: Vector, v: Vector, sigma: number, xHat: Float32Array, vjp: Float32Array) {
    const { reference } = this.options
    if (!reference) return null
    const from = this.denoiser.space
    const to = reference.space
    const { batch, size } = xT
    const held = ['x_t', 'v', 'Jᵀ v'].map((label) => to.vector(`reference ${label}`, batch, size)) as [
      Vector,
      Vector,
      Vector,
    ]
    try {
      const [xs, vs] = (await from.readTogether([xT, v])) as [Float32Array, Float32Array]
      to.write(held[0], xs)
      to.write(held[1], vs)
      const linear = await reference.linearize(held[0], sigma)
      await linear.vjp(held[1], held[2])
      const expected = await to.read(linear.xHat)
      const expectedVjp = await to.read(held[2])
      return {
        forward: norm(xHat, expected) / norm(expected),
        vjp: norm(vjp, expectedVjp) / norm(expectedVjp),
      }
    } finally {
      to.release(...held)
    }
  }

  /** Best of some runs, each waited for. */
  async #times(sigma: number): Promise<Measurements['milliseconds']> {
    const { denoiser } = this
    const { space } = denoiser
    const xT = this.#noisy(sigma, LARGEST_DRAW - 1)
    const v = this.#normal('v', LARGEST_DRAW - 1, 2)
    const out = this.#vector('timed')
    let [forward, vjp, jvp] = [Infinity, Infinity, Infinity]
    for (let i = 0; i < REPEATS; i++) {
      await this.#step('Measuring times')
      const waited = (work: () => Promise<void>) =>
        timed(async () => {
          await work()
          await space.finished()
        })
      forward = Math.min(forward, await waited(() => denoiser.denoise(xT, sigma, out)))
      await this.#step('Measuring times')
      const linear = await denoiser.linearize(xT, sigma)
      await space.finished()
      vjp = Math.min(vjp, await waited(() => linear.vjp(v, out)))
      jvp = Math.min(jvp, await waited(() => linear.jvp(v, out)))
    }
    return { forward, vjp, jvp }
  }

  async #step(label: string): Promise<void> {
    await this.options.ready?.()
    this.options.signal?.throwIfAborted()
    this.options.onProgress?.(Math.min(1, this.#done++ / this.#total), label)
  }

  #noisy(sigma: number, draw: number, images = this.#batches[0]!): Vector {
    const { space } = this.denoiser
    const clean = this.#vector('x')
    space.write(clean, images)
    const z = this.#normal('x_t', draw, 0)
    space.combine(z, [
      { factor: 1, vector: clean },
      { factor: sigma, vector: z },
    ])
    return z
  }

  #normal(label: string, draw: number, which: number): Vector {
    const out = this.#vector(label)
    const { seed } = this.options
    this.denoiser.space.fillNormal(out, { seed, stream: which, step: draw, domain: DOMAIN.observationNoise })
    return out
  }

  /** One vector a label: later uses overwrite it. */
  #vector(label: string): Vector {
    const { space, batch } = this.denoiser
    const name = `verify ${label}`
    const kept = this.#held.find((vector) => vector.label === name)
    if (kept) return kept
    const vector = space.vector(name, batch, this.#size)
    this.#held.push(vector)
    return vector
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** ‖a - b‖, b = 0 where it is left out. */
export function norm(a: Float32Array, b?: Float32Array): number {
  return Math.sqrt(meanSquare(a, b) * a.length)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function meanSquare(a: Float32Array, b?: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - (b?.[i] ?? 0)) ** 2
  return sum / a.length
}
