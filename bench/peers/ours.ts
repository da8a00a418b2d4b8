/**
 * This project, measured as a peer: its own kernels, driven as the app's jobs drive them.
 *
 *     training   the public backend's `train`: uploads, slices of steps and the result's way back are part of a run
 *     mmps       the sampler's kernel in slices of time, as the job `sample` submits it, but from given x and with as many
 *                iterations of CG as the case says (the job cuts them at the rows of A)
 *     forward    the forward kernel, many evaluations in one submit
 *
 * Training has a device of its own, because the backend opens it; live bytes are summed over both.
 */
import { CG_ITERATIONS, CHECKED_STEPS, type Bound, type CaseName, type Peer, trainingResult } from '../peer'
import { type Inputs, NEXT_SIGMA, OBSERVED, SIGMA_Y, STEP_SIGMA, training } from '../cases'
import { embeddingFrequencies } from '../../src/diffusion/mlp'
import { ddimStep } from '../../src/diffusion/samplers/ddim'
import type { PosteriorOptions } from '../../src/diffusion/types'
import { createWebGpuBackend } from '../../src/gpu/backend'
import { BufferScope, createCounters } from '../../src/gpu/buffers'
import { type OpenDevice, openDevice } from '../../src/gpu/device'
import { DenoiserForwardKernel } from '../../src/gpu/kernels/denoiserForward'
import { packPlan, posteriorKernelOptions } from '../../src/gpu/kernels/posteriorPlan'
import { SampleKernel } from '../../src/gpu/kernels/sample'
import { packWeights } from '../../src/gpu/network'
import { type SampleCursor, advance } from '../../src/gpu/jobs/sample'
import { runSlices } from '../../src/gpu/slices'
import packageJson from '../../package.json'

/** Opens both devices. Errors: those of `openDevice`. */
export async function open(gpu: GPU): Promise<Peer> {
  const opened = await openDevice(gpu)
  const backend = await createWebGpuBackend(gpu)
  return {
    name: `DiEM Playground ${packageJson.version}`,
    adapter: opened.name,
    async bind(name, inputs) {
      if (name === 'training') return bindTraining(backend, inputs)
      return name === 'forward' ? bindForward(opened, inputs) : bindPosterior(opened, name, inputs)
    },
    destroy() {
      opened.device.destroy()
      backend.destroy()
    },
  }
}

type TrainingBackend = Pick<Awaited<ReturnType<typeof createWebGpuBackend>>, 'train'>

function bindTraining(backend: TrainingBackend, inputs: Inputs): Bound {
  const { network, samples, batch } = inputs
  const train = (weights: Float32Array, steps: number) =>
    backend.train({
      ...training,
      network,
      weights,
      samples,
      steps,
      batch,
      learningRate: { start: training.learningRate, end: training.learningRate },
      averaging: 0,
    })
  let last = inputs.weights
  return {
    async run(repetitions) {
      last = (await train(last, repetitions)).weights
    },
    async result() {
      const { losses, weights } = await train(inputs.weights, CHECKED_STEPS)
      return trainingResult(losses, weights)
    },
    dispose: () => undefined,
  }
}

/** Evaluations in one submit; the next waits for the one before it, so that none gets long. */
const FORWARDS_IN_SUBMIT = 64

async function bindForward(opened: OpenDevice, inputs: Inputs): Promise<Bound> {
  const { device } = opened
  const { network, batch } = inputs
  const { features, embedding } = network
  const scope = new BufferScope(device, createCounters())
  const buffers = {
    weights: scope.upload('weights', packWeights(network, inputs.weights)),
    frequencies: scope.upload('frequencies', Float32Array.from(embeddingFrequencies(embedding))),
    xT: scope.upload('x_t', inputs.xT),
    sigma: scope.upload('sigma', inputs.sigma),
    denoised: scope.storage('denoised', batch * features * 4),
  }
  let kernel: Promise<DenoiserForwardKernel> | undefined
  const run = async (repetitions: number): Promise<void> => {
    const forward = await (kernel ??= DenoiserForwardKernel.create(device, network))
    await runSlices(
      {
        total: repetitions,
        first: 1,
        most: FORWARDS_IN_SUBMIT,
        submit(units) {
          // the kernel's `encode` makes its uniform buffer anew
          const own = new BufferScope(device, createCounters())
          const encoder = device.createCommandEncoder()
          const pass = encoder.beginComputePass()
          for (let i = 0; i < units; i++) forward.encode(pass, own, buffers, batch)
          pass.end()
          own.submit(encoder)
          return { units, finished: device.queue.onSubmittedWorkDone().finally(() => own.destroy()) }
        },
      },
      opened.guard,
      undefined,
    )
  }
  return {
    run,
    async result() {
      await run(1)
      return new Float32Array(await opened.guard(scope.read(buffers.denoised, batch * features * 4)))
    },
    dispose: () => scope.destroy(),
  }
}

/** Sample-steps of the first submit, as in the job. */
const FIRST_SLICE = 2048

async function bindPosterior(
  opened: OpenDevice,
  name: Exclude<CaseName, 'forward' | 'training'>,
  inputs: Inputs,
): Promise<Bound> {
  const { device } = opened
  const { network, batch, weights, A, y } = inputs
  const { features } = network
  const prior = { kind: 'mlp', network, weights } as const
  const posterior: PosteriorOptions = {
    covariance: 'tweedie',
    solver: name === 'mmps-cg' ? 'cg' : 'exact',
    solverIterations: CG_ITERATIONS,
    safeguard: 'none',
  }
  const step = ddimStep(STEP_SIGMA, NEXT_SIGMA, 0)
  let kernel: Promise<SampleKernel> | undefined
  /** Takes x through `repetitions` of the step; buffers are the call's own, as in the job. */
  const run = async (repetitions: number, readBack = false): Promise<Float32Array | undefined> => {
    const sampler = await (kernel ??= SampleKernel.create(
      device,
      { kind: 'mlp', network },
      posteriorKernelOptions(OBSERVED, posterior),
    ))
    const scope = new BufferScope(device, createCounters())
    try {
      const state = scope.upload('samples', inputs.stepX)
      const bound = sampler.bind(
        scope,
        prior,
        {
          plan: scope.upload(
            'plan',
            packPlan(
              Array.from({ length: repetitions }, () => step),
              posterior,
            ),
          ),
          state,
          observations: { A: scope.upload('A', A), y: scope.upload('y', y) },
        },
        {
          count: batch,
          seed: 0,
          stream: 0,
          mean: new Float64Array(features),
          startSigma: 1,
          sigmaY: SIGMA_Y,
          solverIterations: CG_ITERATIONS,
        },
      )
      const cursor: SampleCursor = { step: 0, begin: 0 }
      await runSlices(
        {
          total: batch * repetitions,
          first: FIRST_SLICE,
          submit(offered) {
            const { units, ...part } = advance(cursor, offered, batch, repetitions, bound.steps)
            const encoder = device.createCommandEncoder()
            const pass = encoder.beginComputePass()
            bound.encode(pass, { ...part, start: false })
            pass.end()
            scope.submit(encoder)
            return { units, finished: device.queue.onSubmittedWorkDone() }
          },
        },
        opened.guard,
        undefined,
      )
      if (!readBack) return undefined
      return new Float32Array(await opened.guard(scope.read(state, batch * features * 4)))
    } finally {
      scope.destroy()
    }
  }
  return {
    run: async (repetitions) => void (await run(repetitions)),
    result: async () => (await run(1, true))!,
    dispose: () => undefined,
  }
}
