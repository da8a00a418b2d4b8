/**
 * Prints what a training step and a sampling step cost the GPU's queue, and an MMPS step on a bundled image model:
 * `npm run dispatches`. Exit code 1 where a VJP takes longer than it may.
 *
 * Runs the jobs on this machine's adapter and divides the counters by the steps done. Options:
 * --hidden, --embedding, --batch, --count, --steps (numbers); of the image model --model (fashion-32), --side, --image-batch,
 * --iterations (k of MMPS), --image-steps, --repetitions, --providers (native,wasm,webgpu); --only networks or images.
 */
import { parseArgs } from 'node:util'
import { createNodeGpu } from '../src/cli/nodeGpu'
import { initializeWeights } from '../src/diffusion/mlp'
import { samplerPlan } from '../src/diffusion/samplers'
import { logLinearSchedule } from '../src/diffusion/schedule'
import { type WebGpuBackend, createWebGpuBackend } from '../src/gpu/backend'
import type { GpuCounters } from '../src/gpu/buffers'
import type { ProviderName } from '../src/onnx/session/runtime'
import { printImageDispatches } from './imageDispatches'

interface Measured extends GpuCounters {
  readonly steps: number
  readonly milliseconds: number
}

/** Counters and time of one job, after a first run that compiles its kernels. */
async function measure(
  backend: WebGpuBackend,
  steps: number,
  job: () => Promise<unknown>,
): Promise<Measured> {
  await job()
  const before = { ...backend.counters }
  const start = performance.now()
  await job()
  const milliseconds = performance.now() - start
  const spent = (key: keyof GpuCounters): number => backend.counters[key] - before[key]
  return {
    steps,
    milliseconds,
    dispatches: spent('dispatches'),
    submits: spent('submits'),
    bytesAllocated: spent('bytesAllocated'),
    bytesReadBack: spent('bytesReadBack'),
  }
}

function print(title: string, measured: Measured): void {
  const { steps, milliseconds, dispatches, submits, bytesAllocated, bytesReadBack } = measured
  console.log(title)
  console.log(`  steps               ${steps}`)
  console.log(`  dispatches a step   ${(dispatches / steps).toFixed(3)}`)
  console.log(`  submits a step      ${(submits / steps).toFixed(3)}`)
  console.log(`  submits             ${submits}`)
  console.log(`  allocated           ${(bytesAllocated / 2 ** 20).toFixed(2)} MiB`)
  console.log(`  read back           ${bytesReadBack} bytes, results included`)
  console.log(`  a step              ${(milliseconds / steps).toFixed(3)} ms`)
}

const providerNames: readonly ProviderName[] = ['native', 'wasm', 'webgpu']

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hidden: { type: 'string', default: '64' },
      embedding: { type: 'string', default: '32' },
      batch: { type: 'string', default: '1024' },
      count: { type: 'string', default: '1024' },
      steps: { type: 'string', default: '64' },
      only: { type: 'string' },
      model: { type: 'string', default: 'fashion-32' },
      side: { type: 'string' },
      'image-batch': { type: 'string', default: '1' },
      iterations: { type: 'string', default: '3' },
      'image-steps': { type: 'string', default: '5' },
      repetitions: { type: 'string', default: '11' },
      providers: { type: 'string', default: providerNames.join(',') },
    },
  })
  if (values.only !== 'images') await printNetworks(values)
  if (values.only === 'networks') return 0
  const isFast = await printImageDispatches({
    model: values.model,
    side: values.side === undefined ? undefined : Number(values.side),
    batch: Number(values['image-batch']),
    iterations: Number(values.iterations),
    steps: Number(values['image-steps']),
    repetitions: Number(values.repetitions),
    providers: providerNames.filter((name) => values.providers.split(',').includes(name)),
  })
  return isFast ? 0 : 1
}

/** Training and sampling of small networks, by our own kernels. */
async function printNetworks(
  values: Readonly<Record<'hidden' | 'embedding' | 'batch' | 'count' | 'steps', string>>,
): Promise<void> {
  const [hidden, embedding, batch, count, steps] = (
    ['hidden', 'embedding', 'batch', 'count', 'steps'] as const
  ).map((name) => Number(values[name])) as [number, number, number, number, number]
  const features = 5
  const observed = 2
  const network = { features, embedding, hidden, hiddenLayers: 3 }
  const weights = initializeWeights(network, 0)
  const schedule = logLinearSchedule(1e-3, 10)
  const backend = await createWebGpuBackend(await createNodeGpu())
  console.log(
    `${backend.adapter.name}; network ${features + embedding}-${hidden}-${hidden}-${hidden}-${features}`,
  )

  const samples = Float32Array.from({ length: 4096 * features }, (_, i) => Math.sin(i))
  const training = await measure(backend, steps, () =>
    backend.train({
      network,
      weights,
      samples,
      steps,
      batch,
      learningRate: { start: 1e-3, end: 1e-6 },
      adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      clipNorm: 1,
      sigmaMin: schedule.sigmaMin,
      sigmaMax: schedule.sigmaMax,
      time: { alpha: 3, beta: 3 },
      averaging: 0,
      seed: 0,
      stream: 0,
    }),
  )
  print(`training, batch ${batch}`, training)

  const plan = samplerPlan('pc', schedule, { steps: steps / 2, eta: 0, corrections: 1, delta: 0.1 })
  const A = Float32Array.from({ length: count * observed * features }, (_, i) => Math.sin(i * 1.7))
  const y = Float32Array.from({ length: count * observed }, (_, i) => Math.cos(i))
  const sampling = await measure(backend, plan.length, () =>
    backend.sample({
      prior: { kind: 'mlp', network, weights },
      plan,
      count,
      mean: new Float64Array(features),
      startSigma: schedule.sigmaMax,
      observations: { count, features, observed, A, y, sigmaY: 0.01 },
      posterior: { covariance: 'tweedie', solver: 'exact', solverIterations: 3, safeguard: 'none' },
      seed: 0,
      stream: 0,
    }),
  )
  print(`posterior sampling, ${count} samples, ${observed} observed of ${features}`, sampling)
  backend.destroy()
}
