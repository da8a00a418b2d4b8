/**
 * One restoration without a page: a measured image, a denoiser and settings in; posterior samples and how good they are out.
 * The image lab's worker, `npm run bench:images` and the tests run this.
 */
import type { JobControl } from '../../diffusion/backend'
import { PHOTOGRAPHS, powerLawVariances, type PowerLaw } from '../../diffusion/image/powerLaw'
import { subtractMeasured } from '../../diffusion/image/observedSystem'
import { sampleImages, type ImageStep } from '../../diffusion/image/sample'
import type { ImageStepRecord } from '../../diffusion/image/stepHistory'
import type { ImageDenoiser, SpectralCovariance } from '../../diffusion/image/types'
import { Stopwatch } from '../../diffusion/jobControl'
import { samplerPlan } from '../../diffusion/samplers'
import { logLinearSchedule } from '../../diffusion/schedule'
import type { Vector } from '../../linalg/vectorSpace'
import { psnr, ssim } from '../../math/imageMetrics'
import { createImageOperator } from '../../operators/createOperator'
import { createDct } from '../../operators/dct'
import type { ImagePrimitives } from '../../operators/primitives'
import { type ImageOperator, type ImageShape, type OperatorDescription, sizeOf } from '../../operators/types'
import { describeMeasurement, measure, type Drawings } from './measurement'
import type { ImagesSettings } from './settings'

/** Langevin corrections of `pc`, and their size. */
const CORRECTIONS = 1
const DELTA = 0.1

/** An image and its measurement, on the host. */
export interface MeasuredImage {
  readonly shape: ImageShape
  readonly description: OperatorDescription
  /** [channels, height, width] in [-1, 1]. */
  readonly truth: Float32Array
  /** [output of the operator]. */
  readonly y: Float32Array
  readonly sigmaY: number
}

/** What the denoiser was trained for; see its contract. */
export interface DenoiserRange {
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** Covariance of JFPS; photographs where it is left out. */
  readonly gaussianFit?: PowerLaw
}

export interface ImageRunRequest {
  readonly denoiser: ImageDenoiser
  /** Of the denoiser's space. */
  readonly primitives: ImagePrimitives
  readonly range: DenoiserRange
  readonly measured: MeasuredImage
  readonly settings: ImagesSettings
}

export interface ImageRunControl extends JobControl {
  /** Whether to read x̂ back after this step. */
  wantsFrame?(step: number): boolean
  onStep?(step: ImageStep): void
}

export interface ImageRun {
  /** Clipped to [-1, 1]: [samples, channels, height, width]. */
  readonly samples: readonly Float32Array[]
  readonly mean: Float32Array
  /** Standard deviation over samples, root mean square over channels, [height, width]; null for one sample. */
  readonly deviation: Float32Array | null
  /** Of each sample. PSNR in dB. */
  readonly psnr: readonly number[]
  readonly ssim: readonly number[]
  readonly meanPsnr: number
  readonly meanSsim: number
  /** ‖A x - y‖ / (sigma_y √observed) of each sample as it was drawn. */
  readonly misfit: readonly number[]
  readonly records: readonly ImageStepRecord[]
  readonly passes: { readonly forward: number; readonly vjp: number; readonly jvp: number }
  /** Without pauses. */
  readonly seconds: number
}

/**
 * y = A x + sigma_y ε of one image. The operator is handed to `look` before it is released.
 * Error: RangeError where the task does not fit the shape.
 */
export async function measureImage<Result>(
  primitives: ImagePrimitives,
  settings: ImagesSettings,
  drawings: Drawings,
  truth: Float32Array,
  shape: ImageShape,
  look: (measured: MeasuredImage, operator: ImageOperator, y: Vector) => Promise<Result>,
): Promise<Result> {
  const { space } = primitives
  const description = describeMeasurement(settings, shape, drawings)
  const operator = createImageOperator(description, shape, 1, primitives)
  const x = space.vector('truth', 1, sizeOf(shape))
  const y = space.vector('y', 1, sizeOf(operator.output))
  try {
    space.write(x, truth)
    measure(space, operator, settings, x, y)
    const measured = { shape, description, truth, y: await space.read(y), sigmaY: settings.sigmaY }
    return await look(measured, operator, y)
  } finally {
    operator.release()
    space.release(x, y)
  }
}

/** Draws `denoiser.batch` samples. Errors: those of createImageOperator and sampleImages. */
export async function runImages(request: ImageRunRequest, control: ImageRunControl = {}): Promise<ImageRun> {
  const { denoiser, primitives, range, measured, settings } = request
  const { space, batch, shape } = denoiser
  const { truth, description, sigmaY } = measured
  const watch = new Stopwatch(control)
  const operator = createImageOperator(description, shape, batch, primitives)
  const y = space.vector('y', 1, sizeOf(operator.output))
  const fit = settings.method === 'jfps' ? covarianceOf(request) : undefined
  try {
    space.write(y, measured.y)
    const { method, solver, iterations, guidance, proximity } = settings
    const schedule = logLinearSchedule(range.sigmaMin, range.sigmaMax)
    const { steps, eta } = settings
    const plan = samplerPlan(settings.sampler, schedule, {
      steps,
      eta,
      corrections: CORRECTIONS,
      delta: DELTA,
    })
    const { x, records, passes } = await sampleImages(
      {
        denoiser,
        operator,
        y,
        sigmaY,
        plan,
        seed: settings.seed,
        options: { method, solver, iterations, guidance, proximity },
        fit,
      },
      watch.control,
    )
    try {
      const misfit = await misfitOf(operator, x, y, sigmaY, primitives)
      const all = await space.read(x)
      const seconds = watch.milliseconds / 1000
      return { ...judge(all, batch, truth, shape), misfit, records, passes, seconds }
    } finally {
      space.release(x)
    }
  } finally {
    operator.release()
    fit?.transform?.release()
    space.release(y)
  }
}

/** Samples [batch, size] as drawn, their mean and deviation, and how near they are to the truth. */
function judge(all: Float32Array, batch: number, truth: Float32Array, shape: ImageShape) {
  const size = sizeOf(shape)
  const samples = Array.from({ length: batch }, (_, i) =>
    all.slice(i * size, (i + 1) * size).map((value) => Math.min(Math.max(value, -1), 1)),
  )
  const mean = new Float32Array(size)
  for (const sample of samples) for (let j = 0; j < size; j++) mean[j]! += sample[j]! / batch
  return {
    samples,
    mean,
    deviation: batch > 1 ? deviationOf(samples, mean, shape) : null,
    psnr: samples.map((sample) => psnr(sample, truth)),
    ssim: samples.map((sample) => ssim(sample, truth, shape)),
    meanPsnr: psnr(mean, truth),
    meanSsim: ssim(mean, truth, shape),
  }
}

function deviationOf(
  samples: readonly Float32Array[],
  mean: Float32Array,
  { channels, height, width }: ImageShape,
): Float32Array {
  const pixels = height * width
  return Float32Array.from({ length: pixels }, (_, i) => {
    let sum = 0
    for (const sample of samples)
      for (let j = i; j < sample.length; j += pixels) sum += (sample[j]! - mean[j]!) ** 2
    return Math.sqrt(sum / ((samples.length - 1) * channels))
  })
}

/** Of x as it was drawn, [batch]. */
export async function misfitOf(
  operator: ImageOperator,
  x: Vector,
  y: Vector,
  sigmaY: number,
  { space }: ImagePrimitives,
): Promise<number[]> {
  const residual = space.vector('y - A x', x.batch, y.size)
  const square = space.scalars('‖A x - y‖²', x.batch)
  try {
    subtractMeasured(space, { operator, y }, x, residual)
    space.dot(square, residual, residual)
    const scale = sigmaY * Math.sqrt(operator.observed)
    return Array.from(await space.readScalars(square), (value) => Math.sqrt(value) / scale)
  } finally {
    space.release(residual, square)
  }
}

function covarianceOf({ denoiser, primitives, range }: ImageRunRequest): SpectralCovariance {
  return {
    transform: createDct(denoiser.shape, denoiser.batch, primitives),
    variances: powerLawVariances(denoiser.shape, range.gaussianFit ?? PHOTOGRAPHS),
  }
}
