/**
 * What this adapter can do at most, measured: multiply-adds of float32 in registers, and bytes copied in its memory.
 *
 * Several variants are tried and the best counts, because what fills a device differs: CPUs want as many chains as they
 * have vector registers, GPUs want many threads.
 */
import fmaSource from './shaders/fma.wgsl?raw'
import copySource from './shaders/copy.wgsl?raw'
import { shortest, wallTimer } from './timing'
import { BufferScope, createCounters } from '../src/gpu/buffers'
import { composeShader, createComputeKernel } from '../src/gpu/compile'
import type { OpenDevice } from '../src/gpu/device'
import { boundDispatch } from '../src/gpu/dispatch'
import { largestBinding } from '../src/gpu/job'

export interface Ceilings {
  /** Multiply-adds of float32, each two operations. */
  readonly gigaflops: number
  readonly fma: FmaVariant
  /** Bytes read and bytes written, together. */
  readonly gigabytesPerSecond: number
  readonly copy: CopyVariant
}

/** For example "8 chains of vec4f, workgroups of 64, fma()" and "128 MiB, 4 vec4f a thread, workgroups of 256". */
export function describe({ fma, copy }: Ceilings): { readonly fma: string; readonly copy: string } {
  return {
    fma: `${fma.chains} chains of ${fma.number}, workgroups of ${fma.workgroup}, ${fma.builtin ? 'fma()' : 'a * m + s'}`,
    copy: `${copy.bytes / 2 ** 20} MiB, ${copy.perThread} vec4f a thread, workgroups of ${copy.workgroup}`,
  }
}

type Element = 'f32' | 'vec4f'

const lanes = (element: Element): number => (element === 'f32' ? 1 : 4)

interface FmaVariant {
  readonly number: Element
  readonly chains: number
  readonly workgroup: number
  /** `fma(a, m, s)`, or `a * m + s`, which drivers treat differently. */
  readonly builtin: boolean
}

/** Operations in the loop's body, so that the loop itself does not count. */
const BODY_OPERATIONS = 96
const REPEATS = 64
const vectorShapes = [1, 2, 4].map((chains) => ({ number: 'vec4f', chains }) as const)
const INVOCATIONS = 2 ** 16

/** GFLOP/s of one variant. */
async function measureFma(device: GPUDevice, scope: BufferScope, variant: FmaVariant): Promise<number> {
  const { number, chains, workgroup, builtin } = variant
  const names = Array.from({ length: chains }, (_, i) => `a${i}`)
  const rounds = Math.ceil(BODY_OPERATIONS / chains)
  const step = (a: string): string => (builtin ? `${a} = fma(${a}, m, s);` : `${a} = ${a} * m + s;`)
  const text = fmaSource
    .replace('//! declare', names.map((a, i) => `var ${a} = s + ${i};`).join(' '))
    .replace('//! chains', Array.from({ length: rounds }, () => names.map(step).join(' ')).join('\n'))
    .replace(
      '//! sum',
      names
        .slice(1)
        .map((a) => `sum += ${a};`)
        .join(' '),
    )
  const code = `alias NUMBER = ${number};\n${composeShader({ WORKGROUP: workgroup, REPEATS }, [text])}`
  const kernel = await createComputeKernel(device, { label: 'fma ceiling', code, entryPoint: 'fma_chains' })
  const factors = scope.upload('factors', Float32Array.of(0.5, 1))
  const results = scope.storage('results', 4096)
  const encode = boundDispatch(scope, kernel, [factors, results], INVOCATIONS / workgroup)
  const operations = 2 * INVOCATIONS * REPEATS * rounds * chains * lanes(number)
  return operations / (await shortest(wallTimer(device), encode)) / 1e6
}

interface CopyVariant {
  /** Of each of the two buffers. */
  readonly bytes: number
  readonly workgroup: number
  readonly perThread: number
}

/** GB/s read and written, between two buffers of `bytes`. */
async function measureCopy(
  device: GPUDevice,
  scope: BufferScope,
  buffers: readonly GPUBuffer[],
  { bytes, workgroup, perThread }: CopyVariant,
): Promise<number> {
  const code = composeShader({ WORKGROUP: workgroup, PER_THREAD: perThread }, [copySource])
  const kernel = await createComputeKernel(device, { label: 'copy ceiling', code, entryPoint: 'copy' })
  const encode = boundDispatch(scope, kernel, buffers, Math.ceil(bytes / 16 / (workgroup * perThread)))
  return (2 * bytes) / (await shortest(wallTimer(device), encode)) / 1e6
}

/** The variant with the largest value. */
async function best<T>(
  variants: readonly T[],
  measure: (variant: T) => Promise<number>,
): Promise<{ variant: T; value: number }> {
  let found: { variant: T; value: number } | undefined
  for (const variant of variants) {
    const value = await measure(variant)
    if (!found || value > found.value) found = { variant, value }
  }
  if (!found) throw new RangeError('There is no variant to measure.')
  return found
}

/** Measures both ceilings; takes some ten seconds. */
export function measureCeilings({ device }: OpenDevice): Promise<Ceilings> {
  return withScope(device, async (scope) => {
    // one property after the other: all combinations would take a minute to compile
    const gigaflops = (variant: FmaVariant): Promise<number> => measureFma(device, scope, variant)
    let fma = await best(
      [true, false].map((builtin): FmaVariant => ({ number: 'f32', chains: 8, builtin, workgroup: 64 })),
      gigaflops,
    )
    const tryOthers = async (changes: readonly Partial<FmaVariant>[]): Promise<void> => {
      const found = await best(
        changes.map((change) => ({ ...fma.variant, ...change })),
        gigaflops,
      )
      if (found.value > fma.value) fma = found
    }
    await tryOthers([...[4, 12, 16, 24, 32].map((chains) => ({ chains })), ...vectorShapes])
    await tryOthers([32, 128, 256].map((workgroup) => ({ workgroup })))
    // above every cache: the largest of today's GPUs is some 100 MiB
    const bytes = Math.min(2 ** 28, largestBinding(device))
    const buffers = copyBuffers(scope, bytes)
    const copies = [64, 256].flatMap((workgroup) =>
      [1, 4].map((perThread) => ({ bytes, workgroup, perThread })),
    )
    const copy = await best(copies, (variant) => measureCopy(device, scope, buffers, variant))
    return {
      gigaflops: fma.value,
      fma: fma.variant,
      gigabytesPerSecond: copy.value,
      copy: copy.variant,
    }
  })
}

/**
 * The same variants once more: a ceiling is what the adapter can do, so the larger of both counts, and a machine that was busy in
 * the beginning does not lower it.
 */
export function raiseCeilings({ device }: OpenDevice, known: Ceilings): Promise<Ceilings> {
  return withScope(device, async (scope) => {
    const gigaflops = await measureFma(device, scope, known.fma)
    const buffers = copyBuffers(scope, known.copy.bytes)
    const gigabytesPerSecond = await measureCopy(device, scope, buffers, known.copy)
    return {
      ...known,
      gigaflops: Math.max(known.gigaflops, gigaflops),
      gigabytesPerSecond: Math.max(known.gigabytesPerSecond, gigabytesPerSecond),
    }
  })
}

function copyBuffers(scope: BufferScope, bytes: number): GPUBuffer[] {
  return [scope.storage('source', bytes), scope.storage('copied', bytes)]
}

async function withScope<T>(device: GPUDevice, work: (scope: BufferScope) => Promise<T>): Promise<T> {
  const scope = new BufferScope(device, createCounters())
  try {
    return await work(scope)
  } finally {
    scope.destroy()
  }
}
