import { describe, expect, it } from 'vitest'
import { runSlices } from '../../src/gpu/slices'

const unguarded = <T>(promise: Promise<T>): Promise<T> => promise

/** A pretend GPU: slices take `millisecondsPerUnit` each, one after the other. */
function pretendGpu(millisecondsPerUnit: number) {
  let tail = Promise.resolve()
  const slices: number[] = []
  let inFlight = 0
  let most = 0
  return {
    slices,
    mostInFlight: () => most,
    inFlight: () => inFlight,
    submit(units: number) {
      slices.push(units)
      most = Math.max(most, ++inFlight)
      tail = tail.then(
        () =>
          new Promise((resolve) =>
            setTimeout(() => {
              inFlight--
              resolve()
            }, units * millisecondsPerUnit),
          ),
      )
      return { units, finished: tail }
    },
  }
}

describe('slices', () => {
  it('grow to about 50 ms, two in flight, and do every unit once', async () => {
    const gpu = pretendGpu(2)
    const done: number[] = []
    const finished = (n: number) => void done.push(n)
    await runSlices({ total: 200, first: 1, submit: gpu.submit, finished }, unguarded, undefined)
    expect(gpu.slices.reduce((sum, units) => sum + units, 0)).toBe(200)
    expect(done.at(-1)).toBe(200)
    expect(gpu.mostInFlight()).toBe(2)
    expect(Math.max(...gpu.slices)).toBeGreaterThan(8)
    expect(Math.max(...gpu.slices)).toBeLessThanOrEqual(50)
  })

  it('end early when told so', async () => {
    const gpu = pretendGpu(1)
    const finished = (done: number) => done >= 5
    await runSlices({ total: 1000, first: 5, most: 5, submit: gpu.submit, finished }, unguarded, undefined)
    expect(gpu.slices.length).toBeLessThanOrEqual(2)
    expect(gpu.inFlight()).toBe(0)
  })

  it('wait while paused and go on afterwards', async () => {
    const gpu = pretendGpu(1)
    let resume: (() => void) | undefined
    const paused = new Promise<void>((resolve) => (resume = resolve))
    let asked = 0
    const ready = () => (++asked > 2 ? paused : Promise.resolve())
    const run = runSlices({ total: 40, first: 10, most: 10, submit: gpu.submit }, unguarded, { ready })
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(gpu.slices).toEqual([10, 10])
    resume!()
    await run
    expect(gpu.slices).toEqual([10, 10, 10, 10])
  })

  it('abort with the reason of the signal, also while paused, once the GPU is quiet', async () => {
    const gpu = pretendGpu(1)
    const abort = new AbortController()
    const control = {
      signal: abort.signal,
      ready: () => (gpu.slices.length > 1 ? new Promise<void>(() => {}) : Promise.resolve()),
    }
    const run = runSlices({ total: 100, first: 10, submit: gpu.submit }, unguarded, control)
    setTimeout(() => abort.abort(new Error('cancelled')), 5)
    await expect(run).rejects.toThrow('cancelled')
    expect(gpu.inFlight()).toBe(0)
  })

  it('reject when the device is lost, even if the GPU never answers again', async () => {
    let lose: ((error: Error) => void) | undefined
    const lost = new Promise<never>((_, reject) => (lose = reject))
    lost.catch(() => undefined)
    const guard = <T>(promise: Promise<T>): Promise<T> => Promise.race([promise, lost])
    const submit = (units: number) => ({ units, finished: new Promise<void>(() => {}) })
    const run = runSlices({ total: 10, first: 1, submit }, guard, undefined)
    setTimeout(() => lose!(new Error('gone')), 5)
    await expect(run).rejects.toThrow('gone')
  })
})
