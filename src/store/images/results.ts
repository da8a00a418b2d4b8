/** Runs as they are shown and exported: pictures and mean numbers. */
import type { ImageStepRecord } from '../../diffusion/image/stepHistory'
import { NOMINAL_VJP_COST } from '../../experiments/images/compare'
import { pictureOfImage } from '../../experiments/images/pictures'
import type { ImageRun } from '../../experiments/images/run'
import type { ImagesSettings } from '../../experiments/images/settings'
import { type ImageShape, sizeOf } from '../../operators/types'
import type { PreparedTask } from './preparedTask'
import type { CompareRow, Picture, RunResult, StepRecord } from './types'

export function resultOf(
  run: ImageRun,
  { measured, truth, observation }: PreparedTask,
  settings: ImagesSettings,
): RunResult {
  const { shape } = measured
  const { samples, mean, deviation, records, ...numbers } = run
  return {
    ...numbers,
    samples: samples.map((image) => pictureOfImage(image, shape)),
    mean: pictureOfImage(mean, shape),
    deviation: deviation && deviationPicture(deviation, shape),
    steps: records.map(recordOf),
    settings,
    truth,
    observation,
  }
}

/** PSNR, SSIM and misfit are means over the samples; the picture is the first sample. */
export function rowOf(
  { samples, psnr, ssim, misfit, passes, seconds }: ImageRun,
  shape: ImageShape,
): Omit<CompareRow, 'method' | 'label' | 'steps' | 'message'> & { readonly picture: Picture } {
  return {
    status: 'finished',
    fraction: 1,
    picture: pictureOfImage(samples[0]!, shape),
    psnr: meanOf(psnr),
    ssim: meanOf(ssim),
    misfit: meanOf(misfit),
    evaluations: passes.forward + NOMINAL_VJP_COST * (passes.vjp + passes.jvp),
    seconds,
  }
}

/** A method may leave the finite numbers or refuse its settings; then the next one has its turn. */
export function isOfMethod(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'NonFiniteImageError' || error instanceof RangeError)
}

export function recordOf({ step, sigma, misfit, solverResidual }: ImageStepRecord): StepRecord {
  return {
    step: step + 1,
    sigma,
    misfit: meanOf(misfit),
    solverResidual: solverResidual && meanOf(solverResidual),
  }
}

/** Of [samples, channels, height, width]. */
export function picturesOf(images: Float32Array, shape: ImageShape): Picture[] {
  const size = sizeOf(shape)
  return Array.from({ length: images.length / size }, (_, i) =>
    pictureOfImage(images.subarray(i * size, (i + 1) * size), shape),
  )
}

function deviationPicture(deviation: Float32Array, { height, width }: ImageShape): RunResult['deviation'] {
  const maximum = deviation.reduce((most, value) => Math.max(most, value), 0)
  const scaled = deviation.map((value) => (maximum > 0 ? (2 * value) / maximum - 1 : -1))
  return { maximum, picture: pictureOfImage(scaled, { channels: 1, height, width }) }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
