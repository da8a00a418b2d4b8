import { describe, expect, it } from 'vitest'
import { initializeWeights } from '../../src/diffusion/mlp'
import type { RunState } from '../../src/experiments/manifold/diem'
import { readRun, writeRun, type SavedRun } from '../../src/experiments/manifold/runFile'
import { networkShape, presets } from '../../src/experiments/manifold/settings'
import { readSafetensors, writeSafetensors } from '../../src/math/safetensors'

const settings = { ...presets.tiny, observations: 64, hidden: 8 }
const weights = initializeWeights(networkShape(settings), 1)
const samples = Float32Array.from({ length: 64 * 5 }, (_, i) => Math.sin(i))
const numbers = { divergence: 0.5, kept: 0.95, consistency: 1.1, seconds: 2 }
const state: RunState = {
  records: [
    { ...numbers, iteration: 0, steps: 1, loss: null, losses: new Float32Array(0), weights: null, samples },
    { ...numbers, iteration: 1, steps: 3, loss: 0.7, losses: Float32Array.of(1, 0.7), weights, samples },
  ],
  weights: weights.map((w) => 2 * w),
  losses: Float32Array.of(0.6),
  seconds: 0.5,
  steps: 4,
}
const run: SavedRun = { settings, preset: 'tiny', origin: { kind: 'random' }, state }

describe('run file', () => {
  it('reads back what it wrote', () => {
    expect(readRun(writeRun(run))).toEqual(run)
  })

  it('names the newest weights for other programs', () => {
    const { tensors } = readSafetensors(writeRun(run))
    expect(tensors.get('net.0.weight')).toMatchObject({ dtype: 'F32', shape: [5 + settings.embedding, 8] })
    expect(tensors.get('net.3.bias')).toMatchObject({ shape: [5] })
    expect((tensors.get('net.0.weight')!.data as Float32Array)[0]).toBe(2 * weights[0]!)
  })

  it('keeps pairs that came from a file', () => {
    const observations = {
      count: 64,
      features: 5,
      observed: 2,
      A: Float32Array.from({ length: 640 }, (_, i) => i),
      y: Float32Array.from({ length: 128 }, (_, i) => -i),
      sigmaY: settings.sigmaY,
    }
    const saved: SavedRun = { ...run, origin: { kind: 'file', name: 'mine.csv', observations } }
    expect(readRun(writeRun(saved)).origin).toEqual(saved.origin)
  })

  const rewrite = (metadata: Record<string, string>, drop?: string) => {
    const file = readSafetensors(writeRun(run))
    return writeSafetensors(
      [...file.tensors].filter(([name]) => name !== drop),
      { ...file.metadata, ...metadata },
    )
  }

  it.each([
    [
      'another safetensors file',
      () => writeSafetensors([['w', { shape: [1], data: Float32Array.of(1) }]]),
      /no run/,
    ],
    ['a later version', () => rewrite({ version: '9' }), /version 9/],
    ['broken settings', () => rewrite({ settings: '{' }), /not JSON/],
    [
      'settings out of range',
      () => rewrite({ settings: JSON.stringify({ ...settings, hidden: 5 }) }),
      /hidden/,
    ],
    [
      'weights of another size',
      () => rewrite({ settings: JSON.stringify({ ...settings, hidden: 16 }) }),
      /weights/,
    ],
    ['a missing tensor', () => rewrite({}, 'iteration.1.samples'), /iteration.1.samples/],
    ['an unknown preset', () => rewrite({ preset: 'huge' }), /huge/],
    [
      'a damaged curve',
      () =>
        rewrite({ origin: JSON.stringify({ kind: 'drawn', strokes: [{ plane: [0, 1], points: [[0]] }] }) }),
      /curve/,
    ],
    ['a truncated file', () => writeRun(run).slice(0, 5000), /./],
  ])('refuses %s', (_, make, message) => {
    expect(() => readRun(make())).toThrow(message)
  })
})
