/**
 * What is measured: the same work for this project and its peers, from the same numbers.
 *
 *     forward    d(x_t, sigma), each sample with its own sigma
 *     training   one step: forward, loss λ_t mean (d - x)², backward, clipping by the global norm, Adam
 *     mmps       one sampling step x ← a x + b d(x, sigma | y) of algorithm 1 (Rozet et al. 2024), Tweedie's covariance; the
 *                system is solved by `iterations` of CG (iterations + 1 VJPs as written), or exactly from the rows of AJ
 *
 * Nothing here touches a device, so that Node and the browser share it.
 */
import { RandomStream } from '../src/math/philox'
import { trainingBatch } from '../src/diffusion/cpuTraining'
import { initializeWeights } from '../src/diffusion/mlp'
import type { NetworkShape, PosteriorOptions } from '../src/diffusion/types'

/** The manifold lab's network of the paper: 69-256-256-256-5. */
export const paperNetwork: NetworkShape = { features: 5, embedding: 64, hidden: 256, hiddenLayers: 3 }

export const OBSERVED = 2
export const SIGMA_Y = 0.01

/** Iterations of CG in `mmps-cg`: four VJPs as written. */
export const CG_ITERATIONS = 3

/** How training is set up in all implementations. */
export const training = {
  sigmaMin: 1e-3,
  sigmaMax: 10,
  learningRate: 1e-3,
  clipNorm: 1,
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  time: { alpha: 3, beta: 3 },
  seed: 0,
  stream: 0,
} as const

export interface Inputs {
  readonly network: NetworkShape
  readonly batch: number
  /** Canonical order (src/diffusion/mlp.ts). */
  readonly weights: Float32Array
  /** Clean samples that batches are drawn from, [4096, features]. */
  readonly samples: Float32Array
  /** x_t [batch, features] and sigma [batch] of the forward pass. */
  readonly xT: Float32Array
  readonly sigma: Float32Array
  /** One sigma for all samples of the MMPS step, and x there, [batch, features]. */
  readonly stepSigma: number
  readonly stepX: Float32Array
  /** [batch, OBSERVED, features], [batch, OBSERVED]. */
  readonly A: Float32Array
  readonly y: Float32Array
}

/** The plan step of the MMPS case: DDIM with η = 0 from `stepSigma` to this. */
export const STEP_SIGMA = 0.5
export const NEXT_SIGMA = 0.4

/** Seeded inputs, the same in every implementation. */
export function createInputs(network: NetworkShape, batch: number, seed = 0): Inputs {
  const { features } = network
  const random = new RandomStream(seed, 7)
  const normals = (length: number, domain: number): Float32Array => {
    const values = new Float64Array(length)
    for (let i = 0; i < length; i += features) {
      random.fillNormals(values, i, Math.min(features, length - i), i / features, 0, domain)
    }
    return Float32Array.from(values)
  }
  const sigma = Float32Array.from({ length: batch }, (_, i) => 10 ** (-3 + (4 * (i % 97)) / 96))
  return {
    network,
    batch,
    weights: initializeWeights(network, seed),
    samples: normals(4096 * features, 1),
    xT: normals(batch * features, 2).map((z, i) => z * Math.hypot(1, sigma[Math.floor(i / features)]!)),
    sigma,
    stepSigma: STEP_SIGMA,
    stepX: normals(batch * features, 3).map((z) => z * Math.hypot(1, STEP_SIGMA)),
    A: normals(batch * OBSERVED * features, 4),
    y: normals(batch * OBSERVED, 5),
  }
}

/** Batch k of the training case as our kernels draw it; the peers get it ready-made: x, z [batch, features], sigma [batch]. */
export function drawnBatch(
  inputs: Inputs,
  k: number,
): { x: Float32Array; z: Float32Array; sigma: Float32Array } {
  const { x, z, sigma } = trainingBatch(
    { ...training, samples: inputs.samples, network: inputs.network },
    k,
    0,
    inputs.batch,
  )
  return { x: Float32Array.from(x), z: Float32Array.from(z), sigma: Float32Array.from(sigma) }
}

/** The posterior of the MMPS cases. CG's iterations are taken as they are, beyond the rows of A too. */
export function mmpsPosterior(name: 'mmps-cg' | 'mmps-exact'): PosteriorOptions {
  return {
    covariance: 'tweedie',
    solver: name === 'mmps-cg' ? 'cg' : 'exact',
    solverIterations: CG_ITERATIONS,
    safeguard: 'none',
  }
}
