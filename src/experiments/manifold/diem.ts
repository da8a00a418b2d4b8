/**
 * DiEM on the manifold experiment (paper section 5.1): a Gaussian prior fitted exactly, then rounds of
 *
 *     M step   train the denoiser on the latents {x_i} of the last E step
 *     E step   draw x_i ~ q(x | A_i, y_i) for every observation with the current denoiser
 *
 * Everything that a later step needs (weights, samples, the number of steps done) is on the host between steps. A
 * step either completes or leaves the run as it was, and its random stream is its own number: so a run can be
 * stopped, saved, resumed or moved to another device between any two steps and continues to the same numbers.
 */
import { NonFiniteLossError, type Backend, type JobControl, type JobProgress } from '../../diffusion/backend'
import type { Gaussian } from '../../diffusion/gaussianDenoiser'
import {
  gaussianEmPieces,
  gaussianPosteriorPieces,
  sampleGaussianPosterior,
  standardNormal,
} from '../../diffusion/gaussianFit'
import { Pacer, Stopwatch } from '../../diffusion/jobControl'
import { histograms } from '../../diffusion/histogram'
import { initializeWeights } from '../../diffusion/mlp'
import type { Observations } from '../../diffusion/types'
import { sinkhornDivergence } from '../../math/sinkhorn'
import { covariance, mean } from '../../math/statistics'
import type { Dataset } from './dataset'
import { samplerPlan } from './plan'
import { networkShape, posteriorOptions, type ManifoldSettings } from './settings'

/** What a step is doing; `metric` follows each E step. */
export type StepStage = 'start' | 'train' | 'sample' | 'metric' | 'compile' | 'draw'

/** How the caller follows a step. `stage` is called at each change and with each progress. */
export interface StepControl {
  readonly signal?: AbortSignal
  ready?(): Promise<void>
  onStage?(stage: StepStage, fraction: number, progress?: JobProgress): void
  /** Called while an E step draws, and once more when it has, before the metric. */
  onPreview?: JobControl['onPreview']
  readonly previewMilliseconds?: number
}

/** The numbers of one EM iteration (0 = Gaussian start). */
export interface IterationSummary {
  readonly iteration: number
  /** Mean loss over the last eighth of the training that led here; null for the Gaussian start. */
  readonly loss: number | null
  /** Sinkhorn divergence to the ground truth; null where there is no ground truth (own data file). */
  readonly divergence: number | null
  /** Fraction of samples inside the kept range. */
  readonly kept: number
  /** Mean of ‖y - A x‖²/(m sigma_y²) over kept samples, about 1 where samples agree with their observations. */
  readonly consistency: number
  /** Seconds of the M and E steps since the last record, metric excluded. */
  readonly seconds: number
}

/** The outcome of one E step, with the weights that drew it. */
export interface IterationRecord extends IterationSummary {
  /** Loss of each training step since the last record. */
  readonly losses: Float32Array
  /** Steps done when the record was made; see RunState. */
  readonly steps: number
  /** Canonical weights that drew the samples; null for the Gaussian start. */
  readonly weights: Float32Array | null
  /** One latent per observation, those outside the kept range included, [observations, features]. */
  readonly samples: Float32Array
}

/** A record's numbers alone. */
export function summarize(record: IterationRecord): IterationSummary {
  const { iteration, loss, divergence, kept, consistency, seconds } = record
  return { iteration, loss, divergence, kept, consistency, seconds }
}

/** What a run needs to continue elsewhere. */
export interface RunState {
  readonly records: readonly IterationRecord[]
  /** Weights newer than the last record's, where an M step has been made since. */
  readonly weights: Float32Array | null
  /** Losses since the last record. */
  readonly losses: Float32Array
  /** Seconds since the last record. */
  readonly seconds: number
  /** Steps done, which number the random streams. */
  readonly steps: number
}

/** No sample of an E step can be used for training. */
export class NoSamplesError extends Error {
  override readonly name = 'NoSamplesError'
}

/** The corner plot covers [-3, 3] (method.md). */
export const HISTOGRAM_RANGE = 3

/** Random streams of what is not a step of EM; steps count from 1. */
const STREAM = { unconditional: 0x7000_0001, observation: 0x7000_0002, metric: 0x7000_0003 } as const

export class DiemRun {
  private readonly history: IterationRecord[] = []
  private newWeights: Float32Array | null = null
  private newLosses = new Float32Array(0)
  private newSeconds = 0
  private steps = 0
  private gaussian: Gaussian | undefined
  /** T(u1, u2) of two disjoint draws of the truth, the same in every iteration. */
  private truthTransport: number | undefined

  private current: ManifoldSettings

  constructor(
    settings: ManifoldSettings,
    readonly dataset: Dataset,
    /** Replaced by the owner after a device was lost. */
    public backend: Backend,
    state?: RunState,
  ) {
    this.current = settings
    if (state) {
      this.history.push(...state.records)
      this.newWeights = state.weights
      this.newLosses = Float32Array.from(state.losses)
      this.newSeconds = state.seconds
      this.steps = state.steps
    }
  }

  get settings(): ManifoldSettings {
    return this.current
  }

  /** More or fewer EM iterations: the one setting that a run can change, even while it computes. */
  setIterations(iterations: number): void {
    this.current = { ...this.current, iterations }
  }

  get records(): readonly IterationRecord[] {
    return this.history
  }

  get state(): RunState {
    return {
      records: this.history,
      weights: this.newWeights,
      losses: this.newLosses,
      seconds: this.newSeconds,
      steps: this.steps,
    }
  }

  get finished(): boolean {
    return this.history.length > this.settings.iterations
  }

  /** The step that Run makes next. */
  get next(): 'start' | 'm' | 'e' {
    if (this.history.length === 0) return 'start'
    return this.newWeights ? 'e' : 'm'
  }

  /** Newest weights; null before the first M step. */
  get weights(): Float32Array | null {
    return this.newWeights ?? this.history.at(-1)?.weights ?? null
  }

  /** The Gaussian prior that the run starts from, fitted to the observations when first asked for. */
  private async start(control: StepControl): Promise<Gaussian> {
    if (this.gaussian) return this.gaussian
    const { dataset, settings } = this
    const pacer = new Pacer(jobControl(control, 'start'))
    control.onStage?.('start', 0)
    await pacer.begin()
    let fit = standardNormal(settings.features)
    for (let k = 0; k < settings.gaussianIterations; k++) {
      const pieces = gaussianEmPieces(fit, dataset.observations)
      fit = await pacer.run(pieces, (done) => this.startProgress(k, done))
    }
    this.gaussian = fit
    return fit
  }

  /** The latents of the Gaussian start: exact draws from its posterior. */
  private async drawStart(control: StepControl): Promise<Float32Array> {
    const { dataset, settings } = this
    const start = await this.start(control)
    const pacer = new Pacer(jobControl(control, 'start'))
    await pacer.begin()
    const pieces = gaussianPosteriorPieces(start, dataset.observations, settings.seed, this.steps + 1)
    return pacer.run(pieces, (done) => this.startProgress(settings.gaussianIterations, done))
  }

  /** Of the start's iterations and its draws, after `iterations` and `observations` more. */
  private startProgress(iterations: number, observations: number): JobProgress {
    const { count } = this.dataset.observations
    const total = (this.settings.gaussianIterations + 1) * count
    return { stage: 'compute', done: iterations * count + observations, total, flops: 0 }
  }

  /**
   * N(mean, covariance) as known before the next E step: the moments of the last record's kept samples. The sampler starts
   * from its mean; the Gaussian-fit covariance is its covariance.
   */
  private moments(record: IterationRecord): Gaussian {
    const kept = keptSamples(record.samples, this.settings)
    const { features } = this.settings
    return { mean: mean(kept, features), covariance: covariance(kept, features) }
  }

  /** Makes the next step of EM. */
  async advance(control: StepControl = {}): Promise<void> {
    if (this.next === 'm') await this.mStep(control)
    else await this.eStep(control)
  }

  /**
   * Trains the denoiser on the last samples, from the newest weights.
   * Errors: NonFiniteLossError, DeviceLostError, DeviceLimitError, the signal's reason.
   */
  async mStep(control: StepControl = {}): Promise<void> {
    const { settings } = this
    if (this.history.length === 0) await this.eStep(control)
    const last = this.history.at(-1)!
    const stopwatch = new Stopwatch(control)
    const { weights, losses } = await this.backend.train(
      {
        network: networkShape(settings),
        weights: this.weights ?? initializeWeights(networkShape(settings), settings.seed),
        samples: keptSamples(last.samples, settings),
        steps: settings.trainingSteps,
        batch: settings.batch,
        learningRate: { start: settings.learningRate, end: settings.learningRateEnd },
        adam: { beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon },
        clipNorm: settings.clipNorm,
        sigmaMin: settings.sigmaMin,
        sigmaMax: settings.sigmaMax,
        time: { alpha: settings.timeAlpha, beta: settings.timeBeta },
        averaging: settings.averaging,
        seed: settings.seed,
        stream: this.steps + 1,
      },
      jobControl(stopwatch.control, 'train'),
    )
    // The last update comes after the last loss: it can fail on its own.
    if (!weights.every((weight) => Number.isFinite(weight)))
      throw new NonFiniteLossError(settings.trainingSteps)
    this.steps++
    this.newWeights = weights
    this.newLosses = concatenate(this.newLosses, losses)
    this.newSeconds += stopwatch.milliseconds / 1000
  }

  /**
   * Draws one latent per observation with the newest weights (the Gaussian posterior, exactly, before there are any)
   * and appends the record. Errors: as `mStep`, and NoSamplesError.
   */
  async eStep(control: StepControl = {}): Promise<void> {
    const stopwatch = new Stopwatch(control)
    const { settings, dataset } = this
    const weights = this.weights
    let samples: Float32Array
    const last = this.history.at(-1)
    if (weights && last) {
      const prior = this.moments(last)
      samples = await this.backend.sample(
        {
          ...this.drawBasics(weights, prior),
          count: dataset.observations.count,
          observations: dataset.observations,
          posterior: posteriorOptions(settings, prior.covariance),
          stream: this.steps + 1,
          histogram: { bins: settings.bins, range: HISTOGRAM_RANGE },
        },
        jobControl(stopwatch.control, 'sample'),
      )
    } else {
      samples = await this.drawStart(stopwatch.control)
    }
    const seconds = this.newSeconds + stopwatch.milliseconds / 1000
    const inRange = keptIndices(samples, settings)
    if (inRange.length === 0) {
      throw new NoSamplesError(
        `No sample of this E step lies within (-${settings.keepRange}, ${settings.keepRange}): the prior or the solver has diverged.`,
      )
    }
    // On a slow device the metric takes a while: whoever watches sees the samples before their score.
    control.onPreview?.(histograms(samples, settings.features, settings.bins, HISTOGRAM_RANGE))
    const kept = gather(samples, inRange, settings.features)
    const divergence = await this.divergence(kept, control)
    const losses = this.newLosses
    this.history.push({
      iteration: this.history.length,
      loss: losses.length > 0 ? average(losses.subarray(Math.floor((losses.length * 7) / 8))) : null,
      losses,
      divergence,
      kept: inRange.length / dataset.observations.count,
      consistency: consistency(samples, inRange, dataset.observations),
      seconds,
      steps: this.steps + 1,
      weights,
      samples,
    })
    this.steps++
    this.newWeights = null
    this.newLosses = new Float32Array(0)
    this.newSeconds = 0
  }

  /** Unconditional samples of a record's prior, [count, features]. The Gaussian start has none: undefined. */
  async drawUnconditional(
    record: IterationRecord,
    count: number,
    control: StepControl = {},
  ): Promise<Float32Array | undefined> {
    if (!record.weights) return undefined
    return await this.backend.sample(
      {
        ...this.drawBasics(record.weights, this.moments(record)),
        count,
        stream: STREAM.unconditional + 16 * record.iteration,
      },
      jobControl(control, 'draw'),
    )
  }

  /** Posterior samples for observation `index` under a record's prior, [count, features]. */
  async drawPosterior(
    record: IterationRecord,
    index: number,
    count: number,
    control: StepControl = {},
  ): Promise<Float32Array> {
    const observations = repeatObservation(this.dataset.observations, index, count)
    const stream = STREAM.observation + 16 * record.iteration
    if (!record.weights) {
      return sampleGaussianPosterior(await this.start(control), observations, this.settings.seed, stream)
    }
    const prior = this.moments(record)
    return await this.backend.sample(
      {
        ...this.drawBasics(record.weights, prior),
        count,
        observations,
        posterior: posteriorOptions(this.settings, prior.covariance),
        stream,
      },
      jobControl(control, 'draw'),
    )
  }

  private drawBasics(weights: Float32Array, prior: Gaussian) {
    const { settings } = this
    return {
      prior: { kind: 'mlp' as const, network: networkShape(settings), weights },
      plan: samplerPlan(settings),
      mean: prior.mean,
      startSigma: settings.sigmaMax,
      seed: settings.seed,
    }
  }

  /** S(u, v) = max(T(u1, v) - T(u1, u2), 1e-6); null where the truth is not known. */
  private async divergence(kept: Float32Array, control: StepControl): Promise<number | null> {
    const { settings, dataset } = this
    if (!dataset.drawTruth) return null
    const points = settings.metricPoints
    const length = points * settings.features
    const truth = dataset.drawTruth(2 * points, STREAM.metric)
    const options = {
      regularization: settings.metricRegularization,
      iterations: settings.metricIterations,
      tolerance: settings.metricTolerance,
    }
    const transport = (v: Float32Array) =>
      this.backend.transport(
        truth.subarray(0, length),
        v,
        settings.features,
        options,
        jobControl(control, 'metric'),
      )
    this.truthTransport ??= await transport(truth.subarray(length))
    return sinkhornDivergence(await transport(kept.subarray(0, length)), this.truthTransport)
  }
}

/** Samples whose coordinates all lie within (-keepRange, keepRange), [kept, features]. */
export function keptSamples(samples: Float32Array, settings: ManifoldSettings): Float32Array {
  return gather(samples, keptIndices(samples, settings), settings.features)
}

function keptIndices(samples: Float32Array, { features, keepRange }: ManifoldSettings): Uint32Array {
  const indices = new Uint32Array(samples.length / features)
  let kept = 0
  for (let i = 0; i < indices.length; i++) {
    let inside = true
    // Written so that NaN counts as outside.
    for (let j = 0; j < features; j++) inside &&= Math.abs(samples[i * features + j]!) < keepRange
    if (inside) indices[kept++] = i
  }
  return indices.subarray(0, kept)
}

function gather(rows: Float32Array, indices: Uint32Array, width: number): Float32Array {
  const result = new Float32Array(indices.length * width)
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * width
    for (let j = 0; j < width; j++) result[i * width + j] = rows[from + j]!
  }
  return result
}

/** Mean over the indexed samples of ‖y - A x‖²/(m sigma_y²). */
function consistency(samples: Float32Array, indices: Uint32Array, observations: Observations): number {
  const { features, observed, A, y, sigmaY } = observations
  let sum = 0
  for (const i of indices) {
    for (let r = 0; r < observed; r++) {
      const row = i * observed + r
      let residual = y[row]!
      for (let j = 0; j < features; j++) residual -= A[row * features + j]! * samples[i * features + j]!
      sum += residual * residual
    }
  }
  return sum / (indices.length * observed * sigmaY * sigmaY)
}

function repeatObservation(observations: Observations, index: number, count: number): Observations {
  const { features, observed, A, y } = observations
  const repeatedA = new Float32Array(count * observed * features)
  const repeatedY = new Float32Array(count * observed)
  for (let i = 0; i < count; i++) {
    repeatedA.set(
      A.subarray(index * observed * features, (index + 1) * observed * features),
      i * observed * features,
    )
    repeatedY.set(y.subarray(index * observed, (index + 1) * observed), i * observed)
  }
  return { ...observations, count, A: repeatedA, y: repeatedY }
}

function jobControl(control: StepControl, stage: StepStage): JobControl {
  return {
    signal: control.signal,
    ready: control.ready?.bind(control),
    onPreview: stage === 'sample' ? control.onPreview : undefined,
    previewMilliseconds: control.previewMilliseconds,
    onProgress: (progress) =>
      control.onStage?.(
        progress.stage === 'compile' ? 'compile' : stage,
        progress.done / progress.total,
        progress,
      ),
  }
}

function concatenate(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const result = new Float32Array(a.length + b.length)
  result.set(a)
  result.set(b, a.length)
  return result
}

function average(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
