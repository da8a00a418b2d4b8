/**
 * One case at one batch: every implementation prepared, checked, counted, then timed in rounds.
 *
 * In a round each implementation runs once, in an order that rotates, so that whatever else the machine does meets all of
 * them; what is reported of a pair is the median of its rounds' ratios. A run is as many steps as last about half a second.
 * An implementation that cannot hold the batch gets the largest half, quarter … that it can, and its time a sample counts.
 */
import { type Bound, type CaseName, type OpenPeer, type Peer } from './peer'
import { type Comparison, type Reference, passes, trainingReference, twinReference } from './checks'
import { type Inputs, OBSERVED, createInputs, mmpsPosterior } from './cases'
import type { Counting, Counts, Owner } from './counting'
import { type Spread, median, pairRatios } from './statistics'
import { cpuMilliseconds } from './timing'
import { forwardFlops, samplerEvaluationFlops, trainingStepFlops } from '../src/diffusion/flops'
import type { NetworkShape } from '../src/diffusion/types'

/** An implementation that takes part. The first is this project, with which the others are compared. */
export interface Contender {
  /** For messages until it has said its own name. */
  readonly label: string
  readonly open: OpenPeer
}

export interface MeasureOptions {
  readonly gpu: GPU
  readonly network: NetworkShape
  readonly contenders: readonly Contender[]
  readonly counting: Counting
  /** Rounds go on for about this long, but see `rounds`. */
  readonly seconds: number
  /** Least and most rounds. */
  readonly rounds: readonly [number, number]
  log(line: string): void
}

export interface Measured {
  readonly name: string
  readonly adapter: string
  /** What it was measured at: the case's batch, or the largest it could hold. */
  readonly batch: number
  /** Why it is not the case's batch. */
  readonly note?: string
  /** From binding to the first result, compilation included. */
  readonly firstMilliseconds: number
  /** Steps in one run. */
  readonly repetitions: number
  /** Milliseconds a step of `batch`, one a round, and their median. */
  readonly rounds: readonly number[]
  readonly milliseconds: number
  /** Median of the process's CPU time a step, where that can be had. */
  readonly cpuMilliseconds?: number
  readonly gigaflops: number
  /** Its time a sample over this project's, in the same round: how many times as fast this project is. */
  readonly ratio?: Spread
  /** The same of CPU time: on an adapter in software it is the work itself, whatever else the machine does. */
  readonly cpuRatio?: Spread
  /** A step's, in a run of `repetitions`. */
  readonly counts: Counts
  /** Largest sum of its buffers' sizes at a time, and of all that it ever created in this case. */
  readonly peakBytes: number
  readonly allocatedBytes: number
  readonly comparisons: readonly Comparison[]
  /** Errors that its device reported meanwhile. */
  readonly errors: readonly string[]
}

/** A case's rows; an implementation that could not run has only a reason. */
export interface CaseReport {
  readonly name: CaseName
  readonly batch: number
  /** Of one step, the same count for every implementation (src/diffusion/flops.ts). */
  readonly flops: number
  readonly measured: readonly Measured[]
  readonly failed: readonly { readonly name: string; readonly reason: string }[]
}

/** Operations of a step, counted from the algorithm with as few derivatives as it needs: rows of A, not iterations. */
export function stepFlops(name: CaseName, network: NetworkShape, batch: number): number {
  if (name === 'forward') return batch * forwardFlops(network)
  if (name === 'training') return trainingStepFlops(network, batch)
  return batch * samplerEvaluationFlops(network, OBSERVED, mmpsPosterior(name))
}

/** A contender with the case bound, its result checked. */
interface Prepared {
  readonly peer: Peer
  readonly owner: Owner
  readonly bound: Bound
  readonly batch: number
  readonly note: string | undefined
  readonly firstMilliseconds: number
  readonly comparisons: readonly Comparison[]
}

/** Above this batch the twin's training takes too long; the peers are then compared with this project. */
const LARGEST_TWIN_BATCH = 1024
/** A batch is halved at most this often. */
const HALVINGS = 6
const PROBE_BATCH = 4

/** What results of a case at a batch are compared with, worked out once. */
class References {
  readonly #known = new Map<number, Promise<Reference>>()

  constructor(
    private readonly name: CaseName,
    private readonly options: MeasureOptions,
  ) {}

  /** Of `inputs`; of large training batches this project's result. */
  of(inputs: Inputs): Promise<Reference> {
    let reference = this.#known.get(inputs.batch)
    if (!reference) {
      reference = this.#isTwin(inputs.batch) ? twinReference(this.name, inputs) : this.#own(inputs)
      this.#known.set(inputs.batch, reference)
    }
    return reference
  }

  /** Comparisons of this project's own result, at a smaller batch where the twin needs one. */
  async compareOwn(inputs: Inputs, result: Float32Array): Promise<Comparison[]> {
    if (this.#isTwin(inputs.batch)) return (await this.of(inputs)).compare(result)
    this.#known.set(inputs.batch, Promise.resolve(trainingReference(inputs, result)))
    const small = createInputs(this.options.network, LARGEST_TWIN_BATCH)
    const comparisons = (await this.of(small)).compare(await this.#result(small))
    return comparisons.map(({ what, error, tolerance }) => {
      return { what: `${what} at batch ${small.batch}`, error, tolerance }
    })
  }

  #isTwin(batch: number): boolean {
    return this.name !== 'training' || batch <= LARGEST_TWIN_BATCH
  }

  async #own(inputs: Inputs): Promise<Reference> {
    return trainingReference(inputs, await this.#result(inputs))
  }

  async #result(inputs: Inputs): Promise<Float32Array> {
    const peer = await this.options.contenders[0]!.open(this.options.gpu)
    try {
      return await (await peer.bind(this.name, inputs)).result()
    } finally {
      peer.destroy()
    }
  }
}

/** Errors: what a contender throws at a batch that everything can hold. */
async function probe(contender: Contender, name: CaseName, { gpu, network }: MeasureOptions): Promise<void> {
  const peer = await contender.open(gpu)
  try {
    const bound = await peer.bind(name, createInputs(network, PROBE_BATCH))
    await bound.result()
    bound.dispose()
  } finally {
    peer.destroy()
  }
}

/** Opens and binds a contender at the largest batch that it can hold. Errors: what it throws at the smallest one tried. */
async function prepare(
  contender: Contender,
  name: CaseName,
  batch: number,
  references: References,
  options: MeasureOptions,
): Promise<Prepared> {
  const { gpu, network, counting, contenders, log } = options
  let reason: string | undefined
  for (let held = batch, halvings = 0; ; held = Math.ceil(held / 2), halvings++) {
    const inputs = createInputs(network, held)
    log(`  ${contender.label}: compiling and checking at batch ${held}`)
    const { value: peer, owner } = await counting.own(() => contender.open(gpu), contender.label)
    try {
      const start = performance.now()
      const bound = await peer.bind(name, inputs)
      const result = await bound.result()
      const firstMilliseconds = performance.now() - start
      // errors that no call waits for arrive with the next turn of the loop
      await new Promise((later) => setTimeout(later, 0))
      if (owner.errors.length > 0) throw new Error(owner.errors[0])
      const comparisons =
        contender === contenders[0]
          ? await references.compareOwn(inputs, result)
          : (await references.of(inputs)).compare(result)
      const note = reason === undefined ? undefined : `batch ${2 * held} failed: ${reason}`
      return { peer, owner, bound, batch: held, note, firstMilliseconds, comparisons }
    } catch (error) {
      peer.destroy()
      if (held <= PROBE_BATCH || halvings === HALVINGS) throw error
      // where even a few samples fail, it is not their number
      if (halvings === 0) await probe(contender, name, options)
      reason = firstLine(error)
      log(`  ${contender.label}: batch ${held} failed: ${reason}`)
    }
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0]!.slice(0, 300)
}

/** A run should last about this long … */
const RUN_MILLISECONDS = 500
/** … and have at most so many steps. */
const MOST_REPETITIONS = 20_000

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return Math.max(performance.now() - start, 0.01)
}

/** Steps of a run. The first estimates hold what a single step costs beside its work, so the last one is repeated. */
async function chooseRepetitions(bound: Bound): Promise<number> {
  let repetitions = 1
  // may compile; what takes long all the same is not run again for an estimate
  if ((await timed(() => bound.run(1))) > 40 * RUN_MILLISECONDS) return 1
  for (let i = 0; i < 3; i++) {
    const each = (await timed(() => bound.run(repetitions))) / repetitions
    const wanted = Math.min(MOST_REPETITIONS, Math.max(1, Math.round(RUN_MILLISECONDS / each)))
    if (wanted <= 2 * repetitions) return wanted
    repetitions = wanted
  }
  return repetitions
}

interface Timed {
  readonly prepared: Prepared
  readonly repetitions: number
  readonly counts: Counts
  /** Milliseconds a step, one a round. */
  readonly rounds: number[]
  readonly cpu: number[]
}

async function runRounds(timings: readonly Timed[], { seconds, rounds, log }: MeasureOptions): Promise<void> {
  const [least, most] = rounds
  const start = performance.now()
  for (let round = 0; round < most; round++) {
    if (round >= least && performance.now() - start >= 1000 * seconds) break
    for (let i = 0; i < timings.length; i++) {
      const { prepared, repetitions, rounds, cpu } = timings[(round + i) % timings.length]!
      const before = cpuMilliseconds?.()
      rounds.push((await timed(() => prepared.bound.run(repetitions))) / repetitions)
      if (cpuMilliseconds && before !== undefined) cpu.push((cpuMilliseconds() - before) / repetitions)
    }
    log(
      `  round ${round + 1}: ${timings.map(({ rounds }) => `${rounds.at(-1)!.toPrecision(3)} ms`).join(', ')}`,
    )
  }
}

function summarize(
  { prepared, repetitions, counts, rounds, cpu }: Timed,
  name: CaseName,
  network: NetworkShape,
  own: Timed | undefined,
): Measured {
  const { peer, owner, batch } = prepared
  const milliseconds = median(rounds)
  const perSample = (values: readonly number[], held: number): number[] => values.map((ms) => ms / held)
  const compared = own && own.prepared !== prepared ? own : undefined
  const ratio = (of: (timing: Timed) => readonly number[], mine: readonly number[]): Spread | undefined =>
    compared && mine.length > 0
      ? pairRatios(perSample(of(compared), compared.prepared.batch), perSample(mine, batch))
      : undefined
  return {
    name: peer.name,
    adapter: peer.adapter,
    batch,
    note: prepared.note,
    firstMilliseconds: prepared.firstMilliseconds,
    repetitions,
    rounds,
    milliseconds,
    cpuMilliseconds: cpu.length > 0 ? median(cpu) : undefined,
    gigaflops: stepFlops(name, network, batch) / milliseconds / 1e6,
    ratio: ratio((timing) => timing.rounds, rounds),
    cpuRatio: ratio((timing) => timing.cpu, cpu),
    counts: {
      dispatches: counts.dispatches / repetitions,
      submits: counts.submits / repetitions,
      bytesReadBack: counts.bytesReadBack / repetitions,
    },
    peakBytes: owner.peakBytes,
    allocatedBytes: owner.allocatedBytes,
    comparisons: prepared.comparisons,
    errors: owner.errors,
  }
}

/** Whether an implementation computed what it should and its device had nothing to complain about. */
export function isSound({ comparisons, errors }: Pick<Measured, 'comparisons' | 'errors'>): boolean {
  return comparisons.every(passes) && errors.length === 0
}

/** Errors: those of this project's own implementation; a peer's end up in `failed`. */
export async function measureCase(
  name: CaseName,
  batch: number,
  options: MeasureOptions,
): Promise<CaseReport> {
  const { network, contenders, counting, log } = options
  log(`${name}, batch ${batch}`)
  const references = new References(name, options)
  const timings: Timed[] = []
  const failed: { name: string; reason: string }[] = []
  try {
    for (const contender of contenders) {
      let prepared: Prepared | undefined
      try {
        const { bound } = (prepared = await prepare(contender, name, batch, references, options))
        const repetitions = await chooseRepetitions(bound)
        const counts = await counting.count(() => bound.run(repetitions))
        timings.push({ prepared, repetitions, counts, rounds: [], cpu: [] })
      } catch (error) {
        prepared?.peer.destroy()
        if (contender === contenders[0]) throw error
        failed.push({ name: contender.label, reason: firstLine(error) })
        log(`  ${contender.label}: ${firstLine(error)}`)
      }
    }
    await runRounds(timings, options)
    const measured = timings.map((timing) => summarize(timing, name, network, timings[0]))
    return { name, batch, flops: stepFlops(name, network, batch), measured, failed }
  } finally {
    for (const { prepared } of timings) {
      prepared.bound.dispose()
      prepared.peer.destroy()
    }
  }
}
