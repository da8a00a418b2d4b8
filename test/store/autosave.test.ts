import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { IterationRecord } from '../../src/experiments/manifold/diem'
import type { SavedRun } from '../../src/experiments/manifold/runFile'
import { presets } from '../../src/experiments/manifold/settings'
import { loadRun, peekRun, saveRun } from '../../src/store/autosave'

/** IndexedDB's entries, cloned as it does, and what was written to it. */
const storage = vi.hoisted(() => ({ entries: new Map<string, unknown>(), written: [] as string[] }))

vi.mock('idb-keyval', () => {
  const { entries, written } = storage
  const set = (key: string, value: unknown) => {
    written.push(key)
    entries.set(key, structuredClone(value))
  }
  return {
    get: async (key: string) => entries.get(key),
    getMany: async (keys: string[]) => keys.map((key) => entries.get(key)),
    keys: async () => [...entries.keys()],
    delMany: async (keys: string[]) => keys.forEach((key) => entries.delete(key)),
    set,
    setMany: async (pairs: [string, unknown][]) => pairs.forEach(([key, value]) => set(key, value)),
  }
})

const observations = {
  count: 64,
  features: 2,
  observed: 1,
  A: new Float32Array(128).fill(0.5),
  y: new Float32Array(64),
  sigmaY: 0.01,
}

function record(iteration: number): IterationRecord {
  const numbers = { iteration, loss: null, divergence: null, kept: 1, consistency: 1, seconds: 0 }
  const samples = new Float32Array(128).fill(iteration)
  return { ...numbers, losses: new Float32Array(0), steps: iteration + 1, weights: null, samples }
}

function run(records: number): SavedRun {
  return {
    settings: { ...presets.tiny, features: 2, observed: 1, observations: 64 },
    preset: 'tiny',
    origin: { kind: 'file', name: 'pairs.csv', observations },
    state: {
      records: Array.from({ length: records }, (_, k) => record(k)),
      weights: null,
      losses: new Float32Array(0),
      seconds: 0,
      steps: records,
    },
  }
}

describe('the saved run', () => {
  beforeEach(() => {
    storage.entries.clear()
    storage.written.length = 0
  })

  it('writes data from a file once, and each record once', async () => {
    await saveRun('a', 'w', run(0), 0)
    await saveRun('a', 'w', run(1), 0)
    storage.written.length = 0
    await saveRun('a', 'w', run(1), 1) // an M step
    await saveRun('a', 'w', run(2), 1)
    expect(storage.written).toEqual(['diem/1/a/head', 'diem/1/a/w/1', 'diem/1/a/head'])
    expect(await loadRun('a')).toEqual({ ...run(2), abandoned: false })
    expect(await peekRun('a')).toEqual({ trained: 1, features: 2 })
  })

  it('leaves nothing of the run before, and is none without its data', async () => {
    await saveRun('a', 'w', run(2), 0)
    await saveRun('a', 'v', { ...run(1), origin: { kind: 'random' } }, 0)
    expect([...storage.entries.keys()]).toEqual(['diem/1/a/head', 'diem/1/a/v/0'])
    await saveRun('a', 'w', run(1), 0)
    storage.entries.delete('diem/1/a/w/data')
    expect(await loadRun('a')).toBeUndefined()
  })
})
