/**
 * What an MMPS step on an ONNX model costs: passes through the network, dispatches, submits and bytes read back, of ours and
 * of ONNX Runtime; and how long a VJP takes beside a forward pass.
 */
import { Counting, type Counts } from '../bench/counting'
import { median } from '../bench/statistics'
import { openImageDevice, type ImageDevice } from '../src/cli/imageDevice'
import { readModelFolder, shapeOfModel } from '../src/cli/imageModelFiles'
import { createNodeGpu } from '../src/cli/nodeGpu'
import { runCell, type CellScores } from '../src/experiments/images/benchmark'
import { parseMethod } from '../src/experiments/images/benchmarkMethods'
import type { ImageLinearization } from '../src/diffusion/image/types'
import type { ImageModel } from '../src/experiments/images/models'
import type { GpuCounters } from '../src/gpu/buffers'
import { createOnnxDenoiser, type OnnxDenoiser } from '../src/onnx/session/denoiser'
import type { ProviderName } from '../src/onnx/session/runtime'
import type { ImageShape } from '../src/operators/types'

/** A VJP may take this many times as long as a forward pass. */
const LARGEST_RATIO = 2.5
/** Rounds that load models, compile shaders and prove recordings. */
const WARM_UP = 4
/** Noise level at which passes are timed. */
const SIGMA = 1

export interface ImageDispatchOptions {
  readonly model: string
  readonly side: number | undefined
  readonly batch: number
  /** k of MMPS. */
  readonly iterations: number
  readonly steps: number
  readonly repetitions: number
  readonly providers: readonly ProviderName[]
}

/** Resolves with whether every VJP was fast enough. */
export async function printImageDispatches(options: ImageDispatchOptions): Promise<boolean> {
  const model = await readModelFolder(options.model)
  const shape = shapeOfModel(model.contract, options.side)
  let isFast = true
  for (const provider of options.providers) {
    const opened = await openImageDevice(provider)
    const { primitives, runtime } = opened
    const denoiser = createOnnxDenoiser({
      ...model,
      shape,
      batch: options.batch,
      space: primitives.space,
      runtime,
      derivatives: ['vjp'],
    })
    console.log(
      `${model.contract.name}, ${options.batch} × ${shape.channels} × ${shape.height} × ${shape.width}, ${opened.name}`,
    )
    const ratio = await printTimes(denoiser, options.repetitions)
    isFast &&= ratio <= LARGEST_RATIO
    await printStep(denoiser, opened, model, shape, options)
    await denoiser.release()
    opened.destroy()
  }
  return isFast
}

/** Prints medians; resolves with the time of a VJP over that of a forward pass. */
async function printTimes(denoiser: OnnxDenoiser, repetitions: number): Promise<number> {
  const { space, batch, shape } = denoiser
  const size = shape.channels * shape.height * shape.width
  const [x, out] = [space.vector('x', batch, size), space.vector('out', batch, size)]
  space.fillNormal(x, { seed: 0, stream: 0, step: 0, domain: 0 })
  const times = { plain: [] as number[], forward: [] as number[], vjp: [] as number[] }
  const timed = async (work: () => Promise<void>) => {
    const started = performance.now()
    await work()
    await space.finished()
    return performance.now() - started
  }
  // in turns, so that a busy machine slows all of them
  for (let i = -WARM_UP; i < repetitions; i++) {
    const plain = await timed(() => denoiser.denoise(x, SIGMA, out))
    let linear: ImageLinearization | undefined
    const forward = await timed(async () => {
      linear = await denoiser.linearize(x, SIGMA)
    })
    const vjp = await timed(() => linear!.vjp(x, out))
    if (i < 0) continue
    times.plain.push(plain)
    times.forward.push(forward)
    times.vjp.push(vjp)
  }
  space.release(x, out)
  const [plain, forward, vjp] = [median(times.plain), median(times.forward), median(times.vjp)]
  const { residuals, residualBytes, sessions, flops } = denoiser.facts
  const nodes = sessions.map((session) => `${session.what} ${session.nodes}`).join(', ')
  const onCpu = sessions.filter(({ usesCpu }) => usesCpu).map(({ what }) => what)
  console.log(
    `  nodes               ${nodes}${onCpu.length > 0 ? `; partly on the CPU: ${onCpu.join(', ')}` : ''}`,
  )
  console.log(`  residuals           ${residuals}, ${(residualBytes / 2 ** 20).toFixed(2)} MiB`)
  console.log(
    `  forward             ${plain.toFixed(2)} ms alone, ${forward.toFixed(2)} ms with its residuals; ${(flops / 1e9).toFixed(2)} GFLOP, ${(flops / plain / 1e6).toFixed(1)} GFLOP/s`,
  )
  console.log(
    `  a VJP               ${vjp.toFixed(2)} ms, ${(vjp / forward).toFixed(2)} times a forward with its residuals, ${(vjp / plain).toFixed(2)} times one alone (at most ${LARGEST_RATIO})`,
  )
  return vjp / plain
}

/** Counts one sampling run with MMPS, and prints what a step took of each. */
async function printStep(
  denoiser: OnnxDenoiser,
  { primitives, counters: ours }: ImageDevice,
  { contract }: ImageModel,
  shape: ImageShape,
  { batch, iterations, steps }: ImageDispatchOptions,
): Promise<void> {
  const method = parseMethod(`mmps=${iterations}`)
  if (typeof method === 'string') throw new Error(method)
  const images = new Float32Array(batch * shape.channels * shape.height * shape.width)
  const cell = { denoiser, primitives, range: contract, images, task: 'random', method, seed: 0 } as const
  await runCell({ ...cell, steps: 2 })
  const before = { ours: { ...ours }, passes: { ...denoiser.passes } }
  const run: { scores: CellScores | null } = { scores: null }
  const all = await countAll(primitives.space.kind === 'webgpu', async () => {
    run.scores = await runCell({ ...cell, steps })
  })
  const { scores } = run
  if (!scores) throw new Error('A sample left the finite numbers.')
  // the last estimate, x_0 = d(x, sigma_min), costs what every other does
  const estimates = steps + 1
  const perStep = (count: number) => (count / estimates).toFixed(2)
  const own = (key: keyof GpuCounters) => ours[key] - before.ours[key]
  const { forward, vjp } = denoiser.passes
  console.log(`  ${method.label}, ${steps} steps and the last estimate; a step:`)
  console.log(
    `    network passes    ${perStep(forward - before.passes.forward)} forward, ${perStep(vjp - before.passes.vjp)} VJP`,
  )
  if (all) {
    console.log(`    dispatches        ${perStep(own('dispatches'))} ours, ${perStep(all.dispatches)} in all`)
    console.log(`    submits           ${perStep(own('submits'))} ours, ${perStep(all.submits)} in all`)
    console.log(
      `    read back         ${perStep(all.bytesReadBack)} bytes; the whole run ${own('bytesReadBack')} of ours, ${all.bytesReadBack} in all, the result included`,
    )
  }
  console.log(`    time              ${((scores.seconds * 1000) / estimates).toFixed(1)} ms`)
}

/** What anybody in this process asks of WebGPU meanwhile: our kernels and ONNX Runtime. */
async function countAll(isGpu: boolean, work: () => Promise<void>): Promise<Counts | undefined> {
  if (!isGpu) {
    await work()
    return undefined
  }
  const counting = await Counting.install(await createNodeGpu())
  try {
    return await counting.count(work)
  } finally {
    counting.uninstall()
  }
}
