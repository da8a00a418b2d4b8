import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  DeviceLostError,
  type Histograms,
  type JobProgress,
  type MomentsRequest,
  NonFiniteLossError,
  type SampleRequest,
  type TrainRequest,
} from '../../src/diffusion/backend'
import { histograms as histogramTwin } from '../../src/diffusion/histogram'
import { initializeWeights } from '../../src/diffusion/mlp'
import { samplerPlan } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import { type WebGpuBackend, createWebGpuBackend } from '../../src/gpu/backend'
import { advance } from '../../src/gpu/jobs/sample'
import { gpu } from './adapter'

const network = { features: 3, embedding: 6, hidden: 20, hiddenLayers: 2 }
const schedule = logLinearSchedule(1e-2, 5)
const plan = samplerPlan('pc', schedule, { steps: 6, eta: 0, corrections: 1, delta: 0.1 })
const wave = (length: number, phase: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + phase))

function sampleRequest(count: number, observed = 2): SampleRequest {
  const { features } = network
  return {
    prior: { kind: 'mlp', network, weights: initializeWeights(network, 3) },
    plan,
    count,
    mean: Float64Array.of(0.1, -0.2, 0.3),
    startSigma: schedule.sigmaMax,
    observations: {
      count,
      features,
      observed,
      A: wave(count * observed * features, 1),
      y: wave(count * observed, 2),
      sigmaY: 0.05,
    },
    posterior: { covariance: 'tweedie', solver: 'exact', solverIterations: 1, safeguard: 'psd' },
    seed: 11,
    stream: 2,
    histogram: { bins: 8, range: 3 },
  }
}

const trainRequest: TrainRequest = {
  network,
  weights: initializeWeights(network, 4),
  samples: wave(57 * network.features, 0),
  steps: 23,
  batch: 37,
  learningRate: { start: 3e-3, end: 1e-5 },
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  clipNorm: 1,
  sigmaMin: schedule.sigmaMin,
  sigmaMax: schedule.sigmaMax,
  time: { alpha: 3, beta: 3 },
  averaging: 0.9,
  seed: 5,
  stream: 1,
}

let backend: WebGpuBackend
beforeAll(async () => {
  backend = await createWebGpuBackend(gpu)
})
afterAll(() => backend.destroy())

describe('the WebGPU backend', () => {
  it('draws the same samples to the bit from the same seed, and others from another', async () => {
    const request = sampleRequest(41)
    const first = await backend.sample(request)
    expect(first.every(Number.isFinite)).toBe(true)
    expect(await backend.sample(request)).toEqual(first)
    expect(await backend.sample({ ...request, seed: 12 })).not.toEqual(first)
    // a sample does not depend on how many others there are
    const { observations } = request
    const { A, y, features, observed } = observations!
    const fewer = {
      ...request,
      count: 7,
      observations: {
        ...observations!,
        count: 7,
        A: A.slice(0, 7 * observed * features),
        y: y.slice(0, 7 * observed),
      },
    }
    expect(await backend.sample(fewer)).toEqual(first.slice(0, 7 * features))
  })

  it('reports progress in order, and previews whose last one is near the result', async () => {
    const stages: JobProgress[] = []
    const previews: Histograms[] = []
    const result = await backend.sample(sampleRequest(70), {
      onProgress: (progress) => stages.push(progress),
      onPreview: (preview) => previews.push(preview),
      previewMilliseconds: 0,
    })
    expect(stages[0]!.stage).toBe('compile')
    const compute = stages.filter(({ stage }) => stage === 'compute')
    expect(compute.at(-1)).toMatchObject({ done: 70 * plan.length, total: 70 * plan.length })
    expect(compute.at(-1)!.flops).toBeGreaterThan(0)
    expect(compute.map(({ done }) => done)).toEqual(compute.map(({ done }) => done).sort((a, b) => a - b))
    expect(previews.length).toBeGreaterThan(0)
    expect(previews.at(-1)!.count).toBe(70)
    expect(await backend.histograms(result, 3, 8, 3)).toEqual(histogramTwin(result, 3, 8, 3))
  })

  it('trains to the same weights to the bit, and lowers the loss', async () => {
    const losses: number[] = []
    const first = await backend.train(trainRequest, {
      onProgress: ({ loss }) => loss !== undefined && losses.push(loss),
    })
    const second = await backend.train(trainRequest)
    expect(second).toEqual(first)
    expect(first.losses.length).toBe(23)
    expect(losses.length).toBeGreaterThan(0)
    expect(losses.every(Number.isFinite)).toBe(true)
    const longer = await backend.train({ ...trainRequest, steps: 150 })
    const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length
    expect(mean(longer.losses.slice(-30))).toBeLessThan(mean(longer.losses.slice(0, 30)))
  })

  it('spends at most 8 dispatches on a training step and reads one number a slice', async () => {
    const before = { ...backend.counters }
    let slices = 0
    await backend.train(trainRequest, { onProgress: ({ stage }) => stage === 'compute' && slices++ })
    expect(backend.counters.dispatches - before.dispatches).toBeLessThanOrEqual(8 * trainRequest.steps)
    const results = 4 * trainRequest.steps + 4 * 2048
    expect(backend.counters.bytesReadBack - before.bytesReadBack).toBeLessThan(4 * slices + results)
  })

  it('names the step whose loss is not a number', async () => {
    const weights = trainRequest.weights.slice()
    weights[0] = NaN
    const error = await backend.train({ ...trainRequest, weights }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(NonFiniteLossError)
    expect((error as NonFiniteLossError).step).toBe(0)
  })

  it('pauses between slices, and stops with the reason of the signal', async () => {
    const abort = new AbortController()
    const control = { signal: abort.signal, ready: () => new Promise<void>(() => {}) }
    const run = backend.train(trainRequest, control)
    setTimeout(() => abort.abort(new Error('not now')), 20)
    await expect(run).rejects.toThrow('not now')
    await expect(backend.sample(sampleRequest(3), { signal: abort.signal })).rejects.toThrow('not now')
  })

  it('loses the call in progress with the device, and nothing else', async () => {
    const doomed = await createWebGpuBackend(gpu)
    const control = { onProgress: ({ stage }: JobProgress) => stage === 'compute' && doomed.destroy() }
    await expect(doomed.train({ ...trainRequest, steps: 5000 }, control)).rejects.toBeInstanceOf(
      DeviceLostError,
    )
    expect(await doomed.lost).toContain('closed')
    expect((await backend.sample(sampleRequest(2))).length).toBe(6)
  })
})

it('leaves TDS with a network to the CPU', async () => {
  const request = sampleRequest(4)
  const run = backend.sample({ ...request, posterior: { ...request.posterior!, method: 'tds' } })
  await expect(run).rejects.toThrow('TDS on the GPU takes the mixture prior only.')
})

describe('on a device with small bindings', () => {
  /** A backend whose device says it binds only `bytes`. */
  async function smallBackend(bytes: number): Promise<WebGpuBackend> {
    const small = {
      async requestAdapter(options?: GPURequestAdapterOptions) {
        const adapter = (await gpu.requestAdapter(options))!
        const requestDevice = adapter.requestDevice.bind(adapter)
        adapter.requestDevice = async (descriptor) => {
          const device = await requestDevice(descriptor)
          const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = device.limits
          const limits = {
            maxComputeWorkgroupStorageSize,
            maxComputeInvocationsPerWorkgroup,
            maxBufferSize: bytes,
            maxStorageBufferBindingSize: bytes,
          }
          Object.defineProperty(device, 'limits', { value: limits })
          return device
        }
        return adapter
      },
    } as unknown as GPU
    const opened = await createWebGpuBackend(small)
    afterAll(() => opened.destroy())
    return opened
  }

  it('samples in groups and gets the same samples to the bit, previews of all included', async () => {
    const request = sampleRequest(41)
    const counts: number[] = []
    const onPreview = ({ count }: Histograms) => counts.push(count)
    const backendOfFew = await smallBackend(18 * 4 * 3 * 2)
    const control = { onPreview, previewMilliseconds: 0 }
    const few = { ...request, histogram: { bins: 4, range: 3 } }
    expect(await backendOfFew.sample(few, control)).toEqual(await backend.sample(request))
    expect(counts.at(-1)).toBe(41)
    const asked = { ...request, frames: [0, 7] }
    expect(await backendOfFew.trajectory(asked)).toEqual(await backend.trajectory(asked))
  })

  it('evaluates moments and likelihoods in groups, and counts samples in parts, with the same numbers', async () => {
    const few = await smallBackend(5 * 4 * 18)
    const request: MomentsRequest = {
      mixture: { features: 3, means: Float64Array.from(wave(7 * 3, 4)), thickness: 0.1 },
      xT: wave(41 * 3, 1),
      sigma: Float32Array.from({ length: 41 }, (_, i) => 0.1 + i / 10),
      observation: { count: 1, features: 3, observed: 2, A: wave(6, 2), y: wave(2, 3), sigmaY: 0.1 },
      covX: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    }
    expect(await few.moments(request)).toEqual(await backend.moments(request))
    expect(await few.logLikelihoods(request)).toEqual(await backend.logLikelihoods(request))
    const samples = wave(200 * 3, 0)
    expect(await few.histograms(samples, 3, 4, 3)).toEqual(histogramTwin(samples, 3, 4, 3))
  })

  it('says how many points a transport problem may have, in the fours that they are stored in', async () => {
    const small = await smallBackend(100)
    const options = { regularization: 0.1, iterations: 2, tolerance: 0 }
    const run = (points: number) => small.transport(wave(points * 3, 0), wave(12, 1), 3, options)
    await expect(run(9)).rejects.toThrow('9 points do not fit into one GPU buffer of 0.1 KiB; 8 would.')
    expect(await run(8)).toBeGreaterThan(0)
  })

  it('says how many frames this program has memory for', async () => {
    const long = samplerPlan('ddim', schedule, { steps: 8192, eta: 0, corrections: 1, delta: 0.1 })
    const { observations: _, posterior: __, ...prior } = sampleRequest(2 ** 20)
    const run = backend.trajectory({ ...prior, plan: long, frames: long.map((___, step) => step) })
    await expect(run).rejects.toThrow(
      /^\d+ frames of 1048576 samples do not fit into this program's memory; \d+ would\.$/,
    )
  })

  it('says how many frames would fit', async () => {
    const run = (await smallBackend(64)).trajectory({ ...sampleRequest(2), frames: [0, 1, 2, 3, 4] })
    await expect(run).rejects.toThrow(
      '6 frames of a sample, the result among them, do not fit into one GPU buffer of 0.1 KiB; 5 would.',
    )
  })

  it('trains on the batch in parts, with the same losses within rounding', async () => {
    const inParts = await (await smallBackend(16384)).train({ ...trainRequest, batch: 130 })
    const whole = await backend.train({ ...trainRequest, batch: 130 })
    for (let k = 0; k < whole.losses.length; k++) {
      expect(Math.abs(inParts.losses[k]! / whole.losses[k]! - 1)).toBeLessThan(1e-4)
    }
  })

  it('says how many training samples would fit', async () => {
    const run = (await smallBackend(16384)).train({ ...trainRequest, samples: wave(6000 * 3, 0) })
    await expect(run).rejects.toThrow(
      '6000 training samples do not fit into one GPU buffer of 16 KiB; 1365 would.',
    )
  })

  it('says how many weights would fit', async () => {
    const wide = { ...network, hidden: 64 }
    const run = (await smallBackend(16384)).train({
      ...trainRequest,
      network: wide,
      weights: initializeWeights(wide, 4),
    })
    await expect(run).rejects.toThrow(
      '5060 weights of the network do not fit into one GPU buffer of 16 KiB; 2048 would.',
    )
  })
})

describe('on a device with little memory', () => {
  /** A backend whose device says of buffers above `bytes` that it has no room for them, as lavapipe never does. */
  async function scarceBackend(bytes: number): Promise<WebGpuBackend> {
    const scarce = {
      async requestAdapter(options?: GPURequestAdapterOptions) {
        const adapter = (await gpu.requestAdapter(options))!
        const requestDevice = adapter.requestDevice.bind(adapter)
        adapter.requestDevice = async (descriptor) => {
          const device = await requestDevice(descriptor)
          const scopes: GPUErrorFilter[] = []
          let isFull = false
          const { createBuffer, pushErrorScope, popErrorScope } = device
          device.createBuffer = (buffer) => {
            isFull ||= buffer.size > bytes
            return createBuffer.call(device, buffer)
          }
          device.pushErrorScope = (filter) => {
            scopes.push(filter)
            return pushErrorScope.call(device, filter)
          }
          device.popErrorScope = async () => {
            const refuses = scopes.pop() === 'out-of-memory' && isFull
            if (refuses) isFull = false
            const report = await popErrorScope.call(device)
            return refuses ? new GPUOutOfMemoryError('full') : report
          }
          return device
        }
        return adapter
      },
    } as unknown as GPU
    const opened = await createWebGpuBackend(scarce)
    afterAll(() => opened.destroy())
    return opened
  }

  it('samples fewer at a time, with the same bits and progress to the end', async () => {
    const request = { ...sampleRequest(2000), frames: [0, 7] }
    const done: number[] = []
    const onProgress = (progress: JobProgress) => void done.push(progress.done)
    const scarce = await scarceBackend(40_000)
    expect(await scarce.trajectory(request, { onProgress })).toEqual(await backend.trajectory(request))
    expect(done.at(-1)).toBe(2000 * plan.length)
  })

  it('says what it has no room for', async () => {
    const run = (await scarceBackend(100)).sample(sampleRequest(41))
    await expect(run).rejects.toThrow(
      /^The GPU has no room for another [\d.]+ KiB; nothing more fits\. Lower the number of samples/,
    )
  })
})

describe('the order of sampling work', () => {
  it.each([1, 64, 100, 130, 1000, 1e9])('does every step of every sample once, %i at a time', (offered) => {
    const [count, steps] = [130, 5]
    const position = Array.from({ length: count }, () => 0)
    const cursor = { step: 0, begin: 0 }
    let units = 0
    while (units < count * steps) {
      const part = advance(cursor, Math.min(offered, count * steps - units), count, steps)
      for (let i = part.begin; i < part.end; i++) {
        expect(position[i]).toBe(part.first)
        position[i] = part.last
      }
      units += part.units
    }
    expect(units).toBe(count * steps)
    expect(position.every((step) => step === steps)).toBe(true)
  })
})
