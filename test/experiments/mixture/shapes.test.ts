import { describe, expect, test } from 'vitest'
import { createCurve } from '../../../src/experiments/manifold/dataset'
import { mixtureDefaults, type MixtureSettings } from '../../../src/experiments/mixture/settings'
import { createMixture } from '../../../src/experiments/mixture/shapes'
import type { DrawnStroke } from '../../../src/experiments/manifold/dataset'

const strokes: DrawnStroke[] = [
  {
    plane: [0, 1],
    points: [
      [-1, -1],
      [-1, 1],
      [-1, 2],
    ],
  },
  {
    plane: [1, 2],
    points: [
      [0, -2],
      [0, 1],
    ],
  },
]
const settings = (changes: Partial<MixtureSettings>): MixtureSettings => ({ ...mixtureDefaults, ...changes })

const shapes = ['random', 'spiral', 'ring', 'moons', 'letters', 'drawn'] as const
const cases = shapes.flatMap((shape) => [2, 3].map((features) => [shape, features] as const))

describe.each(cases)('%s in R^%i', (shape, features) => {
  const make = (components: number, seed = 0) =>
    createMixture(settings({ shape, features, components, seed }), strokes)

  test.each([16, 33, 512])('%i components lie within [-2, 2], the same each time', (components) => {
    const { mixture, breaks } = make(components)
    expect(mixture.means.length).toBe(components * features)
    expect(mixture.thickness).toBe(mixtureDefaults.thickness)
    expect(mixture.means.every((value) => Math.abs(value) <= 2.05)).toBe(true)
    expect(make(components)).toEqual({ mixture, breaks })
    for (const [i, index] of breaks.entries()) {
      expect(index).toBeGreaterThan(breaks[i - 1] ?? 0)
      expect(index).toBeLessThan(components)
    }
  })

  test('neighbours on the curve are neighbours in the list', () => {
    const { mixture, breaks } = make(512)
    const steps = Array.from({ length: 511 }, (_, k) => {
      let sum = 0
      for (let i = 0; i < features; i++) {
        sum += (mixture.means[(k + 1) * features + i]! - mixture.means[k * features + i]!) ** 2
      }
      return Math.sqrt(sum)
    }).filter((_, k) => !breaks.includes(k + 1))
    expect(Math.max(...steps)).toBeLessThan(0.5)
    // Even spacing, but for corners, that cut a step, and the random curve, whose z are random.
    if (shape !== 'random') {
      const sorted = steps.toSorted((a, b) => a - b)
      expect(sorted[Math.floor(0.05 * sorted.length)]! / sorted.at(-1)!).toBeGreaterThan(0.95)
    }
  })

  test('space is used: no shape that fills space is flat', () => {
    if (features === 2 || shape === 'drawn') return
    const { mixture } = make(64)
    for (let i = 0; i < 3; i++) {
      const column = mixture.means.filter((_, at) => at % 3 === i)
      expect(Math.max(...column) - Math.min(...column)).toBeGreaterThan(0.8)
    }
  })
})

test('the random curve is the manifold lab’s, and more components keep those of fewer', () => {
  const few = createMixture(settings({ shape: 'random', features: 3, components: 16, seed: 5 }), []).mixture
  const many = createMixture(settings({ shape: 'random', features: 3, components: 64, seed: 5 }), []).mixture
  const rows = (means: Float64Array) =>
    Array.from({ length: means.length / 3 }, (_, k) => means.slice(3 * k, 3 * k + 3).join())
  expect(rows(many.means)).toEqual(expect.arrayContaining(rows(few.means)))
  const curve = createCurve({ seed: 5, features: 3, harmonics: 10, smoothness: 3 }, [])
  const fine = curve(Float64Array.from({ length: 20001 }, (_, i) => i / 20000))
  for (let k = 0; k < 64; k++) {
    let nearest = Infinity
    for (let at = 0; at < fine.length; at += 3) {
      nearest = Math.min(nearest, Math.hypot(...[0, 1, 2].map((i) => fine[at + i]! - many.means[3 * k + i]!)))
    }
    expect(nearest).toBeLessThan(1e-3)
  }
  const other = createMixture(settings({ shape: 'random', features: 3, components: 16, seed: 6 }), []).mixture
  expect(other.means).not.toEqual(few.means)
})

test('drawn strokes share the components by length, in their planes', () => {
  const { mixture, breaks } = createMixture(
    settings({ shape: 'drawn', features: 3, components: 60 }),
    strokes,
  )
  // Both strokes are 3 long.
  expect(breaks).toEqual([30])
  const row = (k: number) => [...mixture.means.subarray(3 * k, 3 * k + 3)]
  expect(row(0)).toEqual([-1, expect.closeTo(-0.95, 10), 0])
  expect(row(29)).toEqual([-1, expect.closeTo(1.95, 10), 0])
  expect(row(30)).toEqual([0, 0, expect.closeTo(-1.95, 10)])
  // The plane of x1 and x2 is all there is in R^2.
  expect(createMixture(settings({ shape: 'drawn', features: 2 }), strokes).breaks).toEqual([])
})

test('what has no curve says so', () => {
  expect(() => createMixture(settings({ shape: 'drawn' }), [])).toThrow(/draw a curve/)
  expect(() => createMixture(settings({ shape: 'drawn' }), [strokes[1]!])).toThrow(/draw a curve/)
  const point = { plane: [0, 1], points: [[1, 1], [1, 1]] } as const // prettier-ignore
  expect(() => createMixture(settings({ shape: 'drawn' }), [point])).toThrow(/no length/)
  expect(() => createMixture(settings({ shape: 'learned' }), [])).toThrow(RangeError)
})
