/**
 * Cost of an EM iteration against the number of observations, steps, batch and width: `node scripts/run.mjs bench/scaling.ts`.
 *
 *     observations   whole EM iterations of DiemRun, what the device does apart from what the host does beside it
 *     steps          an E step against plan steps, an M step against training steps and against the batch
 *     width          both, against the operations counted (forward passes grow with the square of the width)
 *
 * Each series is fitted by c0 + c1 x (linearFit.ts); the largest relative deviation says how linear it is. Repetitions are
 * run after a first one that compiles; the least counts. `--clock cpu` takes the process's CPU time: right for a software
 * adapter on a busy machine, where kernels run on this process's threads, and meaningless for a GPU. Memory is the device's
 * live buffers at their peak (counting.ts) and the process's resident set so far.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Counting, type Owner } from './counting'
import { type LinearFit, fitLine } from './linearFit'
import { cpuMilliseconds } from './timing'
import { createNodeGpu } from '../src/cli/nodeGpu'
import type { Backend } from '../src/diffusion/backend'
import { createDataset } from '../src/experiments/manifold/dataset'
import { DiemRun } from '../src/experiments/manifold/diem'
import { eStepFlops, mStepFlops } from '../src/experiments/manifold/flops'
import { type ManifoldSettings, type PresetName, presets } from '../src/experiments/manifold/settings'
import { createWebGpuBackend } from '../src/gpu/backend'

export type Clock = 'wall' | 'cpu'

export interface ScalingOptions {
  /** Sizes for a GPU: more steps, wider network. */
  readonly full: boolean
  readonly clock: Clock
  log?(line: string): void
}

/** Milliseconds of what an EM iteration consists of. */
interface Iteration {
  readonly sample: number
  readonly train: number
  /** On the host: moments, kept samples, histograms, numbers of the record. */
  readonly host: number
}

export interface ObservationsRow extends Iteration {
  readonly observations: number
  /** Once a run: data, and the Gaussian start with one iteration of exact EM. */
  readonly dataset: number
  readonly start: number
  /** Bytes of the device's buffers at their peak, and of the process's resident set so far. */
  readonly gpuBytes: number
  readonly residentBytes: number
}

export interface Row {
  readonly x: number
  readonly milliseconds: number
}

export interface Series {
  readonly name: string
  /** What x counts. */
  readonly unit: string
  readonly rows: readonly Row[]
  readonly fit: LinearFit
}

export interface ScalingReport {
  readonly adapter: string
  readonly clock: Clock
  readonly settings: ManifoldSettings
  /** Evaluations of the denoiser in an E step of the first series, training steps in its M step. */
  readonly evaluations: number
  readonly observations: readonly ObservationsRow[]
  readonly series: readonly Series[]
  /** Not measured: seconds of one EM iteration, by the rates of the widest network. */
  readonly extrapolated: readonly { readonly preset: PresetName; readonly e: number; readonly m: number }[]
}

interface Sizes {
  readonly observations: readonly number[]
  readonly base: ManifoldSettings
  readonly planSteps: readonly number[]
  readonly trainingSteps: readonly number[]
  readonly batches: readonly number[]
  readonly widths: readonly number[]
  /** Observations of all series but the first. */
  readonly count: number
  /** Repetitions go on for this long, three at least where one is shorter than that. */
  readonly milliseconds: number
}

/** One evaluation a step, the paper's posterior, one iteration of the Gaussian start, and no metric worth mentioning. */
const common: ManifoldSettings = {
  ...presets.paper,
  sampler: 'ddpm',
  gaussianIterations: 1,
  metricPoints: 64,
  metricIterations: 1,
  keepRange: 10,
}

function sizesOf(full: boolean): Sizes {
  return full
    ? {
        observations: [1024, 4096, 16384, 65536, 262144, 1048576],
        base: { ...common, hidden: 256, samplerSteps: 64, trainingSteps: 256, batch: 1024 },
        planSteps: [64, 128, 256, 512, 1024],
        trainingSteps: [64, 256, 1024, 4096],
        batches: [1024, 4096, 16384, 65536],
        widths: [64, 128, 256],
        count: 65536,
        milliseconds: 3000,
      }
    : {
        observations: [1024, 4096, 16384, 65536, 262144, 1048576],
        base: { ...common, hidden: 64, samplerSteps: 2, trainingSteps: 4, batch: 1024 },
        planSteps: [2, 4, 8, 16],
        trainingSteps: [2, 4, 8, 16],
        batches: [256, 1024, 4096, 16384],
        widths: [64, 128, 256],
        count: 4096,
        milliseconds: 1000,
      }
}

/** A backend whose calls are timed: `spent` since it was last emptied. */
function timed(backend: Backend, now: () => number) {
  const spent = { sample: 0, train: 0, transport: 0 }
  const time = async <T>(name: keyof typeof spent, work: Promise<T>, begin: number): Promise<T> => {
    const result = await work
    spent[name] += now() - begin
    return result
  }
  const timing: Backend = {
    ...backend,
    sample: (request, control) => time('sample', backend.sample(request, control), now()),
    train: (request, control) => time('train', backend.train(request, control), now()),
    transport: (u, v, features, options, control) =>
      time('transport', backend.transport(u, v, features, options, control), now()),
  }
  return { timing, spent }
}

class Bench {
  readonly #now: () => number
  readonly #data = new Map<number, ReturnType<typeof createDataset>>()

  constructor(
    readonly backend: Backend,
    readonly owner: Owner,
    readonly options: ScalingOptions,
    readonly sizes: Sizes,
  ) {
    this.#now = options.clock === 'wall' ? () => performance.now() : cpuMilliseconds!
  }

  /** The least of EM iterations' times, after one that compiles; the Gaussian start is made once. */
  async iterate(settings: ManifoldSettings): Promise<Iteration & Pick<ObservationsRow, 'dataset' | 'start'>> {
    const { observations } = settings
    const { timing, spent } = timed(this.backend, this.#now)
    const began = this.#now()
    const dataset = this.#data.get(observations) ?? createDataset(settings, { kind: 'random' })
    const made = this.#now() - began
    this.#data.clear()
    this.#data.set(observations, dataset)
    const run = new DiemRun(settings, dataset, timing)
    const beforeStart = this.#now()
    await run.eStep()
    const start = this.#now() - beforeStart - spent.transport
    const found: Iteration[] = []
    const enough = performance.now() + this.sizes.milliseconds
    // a run from the start's samples each time, so that its records do not pile up
    const { state } = run
    for (let k = 0; k < 2 || (k < 100 && performance.now() < enough); k++) {
      const again = new DiemRun(settings, dataset, timing, { ...state, records: [...state.records] })
      Object.assign(spent, { sample: 0, train: 0, transport: 0 })
      const begin = this.#now()
      await again.mStep()
      await again.eStep()
      const { sample, train, transport } = spent
      const host = Math.max(this.#now() - begin - sample - train - transport, 0)
      found.push({ sample, train, host })
      // long ones are compiled already by the sizes before them
      if (performance.now() > enough) break
    }
    const least = (key: keyof Iteration): number => Math.min(...found.map((each) => each[key]))
    return { sample: least('sample'), train: least('train'), host: least('host'), dataset: made, start }
  }

  async observations(): Promise<ObservationsRow[]> {
    const { sizes, owner, options } = this
    const rows: ObservationsRow[] = []
    // compiles all kernels
    await this.iterate({ ...sizes.base, observations: 64 })
    for (const observations of sizes.observations) {
      options.log?.(`${observations} observations`)
      owner.peakBytes = owner.liveBytes
      const times = await this.iterate({ ...sizes.base, observations })
      rows.push({
        observations,
        ...times,
        gpuBytes: owner.peakBytes,
        residentBytes: process.resourceUsage().maxRSS * 1024,
      })
    }
    return rows
  }

  async series(
    name: string,
    unit: string,
    part: 'sample' | 'train',
    values: readonly number[],
    settingsAt: (value: number) => Partial<ManifoldSettings>,
    x: (settings: ManifoldSettings) => number,
  ): Promise<Series> {
    const { sizes, options } = this
    const rows: Row[] = []
    for (const value of values) {
      options.log?.(`${name}: ${value}`)
      const settings = { ...sizes.base, observations: sizes.count, ...settingsAt(value) }
      const { [part]: milliseconds } = await this.iterate(settings)
      rows.push({ x: x(settings), milliseconds })
    }
    return fitted(name, unit, rows)
  }
}

function fitted(name: string, unit: string, rows: readonly Row[]): Series {
  return { name, unit, rows, fit: fitLine(rows.map(({ x, milliseconds }) => ({ x, t: milliseconds }))) }
}

/** Plan steps are evaluations of the denoiser: DDPM makes one a step. */
const samplingWork = (settings: ManifoldSettings): number => settings.observations * settings.samplerSteps
const trainingWork = (settings: ManifoldSettings): number => settings.trainingSteps * settings.batch

/** Measures on this machine's adapter in Node. Errors: WebGpuUnavailableError, and those of the backend. */
export async function measureScaling(options: ScalingOptions): Promise<ScalingReport> {
  const gpu = await createNodeGpu()
  const counting = await Counting.install(gpu)
  const { value: backend, owner } = await counting.own(() => createWebGpuBackend(gpu))
  try {
    const sizes = sizesOf(options.full)
    const bench = new Bench(backend, owner, options, sizes)
    const observations = await bench.observations()
    const of = (name: string, value: (row: ObservationsRow) => number): Series =>
      fitted(
        name,
        'observation',
        observations.map((row) => ({ x: row.observations, milliseconds: value(row) })),
      )
    const least = { trainingSteps: 1, batch: 64 }
    const short = { samplerSteps: 2, observations: 64 }
    const eWidth = await bench.series(
      'E step, width',
      'FLOP',
      'sample',
      sizes.widths,
      (hidden) => ({ hidden, ...least }),
      eStepFlops,
    )
    const mWidth = await bench.series(
      'M step, width',
      'FLOP',
      'train',
      sizes.widths,
      (hidden) => ({ hidden, ...short }),
      mStepFlops,
    )
    const series: Series[] = [
      of('E step', ({ sample }) => sample),
      of('M step', ({ train }) => train),
      of('host', ({ host }) => host),
      of('data', ({ dataset }) => dataset),
      of('Gaussian start', ({ start }) => start),
      await bench.series(
        'E step, steps',
        'sample-step',
        'sample',
        sizes.planSteps,
        (samplerSteps) => ({ samplerSteps, ...least }),
        samplingWork,
      ),
      await bench.series(
        'M step, steps',
        'element',
        'train',
        sizes.trainingSteps,
        (trainingSteps) => ({ trainingSteps, ...short }),
        trainingWork,
      ),
      await bench.series(
        'M step, batch',
        'element',
        'train',
        sizes.batches,
        (batch) => ({ batch, ...short }),
        trainingWork,
      ),
      eWidth,
      mWidth,
    ]
    const perFlop = (one: Series): number => one.rows.at(-1)!.milliseconds / one.rows.at(-1)!.x / 1000
    const extrapolated = (['quick', 'standard', 'paper'] as const).map((preset) => ({
      preset,
      e: eStepFlops(presets[preset]) * perFlop(eWidth),
      m: mStepFlops(presets[preset]) * perFlop(mWidth),
    }))
    return {
      adapter: backend.adapter.name,
      clock: options.clock,
      settings: sizes.base,
      evaluations: sizes.base.samplerSteps,
      observations,
      series,
      extrapolated,
    }
  } finally {
    backend.destroy()
    counting.uninstall()
  }
}

/** The report as Markdown tables. */
export function printScaling(report: ScalingReport): string {
  const { adapter, clock, settings, observations, series, extrapolated } = report
  const { features, observed, hidden, embedding, samplerSteps, trainingSteps, batch } = settings
  const ms = (value: number): string => value.toPrecision(3)
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)
  const each = (value: number): string => {
    const [unit, scale] =
      Math.abs(value) < 1e-6 ? ['ps', 1e9] : Math.abs(value) < 1e-3 ? ['ns', 1e6] : ['µs', 1e3]
    return `${(value * scale).toPrecision(3)} ${unit}`
  }
  return [
    `${adapter}; milliseconds of ${clock === 'wall' ? 'wall clock' : 'CPU time'}, the least of the repetitions.`,
    '',
    `One EM iteration, n = ${features}, m = ${observed}, network ${features + embedding}-${hidden}-${hidden}-${hidden}-${features}: E step of ${samplerSteps} evaluations, M step of ${trainingSteps} training steps with batch ${batch}. Data and start (one iteration of exact EM) are made once a run.`,
    '',
    '| observations | E step | per sample-step | M step | host | data | start | GPU peak MiB | resident MiB |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...observations.map(
      (row) =>
        `| ${row.observations} | ${ms(row.sample)} | ${each(row.sample / row.observations / samplerSteps)} | ${ms(row.train)} | ${ms(row.host)} | ${ms(row.dataset)} | ${ms(row.start)} | ${mib(row.gpuBytes)} | ${mib(row.residentBytes)} |`,
    ),
    '',
    'Fits c0 + c1 x:',
    '',
    '| series | x | from | to | c0 ms | c1 | largest deviation |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...series.map(
      ({ name, unit, rows, fit }) =>
        `| ${name} | ${unit} | ${rows[0]!.x} | ${rows.at(-1)!.x} | ${ms(fit.constant)} | ${each(fit.slope)} | ${(100 * fit.deviation).toFixed(0)} % |`,
    ),
    '',
    'Extrapolated, not measured: one EM iteration at the rate of the widest network, seconds:',
    '',
    '| preset | E step | M step |',
    '| --- | ---: | ---: |',
    ...extrapolated.map(({ preset, e, m }) => `| ${preset} | ${ms(e)} | ${ms(m)} |`),
    '',
  ].join('\n')
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      clock: { type: 'string', default: 'wall' },
      out: { type: 'string' },
    },
  })
  const { full, json, clock, out } = values
  if (clock !== 'wall' && clock !== 'cpu') {
    process.stderr.write('--clock is wall or cpu.\n')
    return 2
  }
  const report = await measureScaling({
    full,
    clock,
    log: (line) => void process.stderr.write(`scaling: ${line}\n`),
  })
  const text = json ? `${JSON.stringify(report, null, 2)}\n` : printScaling(report)
  if (out === undefined) process.stdout.write(text)
  else writeFileSync(out, text)
  return 0
}
