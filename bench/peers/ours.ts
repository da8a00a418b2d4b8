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
import { CHECKED_STEPS, type Bound, type CaseName, type Peer, trainingResult } from '../peer'
import { type Inputs, training } from '../cases'
import { bindForward, bindMmps, createMmpsKernel } from '../ownKernels'
import { createWebGpuBackend } from '../../src/gpu/backend'
import { BufferScope, createCounters } from '../../src/gpu/buffers'
import { type OpenDevice, openDevice } from '../../src/gpu/device'
import { DenoiserForwardKernel } from '../../src/gpu/kernels/denoiserForward'
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
      return name === 'forward' ? forwardCase(opened, inputs) : bindPosterior(opened, name, inputs)
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

async function forwardCase(opened: OpenDevice, inputs: Inputs): Promise<Bound> {
  const { device } = opened
  const { network, batch } = inputs
  const scope = new BufferScope(device, createCounters())
  const kernel = await DenoiserForwardKernel.create(device, network)
  const { encode, denoised } = bindForward(scope, kernel, inputs)
  const run = (repetitions: number): Promise<void> =>
    runSlices(
      {
        total: repetitions,
        first: 1,
        most: FORWARDS_IN_SUBMIT,
        submit(units) {
          const encoder = device.createCommandEncoder()
          const pass = encoder.beginComputePass()
          for (let i = 0; i < units; i++) encode(pass)
          pass.end()
          scope.submit(encoder)
          return { units, finished: device.queue.onSubmittedWorkDone() }
        },
      },
      opened.guard,
      undefined,
    )
  return {
    run,
    async result() {
      await run(1)
      return new Float32Array(await opened.guard(scope.read(denoised, batch * network.features * 4)))
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
  const { network, batch } = inputs
  const { features } = network
  const kernel = await createMmpsKernel(device, network, name)
  /** Takes x through `repetitions` of the step; buffers are the call's own, as in the job. */
  const run = async (repetitions: number, readBack = false): Promise<Float32Array | undefined> => {
    const scope = new BufferScope(device, createCounters())
    try {
      const { state, sampler } = bindMmps(scope, kernel, name, inputs, repetitions)
      const cursor: SampleCursor = { step: 0, begin: 0 }
      await runSlices(
        {
          total: batch * repetitions,
          first: FIRST_SLICE,
          submit(offered) {
            const { units, ...part } = advance(cursor, offered, batch, repetitions, sampler.steps)
            const encoder = device.createCommandEncoder()
            const pass = encoder.beginComputePass()
            sampler.encode(pass, { ...part, start: false })
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
