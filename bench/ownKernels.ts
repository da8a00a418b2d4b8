/** The cases by this project's kernels, with buffers of the inputs. */
import { type Inputs, CG_ITERATIONS, NEXT_SIGMA, OBSERVED, SIGMA_Y, STEP_SIGMA, mmpsPosterior } from './cases'
import { embeddingFrequencies } from '../src/diffusion/mlp'
import { ddimStep } from '../src/diffusion/samplers/ddim'
import type { NetworkShape } from '../src/diffusion/types'
import type { BufferScope } from '../src/gpu/buffers'
import type { Encode } from '../src/gpu/dispatch'
import type { DenoiserForwardKernel } from '../src/gpu/kernels/denoiserForward'
import { packPlan, posteriorKernelOptions } from '../src/gpu/kernels/posteriorPlan'
import { type BoundSampler, SampleKernel } from '../src/gpu/kernels/sample'
import { packWeights } from '../src/gpu/network'

/** The `forward` case; `denoised` is d, [batch, features]. */
export function bindForward(
  scope: BufferScope,
  kernel: DenoiserForwardKernel,
  { network, weights, batch, xT, sigma }: Inputs,
): { readonly encode: Encode; readonly denoised: GPUBuffer } {
  const buffers = {
    weights: scope.upload('weights', packWeights(network, weights)),
    frequencies: scope.upload('frequencies', Float32Array.from(embeddingFrequencies(network.embedding))),
    xT: scope.upload('x_t', xT),
    sigma: scope.upload('sigma', sigma),
    denoised: scope.storage('denoised', batch * network.features * 4),
  }
  return { encode: kernel.bind(scope, buffers, batch), denoised: buffers.denoised }
}

type MmpsCase = Parameters<typeof mmpsPosterior>[0]

export function createMmpsKernel(
  device: GPUDevice,
  network: NetworkShape,
  name: MmpsCase,
): Promise<SampleKernel> {
  const options = posteriorKernelOptions(OBSERVED, mmpsPosterior(name))
  return SampleKernel.create(device, { kind: 'mlp', network }, options)
}

/** `repetitions` of the case's step, with x (`state`, [batch, features]) and observations from the inputs. */
export function bindMmps(
  scope: BufferScope,
  kernel: SampleKernel,
  name: MmpsCase,
  { network, weights, batch, stepX, A, y }: Inputs,
  repetitions: number,
): { readonly state: GPUBuffer; readonly sampler: BoundSampler } {
  const step = ddimStep(STEP_SIGMA, NEXT_SIGMA, 0)
  const plan = packPlan(
    Array.from({ length: repetitions }, () => step),
    mmpsPosterior(name),
  )
  const state = scope.upload('samples', stepX)
  const buffers = {
    plan: scope.upload('plan', plan),
    state,
    observations: { A: scope.upload('A', A), y: scope.upload('y', y) },
  }
  const sampler = kernel.bind(scope, { kind: 'mlp', network, weights }, buffers, {
    count: batch,
    seed: 0,
    stream: 0,
    mean: new Float64Array(network.features),
    startSigma: 1,
    sigmaY: SIGMA_Y,
    solverIterations: CG_ITERATIONS,
  })
  return { state, sampler }
}
