/**
 * The benchmark, in Node and in a browser: ceilings of the adapter, the asked cases at the asked batches, and the kernels one
 * by one.
 *
 * Peers are looked for in the folder `peers` by Vite, so that nothing here needs their packages' types: without
 * bench/node_modules the rest still compiles, and runs with this project alone.
 */
import { type Ceilings, measureCeilings, raiseCeilings } from './ceilings'
import { paperNetwork } from './cases'
import { Counting } from './counting'
import { type KernelShare, measureKernels } from './kernelShares'
import { type CaseReport, type Contender, isSound, measureCase } from './measure'
import type { CaseName, OpenPeer } from './peer'
import { open } from './peers/ours'
import { openDevice } from '../src/gpu/device'

export const caseNames: readonly CaseName[] = ['forward', 'training', 'mmps-cg', 'mmps-exact']

const modules = import.meta.glob<{ readonly open: OpenPeer }>(['./peers/*.ts', '!./peers/ours.ts'])

/** For example { tensorflow: … }: what `--peers` takes. */
const peers = Object.fromEntries(
  Object.entries(modules).map(([path, load]) => [/([^/]+)\.ts$/.exec(path)![1]!, load]),
)
export const peerNames: readonly string[] = Object.keys(peers)

/** Plain data: it also goes to the browser's page. */
export interface BenchOptions {
  readonly cases: readonly CaseName[]
  readonly batches: readonly number[]
  /** Of `peerNames`. */
  readonly peers: readonly string[]
  /** Rounds go on for about so long in each case … */
  readonly seconds: number
  /** … but are at least and at most so many. */
  readonly rounds: readonly [number, number]
  /** Whether to measure the kernels one by one. */
  readonly kernels: boolean
}

export interface BenchReport {
  readonly adapter: string
  readonly ceilings: Ceilings
  readonly cases: readonly CaseReport[]
  readonly kernels: readonly KernelShare[]
}

/** Whether all that ran computed the right thing. */
export function isCorrect({ cases }: Pick<BenchReport, 'cases'>): boolean {
  return cases.every(({ measured }) => measured.every(isSound))
}

/** Errors: WebGpuUnavailableError, and those of this project's own implementation. */
export async function runBench(
  gpu: GPU,
  options: BenchOptions,
  log: (line: string) => void,
): Promise<BenchReport> {
  const contenders: Contender[] = [{ label: 'ours', open }]
  for (const name of options.peers) {
    const load = peers[name]
    if (!load) throw new RangeError(`There is no peer "${name}", but: ${peerNames.join(', ')}.`)
    contenders.push({ label: name, open: async (gpu) => (await load()).open(gpu) })
  }
  log('ceilings')
  const opened = await openDevice(gpu)
  let ceilings = await measureCeilings(opened)

  const counting = await Counting.install(gpu)
  const cases: CaseReport[] = []
  try {
    for (const batch of options.batches) {
      for (const name of options.cases) {
        cases.push(
          await measureCase(name, batch, {
            ...options,
            gpu,
            network: paperNetwork,
            contenders,
            counting,
            log,
          }),
        )
      }
    }
  } finally {
    counting.uninstall()
  }
  ceilings = await raiseCeilings(opened, ceilings)
  const kernels: KernelShare[] = []
  for (const batch of options.kernels ? options.batches : []) {
    log(`kernels, batch ${batch}`)
    kernels.push(...(await measureKernels(gpu, paperNetwork, batch, ceilings)))
  }
  opened.device.destroy()
  return { adapter: opened.name, ceilings, cases, kernels }
}
