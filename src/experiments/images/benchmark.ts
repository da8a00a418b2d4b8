/**
 * The benchmark of posterior methods on images, in the form of the paper's Table 4: tasks, methods, and one cell
 *
 *     PSNR and SSIM of one posterior sample an image, averaged over images that the model has not seen
 *
 * Every method sees the same measurements and the same sampler noise. Batches of images share a mask or kernel, drawn anew
 * for each batch; noise differs from image to image.
 *
 * Source: Rozet et al., "Learning diffusion priors from observations by expectation maximization", NeurIPS 2024, appendix E.
 */
import { PHOTOGRAPHS, powerLawVariances } from '../../diffusion/image/powerLaw'
import { sampleImages } from '../../diffusion/image/sample'
import { NonFiniteImageError, type ImageStepRecord } from '../../diffusion/image/stepHistory'
import type { ImageDenoiser } from '../../diffusion/image/types'
import type { JobControl } from '../../diffusion/backend'
import { samplerPlan } from '../../diffusion/samplers'
import { logLinearSchedule } from '../../diffusion/schedule'
import { psnr, ssim } from '../../math/imageMetrics'
import { createImageOperator } from '../../operators/createOperator'
import { createDct } from '../../operators/dct'
import type { ImagePrimitives } from '../../operators/primitives'
import { sizeOf } from '../../operators/types'
import type { BenchmarkMethod } from './benchmarkMethods'
import { randomBoxCentre } from './masks'
import { describeMeasurement, measure } from './measurement'
import { misfitOf, type DenoiserRange } from './run'
import { defaultImagesSettings, type ImagesSettings, type TaskName } from './settings'

/** The paper's tasks with its noise levels; sizes are the same parts of the image's side as there. */
export const benchmarkTasks = {
  box: { label: 'Box', settings: { boxSide: 0.5, sigmaY: 1 } },
  random: { label: 'Random', settings: { kept: 0.02, sigmaY: 0.01 } },
  motion: { label: 'Motion', settings: { kernelSide: 61 / 256, intensity: 0.5, sigmaY: 0.1 } },
  gaussian: { label: 'Gaussian', settings: { blur: 3 / 256, sigmaY: 0.05 } },
  superres: { label: 'SR ×4', settings: { factor: 4, sigmaY: 0.1 } },
  mri: { label: 'MRI', settings: { acceleration: 6, centre: 20 / 320, sigmaY: 0.01 } },
  gray: { label: 'Gray', settings: { sigmaY: 0.05 } },
} as const satisfies Partial<
  Record<TaskName, { readonly label: string; readonly settings: Partial<ImagesSettings> }>
>

export type BenchmarkTask = keyof typeof benchmarkTasks

export const benchmarkTaskNames = Object.keys(benchmarkTasks) as BenchmarkTask[]

/** Least distance of the hole from the edge, in units of the side: 16 of 256 pixels. */
const BOX_MARGIN = 16 / 256

export interface CellRequest {
  readonly denoiser: ImageDenoiser
  /** Of the denoiser's space. */
  readonly primitives: ImagePrimitives
  readonly range: DenoiserRange
  /** Any number of images of the denoiser's shape, [count, channels, height, width] in [-1, 1]. */
  readonly images: Float32Array
  readonly task: BenchmarkTask
  readonly method: BenchmarkMethod
  readonly steps: number
  /** Of masks, kernels, measurement noise and sampler; another for each batch. */
  readonly seed: number
  /** Instead of the task's own. */
  readonly sigmaY?: number
  /** LPIPS of each image of a batch. */
  readonly distance?: (batch: Float32Array, truths: Float32Array) => Promise<readonly number[]>
}

/** One number an image. */
export interface CellScores {
  readonly psnr: readonly number[]
  readonly ssim: readonly number[]
  readonly lpips: readonly number[] | null
  /** ‖A x - y‖ / (sigma_y √observed). */
  readonly misfit: readonly number[]
  /** ‖b - M v‖/‖b‖, mean over the steps; null where no system is solved. */
  readonly residual: readonly number[] | null
  readonly seconds: number
}

/** Runs all batches of a cell; null where a sample left the finite numbers. Errors: those of sampleImages. */
export async function runCell(request: CellRequest, control: JobControl = {}): Promise<CellScores | null> {
  const { denoiser, images, seed } = request
  const { batch, shape } = denoiser
  const size = sizeOf(shape)
  const count = images.length / size
  const scores = { psnr: [] as number[], ssim: [] as number[], misfit: [] as number[] }
  const lpips: number[] = []
  const residual: number[] = []
  const started = performance.now()
  for (let first = 0; first < count; first += batch) {
    control.signal?.throwIfAborted()
    const rows = Math.min(batch, count - first)
    // a last batch that is not full repeats its last image
    const truths = Float32Array.from({ length: batch * size }, (_, i) => {
      return images[Math.min(first + Math.floor(i / size), count - 1) * size + (i % size)]!
    })
    const drawn = await runBatch(request, truths, seed + first / batch, control)
    if (!drawn) return null
    const { x, misfit, records } = drawn
    const distances = await request.distance?.(x, truths)
    for (let i = 0; i < rows; i++) {
      const [image, truth] = [x, truths].map((all) => all.subarray(i * size, (i + 1) * size)) as [
        Float32Array,
        Float32Array,
      ]
      scores.psnr.push(psnr(image, truth))
      scores.ssim.push(ssim(image, truth, shape))
      scores.misfit.push(misfit[i]!)
      if (distances) lpips.push(distances[i]!)
      residual.push(...meanResidual(records, i))
    }
  }
  return {
    ...scores,
    lpips: request.distance ? lpips : null,
    residual: residual.length > 0 ? residual : null,
    seconds: (performance.now() - started) / 1000,
  }
}

function meanResidual(records: readonly ImageStepRecord[], sample: number): number[] {
  const values = records.flatMap(({ solverResidual }) => (solverResidual ? [solverResidual[sample]!] : []))
  return values.length > 0 ? [values.reduce((sum, value) => sum + value, 0) / values.length] : []
}

interface DrawnBatch {
  /** Clipped to [-1, 1], [batch, size]. */
  readonly x: Float32Array
  readonly misfit: readonly number[]
  readonly records: readonly ImageStepRecord[]
}

async function runBatch(
  request: CellRequest,
  truths: Float32Array,
  seed: number,
  control: JobControl,
): Promise<DrawnBatch | null> {
  const { denoiser, primitives, range, task, method, steps } = request
  const { space, batch, shape } = denoiser
  const [boxX, boxY] = randomBoxCentre(benchmarkTasks.box.settings.boxSide, BOX_MARGIN, seed)
  const settings: ImagesSettings = {
    ...defaultImagesSettings,
    ...benchmarkTasks[task].settings,
    ...(request.sigmaY !== undefined && { sigmaY: request.sigmaY }),
    boxX,
    boxY,
    task,
    taskSeed: seed,
  }
  const description = describeMeasurement(settings, shape, { strokes: [], drawnKernel: null })
  const operator = createImageOperator(description, shape, batch, primitives)
  const fit =
    method.options.method === 'jfps'
      ? {
          transform: createDct(shape, batch, primitives),
          variances: powerLawVariances(shape, range.gaussianFit ?? PHOTOGRAPHS),
        }
      : undefined
  const truth = space.vector('truth', batch, sizeOf(shape))
  const y = space.vector('y', batch, sizeOf(operator.output))
  try {
    space.write(truth, truths)
    measure(space, operator, settings, truth, y)
    const plan = samplerPlan('ddim', logLinearSchedule(range.sigmaMin, range.sigmaMax), {
      steps,
      eta: 1,
      corrections: 0,
      delta: 0,
    })
    const { sigmaY } = settings
    const { options } = method
    const drawn = await sampleImages({ denoiser, operator, y, sigmaY, plan, seed, options, fit }, control)
    const misfit = await misfitOf(operator, drawn.x, y, sigmaY, primitives)
    const x = (await space.read(drawn.x)).map((value) => Math.min(Math.max(value, -1), 1))
    space.release(drawn.x)
    return { x, misfit, records: drawn.records }
  } catch (error) {
    if (error instanceof NonFiniteImageError) return null
    throw error
  } finally {
    operator.release()
    fit?.transform.release()
    space.release(truth, y)
  }
}
