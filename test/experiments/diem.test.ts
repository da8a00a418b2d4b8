import { describe, expect, it } from 'vitest'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { NonFiniteLossError } from '../../src/diffusion/backend'
import { createDataset } from '../../src/experiments/manifold/dataset'
import { DiemRun, NoSamplesError, type RunState } from '../../src/experiments/manifold/diem'
import { readRun, writeRun } from '../../src/experiments/manifold/runFile'
import { presets, type ManifoldSettings } from '../../src/experiments/manifold/settings'

const settings: ManifoldSettings = {
  ...presets.tiny,
  observations: 96,
  hidden: 16,
  embedding: 8,
  samplerSteps: 6,
  trainingSteps: 20,
  batch: 32,
  iterations: 2,
  metricPoints: 64,
  metricIterations: 20,
}
const origin = { kind: 'random' } as const
const start = (own: ManifoldSettings = settings, state?: RunState) =>
  new DiemRun(own, createDataset(own, origin), createCpuBackend(), state)

async function finish(run: DiemRun): Promise<DiemRun> {
  while (!run.finished) await run.advance()
  return run
}

describe('a DiEM run on the CPU twins', () => {
  it('goes start, M, E, M, E and keeps a record of each iteration', async () => {
    const run = start()
    const steps: string[] = []
    while (!run.finished) {
      steps.push(run.next)
      await run.advance()
    }
    expect(steps).toEqual(['start', 'm', 'e', 'm', 'e'])
    expect(run.records.map(({ iteration }) => iteration)).toEqual([0, 1, 2])
    expect(run.records[0]).toMatchObject({ loss: null, weights: null })
    for (const record of run.records) {
      expect(record.samples).toHaveLength(96 * 5)
      expect(record.kept).toBeGreaterThan(0.2)
      expect(record.divergence).toBeGreaterThan(0)
    }
    // The exact Gaussian posterior agrees with its observations.
    expect(run.records[0]!.consistency).toBeCloseTo(1, 0)
  })

  it('continues from its file to the same numbers as without the break', async () => {
    const whole = await finish(start())
    const first = start({ ...settings, iterations: 1 })
    await finish(first)
    await first.mStep()
    const bytes = writeRun({ settings, preset: 'tiny', origin, state: first.state })
    const continued = await finish(start(settings, readRun(bytes).state))
    expect(continued.records.at(-1)!.samples).toEqual(whole.records.at(-1)!.samples)
    expect(continued.records.at(-1)!.divergence).toBe(whole.records.at(-1)!.divergence)
    expect(continued.records[2]!.loss).toBe(whole.records[2]!.loss)
  })

  it('is unchanged by a step that was cancelled or failed', async () => {
    const run = start()
    await run.advance()
    const before = run.state
    await expect(run.mStep({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped')
    expect(run.state).toEqual(before)
    const wild = start({ ...settings, learningRate: 1e200, learningRateEnd: 1e200 }, before)
    await expect(wild.mStep()).rejects.toThrow(NonFiniteLossError)
    expect(wild.state).toEqual(before)
    const narrow = start({ ...settings, keepRange: 1e-6 })
    await expect(narrow.eStep()).rejects.toThrow(NoSamplesError)
    expect(narrow.records).toHaveLength(0)
  })
})
