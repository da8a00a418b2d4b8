/**
 * The work of case (d) on one device: passes of a denoiser and one sampling step, ready to be measured or counted.
 *
 *     plain      N(x, noise) by ONNX Runtime from the model's file, what everything is compared with
 *     forward    d(x, sigma) of ours: with the preconditioning
 *     linearize  the same, with what its derivatives need
 *     vjp        Jᵀ v at that point
 *     mmps       x ← a x + b d(x | y), MMPS with one iteration: 1 linearize and 2 VJPs
 */
import type { ImageDevice } from '../src/cli/imageDevice'
import { createImageEstimator } from '../src/diffusion/image/methods'
import type { ImageLinearization } from '../src/diffusion/image/types'
import { samplerPlan } from '../src/diffusion/samplers'
import { logLinearSchedule } from '../src/diffusion/schedule'
import { benchmarkTasks } from '../src/experiments/images/benchmark'
import { parseMethod } from '../src/experiments/images/benchmarkMethods'
import { describeMeasurement, measure } from '../src/experiments/images/measurement'
import type { ImageModel } from '../src/experiments/images/models'
import { defaultImagesSettings } from '../src/experiments/images/settings'
import type { Vector } from '../src/linalg/vectorSpace'
import type { DerivativeMode } from '../src/onnx/differentiate'
import { createOnnxDenoiser, type OnnxDenoiser } from '../src/onnx/session/denoiser'
import { createImageOperator } from '../src/operators/createOperator'
import { type ImageShape, sizeOf } from '../src/operators/types'
import { PlainModel } from './plainModel'
import { relativeError } from './statistics'

export const works = ['plain', 'forward', 'linearize', 'vjp', 'mmps'] as const
export type Work = (typeof works)[number]

/** Noise level of the passes; the sampling step goes on to the next of this plan. */
const SIGMA = 1
const PLAN_STEPS = 16

export interface UnetAgreement {
  /** ‖d - d_plain‖ / ‖d_plain‖. */
  readonly denoised: number
  /** |⟨u, Jᵀ v⟩ - ⟨J u, v⟩| / (‖u‖ ‖Jᵀ v‖). */
  readonly adjoint: number
}

export interface UnetWorks {
  readonly denoiser: OnnxDenoiser
  readonly plain: PlainModel
  readonly run: Readonly<Record<Work, () => Promise<void>>>
  check(): Promise<UnetAgreement>
  release(): Promise<void>
}

export async function bindUnet(
  device: ImageDevice,
  name: string,
  model: ImageModel,
  shape: ImageShape,
  batch: number,
): Promise<UnetWorks> {
  const { primitives, runtime } = device
  const { space } = primitives
  const size = sizeOf(shape)
  const made = (derivatives: readonly DerivativeMode[]) =>
    createOnnxDenoiser({ ...model, shape, batch, space, runtime, derivatives })
  const denoiser = made(['vjp'])
  const plain = await PlainModel.load({ name, model, shape, batch, space, runtime })

  const vector = (label: string, domain?: number): Vector => {
    const held = space.vector(label, batch, size)
    if (domain !== undefined) space.fillNormal(held, { seed: 0, stream: 0, step: 0, domain })
    return held
  }
  const [x, u, v] = [vector('x', 1), vector('u', 2), vector('v', 3)]
  const [out, next] = [vector('out'), vector('next x')]

  const { contract } = model
  const settings = { ...defaultImagesSettings, ...benchmarkTasks.random.settings, task: 'random' } as const
  const description = describeMeasurement(settings, shape, { strokes: [], drawnKernel: null })
  const operator = createImageOperator(description, shape, batch, primitives)
  const y = space.vector('y', batch, sizeOf(operator.output))
  measure(space, operator, settings, u, y)
  const method = parseMethod('mmps=1')
  if (typeof method === 'string') throw new Error(method)
  const estimator = createImageEstimator({
    denoiser,
    operator,
    y,
    sigmaY: settings.sigmaY,
    options: method.options,
  })
  const schedule = logLinearSchedule(contract.sigmaMin, contract.sigmaMax)
  const plan = samplerPlan('ddim', schedule, { steps: PLAN_STEPS, eta: 0, corrections: 0, delta: 0 })
  const step = plan[PLAN_STEPS / 2]!

  let linear: ImageLinearization | undefined
  return {
    denoiser,
    plain,
    run: {
      plain: () => plain.run(x, SIGMA, out),
      forward: () => denoiser.denoise(x, SIGMA, out),
      async linearize() {
        linear = await denoiser.linearize(x, SIGMA)
      },
      vjp: () => linear!.vjp(v, out),
      async mmps() {
        await estimator.estimate(x, step, out)
        space.combine(next, [
          { factor: step.a, vector: x },
          { factor: step.b, vector: out },
        ])
        // the next pass of this benchmark is a VJP of its own linearization
        linear = undefined
      },
    },
    async check() {
      const tangents = made(['jvp'])
      await denoiser.denoise(x, SIGMA, out)
      const [xs, us, vs, denoised] = await space.readTogether([x, u, v, out])
      const expected = await plain.denoised(xs!, SIGMA)
      const { vjp } = await denoiser.linearize(x, SIGMA)
      await vjp(v, out)
      const pulled = await space.read(out)
      const { jvp } = await tangents.linearize(x, SIGMA)
      await jvp(u, out)
      const pushed = await space.read(out)
      await tangents.release()
      const scale = Math.sqrt(dot(us!, us!) * dot(pulled, pulled))
      return {
        denoised: relativeError(denoised!, expected),
        adjoint: Math.abs(dot(us!, pulled) - dot(pushed, vs!)) / scale,
      }
    },
    async release() {
      estimator.release()
      operator.release()
      space.release(x, u, v, out, next, y)
      await denoiser.release()
      await plain.release()
    },
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
