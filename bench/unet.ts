/**
 * Case (d) of the benchmark: a U-Net's forward pass, a VJP and an MMPS(1) step of ours against ONNX Runtime's forward pass of the
 * original file, on the same device in the same run.
 *
 * Rounds go through all works in turn, so that a busy machine slows all of them; a ratio is of times taken in the same round.
 * Before that, d must equal the plain model with the preconditioning done on the host, and ⟨u, Jᵀ v⟩ = ⟨J u, v⟩.
 *
 *     node scripts/run.mjs bench/unet.ts [--models fashion-32,photo-64] [--side 64] [--batches 1,8]
 *         [--providers webgpu,wasm,native] [--rounds 9] [--json]
 */
import { parseArgs } from 'node:util'
import { openImageDevice, providerNames, type ImageDevice } from '../src/cli/imageDevice'
import { readModelFolder, shapeOfModel } from '../src/cli/imageModelFiles'
import { createNodeGpu } from '../src/cli/nodeGpu'
import type { ProviderName } from '../src/onnx/session/runtime'
import { Counting, type Counts, type Owner } from './counting'
import { table, unetLabels } from './report'
import { median, pairRatios, type Spread } from './statistics'
import { bindUnet, works, type UnetAgreement, type UnetWorks, type Work } from './unetWork'

/** d and the plain model may differ by this, relative to the norm; ⟨u, Jᵀ v⟩ and ⟨J u, v⟩ too. */
const TOLERANCE = 1e-4

export interface UnetOptions {
  /** Names of bundled models. */
  readonly models: readonly string[]
  /** Of models that take several. */
  readonly side?: number
  readonly batches: readonly number[]
  readonly providers: readonly ProviderName[]
  /** Timed rounds, after one that loads and compiles. */
  readonly rounds: number
}

export interface UnetMeasurement {
  readonly work: Work
  /** Medians of a call: until the device has finished, and until the host has handed the work over. */
  readonly milliseconds: number
  readonly hostMilliseconds: number
  /** Shortest call. */
  readonly least: number
  /** milliseconds over those of `plain` in the same round. */
  readonly ratio: Spread
  /** Of convolutions and matrix products. */
  readonly flops: number
  /** Nodes of the models that a call runs, again where it runs them again. */
  readonly nodes: number
  /** On WebGPU, ONNX Runtime's included: what one call asks of the device. */
  readonly counts: (Counts & { readonly bytesAllocated: number }) | null
}

export interface UnetCase {
  readonly model: string
  readonly provider: ProviderName
  readonly device: string
  readonly batch: number
  readonly shape: readonly number[]
  readonly agreement: UnetAgreement
  readonly agrees: boolean
  /** Some nodes of the original model, or of ours, compute on the CPU though the provider is WebGPU. */
  readonly usesCpu: { readonly plain: boolean; readonly ours: boolean }
  /** GPU memory at its fullest, of all that was loaded. */
  readonly peakBytes: number | null
  readonly residualBytes: number
  readonly measurements: readonly UnetMeasurement[]
}

export interface UnetReport {
  readonly tolerance: number
  readonly cases: readonly UnetCase[]
}

/** Errors: those of the device, the model and ONNX Runtime. */
export async function measureUnet(options: UnetOptions): Promise<UnetReport> {
  const cases: UnetCase[] = []
  for (const provider of options.providers) {
    const counting = provider === 'webgpu' ? await Counting.install(await createNodeGpu()) : undefined
    try {
      for (const name of options.models) {
        for (const batch of options.batches) {
          const open = () => openImageDevice(provider)
          const opened = counting ? await counting.own(open) : { value: await open() }
          try {
            const watched = counting && 'owner' in opened ? { counting, owner: opened.owner } : undefined
            cases.push(await measureCase(opened.value, name, batch, options, watched))
          } finally {
            opened.value.destroy()
          }
        }
      }
    } finally {
      counting?.uninstall()
    }
  }
  return { tolerance: TOLERANCE, cases }
}

interface Watched {
  readonly counting: Counting
  readonly owner: Owner
}

async function measureCase(
  device: ImageDevice,
  name: string,
  batch: number,
  { side, rounds }: UnetOptions,
  watched: Watched | undefined,
): Promise<UnetCase> {
  const model = await readModelFolder(name)
  const shape = shapeOfModel(model.contract, side)
  const bound = await bindUnet(device, name, model, shape, batch)
  try {
    const agreement = await bound.check()
    const times = await timed(device, bound, rounds)
    const { denoiser, plain } = bound
    const counts = watched && (await counted(device, bound, watched))
    const own = times.plain.map(({ whole }) => whole)
    return {
      model: name,
      provider: device.runtime.provider,
      device: device.name,
      batch,
      shape: [shape.channels, shape.height, shape.width],
      agreement,
      agrees: agreement.denoised <= TOLERANCE && agreement.adjoint <= TOLERANCE,
      usesCpu: { plain: plain.usesCpu, ours: denoiser.facts.sessions.some(({ usesCpu }) => usesCpu) },
      peakBytes: watched?.owner.peakBytes ?? null,
      residualBytes: denoiser.facts.residualBytes,
      measurements: works.map((work) => {
        const whole = times[work].map((each) => each.whole)
        return {
          work,
          milliseconds: median(whole),
          hostMilliseconds: median(times[work].map(({ host }) => host)),
          least: Math.min(...whole),
          ratio: pairRatios(own, whole),
          ...costOf(bound, work),
          counts: counts?.[work] ?? null,
        }
      }),
    }
  } finally {
    await bound.release()
  }
}

async function timed(
  device: ImageDevice,
  { run }: UnetWorks,
  rounds: number,
): Promise<Record<Work, { readonly host: number; readonly whole: number }[]>> {
  const times = Object.fromEntries(works.map((work) => [work, []])) as unknown as Awaited<
    ReturnType<typeof timed>
  >
  for (let round = 0; round <= rounds; round++) {
    for (const work of works) {
      const started = performance.now()
      await run[work]()
      const host = performance.now() - started
      await device.primitives.space.finished()
      if (round > 0) times[work].push({ host, whole: performance.now() - started })
    }
  }
  return times
}

async function counted(device: ImageDevice, { run }: UnetWorks, { counting, owner }: Watched) {
  const counts = {} as Record<Work, NonNullable<UnetMeasurement['counts']>>
  for (const work of works) {
    const before = owner.allocatedBytes
    const asked = await counting.count(async () => {
      await run[work]()
      await device.primitives.space.finished()
    })
    counts[work] = { ...asked, bytesAllocated: owner.allocatedBytes - before }
  }
  if (owner.errors.length > 0) throw new Error(owner.errors.join('\n'))
  return counts
}

/** Nodes and floating-point operations of one call. */
function costOf({ denoiser, plain }: UnetWorks, work: Work): { nodes: number; flops: number } {
  const { sessions, flops } = denoiser.facts
  const part = (what: string) => sessions.find((session) => session.what === what)
  const forward = part('the model with its residuals') ?? { nodes: 0, flops: 0 }
  const vjp = part('the VJP') ?? { nodes: 0, flops: 0 }
  switch (work) {
    case 'plain':
      return { nodes: plain.nodes, flops }
    case 'forward':
      return { nodes: part('the model')?.nodes ?? forward.nodes, flops }
    case 'linearize':
      return { nodes: forward.nodes, flops: forward.flops }
    case 'vjp':
      return { nodes: vjp.nodes, flops: vjp.flops }
    case 'mmps':
      return { nodes: forward.nodes + 2 * vjp.nodes, flops: forward.flops + 2 * vjp.flops }
  }
}

export function printUnet({ cases, tolerance }: UnetReport): void {
  for (const each of cases) {
    const { agreement, usesCpu, peakBytes } = each
    console.log(`${each.model}, ${each.batch} × ${each.shape.join(' × ')}, ${each.device}`)
    console.log(
      `  ${each.agrees ? 'agrees' : 'DIFFERS'}: d ${agreement.denoised.toExponential(1)}, adjoint ${agreement.adjoint.toExponential(1)} (at most ${tolerance})`,
    )
    const onCpu = [usesCpu.plain ? 'the original model' : [], usesCpu.ours ? 'ours' : []].flat()
    if (onCpu.length > 0) console.log(`  partly on the CPU: ${onCpu.join(', ')}`)
    const memory = [
      `residuals ${mebibytes(each.residualBytes)} MiB`,
      ...(peakBytes === null ? [] : [`most GPU memory, all models ${mebibytes(peakBytes)} MiB`]),
    ]
    console.log(`  ${memory.join('; ')}`)
    const header = ['', 'ms', 'least', 'host', 'ratio (quartiles)', 'GFLOP/s', 'nodes']
    if (each.provider === 'webgpu') header.push('dispatches', 'submits', 'allocated', 'read back')
    console.log(table(header, each.measurements.map(cells)))
  }
}

function cells(measured: UnetMeasurement): string[] {
  const { ratio, counts } = measured
  return [
    unetLabels[measured.work],
    measured.milliseconds.toFixed(2),
    measured.least.toFixed(2),
    measured.hostMilliseconds.toFixed(2),
    `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    (measured.flops / measured.milliseconds / 1e6).toFixed(1),
    String(measured.nodes),
    ...(counts
      ? [counts.dispatches, counts.submits, counts.bytesAllocated, counts.bytesReadBack].map(String)
      : []),
  ]
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

/** Exit code 1 where numbers disagree. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      models: { type: 'string', default: 'fashion-32,photo-64' },
      side: { type: 'string' },
      batches: { type: 'string', default: '1,8' },
      providers: { type: 'string', default: providerNames.join(',') },
      rounds: { type: 'string', default: '9' },
      json: { type: 'boolean', default: false },
    },
  })
  const report = await measureUnet({
    models: values.models.split(','),
    ...(values.side !== undefined && { side: Number(values.side) }),
    batches: values.batches.split(',').map(Number),
    providers: providerNames.filter((name) => values.providers.split(',').includes(name)),
    rounds: Number(values.rounds),
  })
  if (values.json) console.log(JSON.stringify(report, null, 2))
  else printUnet(report)
  return report.cases.every(({ agrees }) => agrees) ? 0 : 1
}
