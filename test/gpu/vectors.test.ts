import { describe, expect, it } from 'vitest'
import { DeviceLostError } from '../../src/diffusion/backend'
import { createCounters } from '../../src/gpu/buffers'
import { createGpuVectors } from '../../src/gpu/vectors'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import type { ScalarInstruction, Vector, VectorSpace } from '../../src/linalg/vectorSpace'
import { DOMAIN } from '../../src/math/philox'
import { openTestDevice } from './adapter'

const { device } = await openTestDevice()
const counters = createCounters()
const gpu = await createGpuVectors(device, counters)
const cpu = createCpuVectors()
const address = { seed: 42, stream: 7, step: 3, domain: DOMAIN.imageNoise }

/** Normals of the CPU, the same numbers on both. */
async function vectorOf(space: VectorSpace, batch: number, size: number, step: number): Promise<Vector> {
  const vector = space.vector(`v${step}`, batch, size)
  const twin = cpu.vector('twin', batch, size)
  cpu.fillNormal(twin, { ...address, step })
  space.write(vector, await cpu.read(twin))
  return vector
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length)
  let worst = 0
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!))
  expect(worst).toBeLessThanOrEqual(tolerance)
}

/** What `work` leaves on both spaces. */
async function onBoth<T>(work: (space: VectorSpace) => Promise<T>): Promise<[T, T]> {
  return [await work(gpu), await work(cpu)]
}

const shapes = [
  [1, 1],
  [3, 5],
  [2, 1027],
  [5, 3 * 37 * 41],
  [2, 200_003],
] as const

describe('vectors on the GPU are those of the CPU', () => {
  it.each(shapes)('%i × %i: combine, multiply, atLeast, dot', async (batch, size) => {
    const [actual, expected] = await onBoth(async (space) => {
      const [a, b, c] = await Promise.all([1, 2, 3].map((step) => vectorOf(space, batch, size, step)))
      const shared = await vectorOf(space, 1, size, 4)
      const out = space.vector('out', batch, size)
      const scale = space.scalars('scale', batch)
      const product = space.scalars('product', batch)
      space.dot(product, a!, b!)
      space.compute([{ operation: 'ratio', out: scale, a: product, b: size }])
      space.combine(out, [
        { factor: 2, vector: a! },
        { factor: scale, vector: b! },
        { factor: { minus: scale }, vector: c! },
        { factor: -0.5, vector: shared },
      ])
      space.combine(out, [
        { factor: 0.25, vector: out },
        { factor: 1, vector: out },
        { factor: 3, vector: c! },
      ])
      space.multiply(a!, a!, out)
      space.multiply(a!, shared, a!)
      space.multiply(b!, b!, b!)
      space.atLeast(out, out, -0.1)
      space.copy(out, c!)
      const vectors = await space.readTogether([a!, b!, c!])
      const scalars = await space.readScalars(product)
      space.release(a!, b!, c!, shared, out, scale, product)
      return [...vectors, scalars]
    })
    const tolerances = [2e-5, 4e-6, 4e-6, 2e-6 * Math.sqrt(size) + 1e-7 * size]
    actual.forEach((part, i) => expectNear(part, expected[i]!, tolerances[i]!))
  })

  it('a factor of zero adds nothing, also of what is not a number', async () => {
    for (const space of [gpu, cpu]) {
      const a = space.vector('a', 1, 3)
      const out = space.vector('out', 1, 3)
      const zero = space.scalars('zero', 1)
      space.write(a, Float32Array.of(NaN, Infinity, 1))
      space.write(out, Float32Array.of(1, 2, NaN))
      space.compute([{ operation: 'add', out: zero, a: 0, b: 0 }])
      space.combine(out, [
        { factor: 1, vector: out },
        { factor: zero, vector: a },
      ])
      expect([...(await space.read(out))]).toEqual([1, 2, NaN])
      space.combine(out, [{ factor: 0, vector: out }])
      expect([...(await space.read(out))]).toEqual([0, 0, 0])
    }
  })

  it('samples have their own normals, whatever the batch, and the same on both', async () => {
    const [actual, expected] = await onBoth(async (space) => {
      const all = space.vector('all', 5, 1003)
      const late = space.vector('late', 2, 1003)
      space.fillNormal(all, address)
      space.fillNormal(late, address, 3)
      return space.readTogether([all, late])
    })
    expectNear(actual[0]!, expected[0]!, 2e-6)
    expect([...actual[1]!]).toEqual([...actual[0]!.subarray(3 * 1003)])
    const mean = actual[0]!.reduce((sum, x) => sum + x, 0) / actual[0]!.length
    const square = actual[0]!.reduce((sum, x) => sum + x * x, 0) / actual[0]!.length
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(5015))
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / 5015))
  })

  it('holds 16 colour images of 256 × 256, and dots them to 6 digits', async () => {
    const size = 3 * 256 * 256
    const x = gpu.vector('x', 16, size)
    const product = gpu.scalars('product', 16)
    gpu.fillNormal(x, address)
    gpu.combine(x, [{ factor: 2, vector: x }])
    gpu.dot(product, x, x)
    const last = cpu.vector('last', 1, size)
    const expected = cpu.scalars('expected', 1)
    cpu.fillNormal(last, address, 15)
    cpu.combine(last, [{ factor: 2, vector: last }])
    cpu.dot(expected, last, last)
    const [square] = await cpu.readScalars(expected)
    expect(Math.abs((await gpu.readScalars(product))[15]! / square! - 1)).toBeLessThan(1e-6)
    expectNear((await gpu.read(x)).subarray(15 * size), await cpu.read(last), 4e-6)
    gpu.release(x, product)
  })

  it('sums in the same order every time', async () => {
    const a = await vectorOf(gpu, 3, 100_001, 9)
    const first = gpu.scalars('first', 3)
    const again = gpu.scalars('again', 3)
    gpu.dot(first, a, a)
    gpu.dot(again, a, a)
    expect([...(await gpu.readScalars(first))]).toEqual([...(await gpu.readScalars(again))])
  })

  it('runs scalar programs, not-a-number included, and keeps scalars', async () => {
    const values = [3, -2, 0, NaN, 1e-30]
    const [actual, expected] = await onBoth(async (space) => {
      const x = space.vector('x', values.length, 1)
      const one = space.vector('one', values.length, 1)
      space.write(x, Float32Array.from(values))
      space.write(one, new Float32Array(values.length).fill(1))
      const a = space.scalars('a', values.length)
      space.dot(a, x, one)
      const operations = ['add', 'subtract', 'multiply', 'ratio', 'larger', 'choose'] as const
      const outs = Array.from({ length: 12 }, (_, i) => space.scalars(`out ${i}`, values.length))
      const program: ScalarInstruction[] = [
        { operation: 'add', out: outs[7]!, a: 4, b: 0 },
        { operation: 'root', out: outs[0]!, a },
        { operation: 'magnitude', out: outs[1]!, a },
        ...operations.map((operation, i) => ({ operation, out: outs[2 + i]!, a, b: 2.5 })),
        { operation: 'ratio', out: outs[8]!, a: 1, b: a },
        { operation: 'larger', out: outs[9]!, a: 0.5, b: a },
        { operation: 'add', out: outs[10]!, a: 7, b: 0 },
        { operation: 'choose', out: outs[10]!, a, b: outs[1]! },
      ]
      space.compute(program)
      const history = space.vector('history', values.length, 14)
      for (let i = 0; i < 12; i += 4) space.record(history, 1 + i, outs.slice(i, i + 4))
      return [...(await space.read(history))]
    })
    actual.forEach((value, i) => {
      if (Number.isNaN(expected[i]!)) expect(value).toBeNaN()
      else expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-6 * Math.abs(expected[i]!))
    })
  })

  it('submits once for many operations, and again when its parameters are used up', async () => {
    const a = await vectorOf(gpu, 1, 10, 1)
    gpu.flush()
    const { submits, dispatches } = counters
    for (let i = 0; i < 200; i++) gpu.combine(a, [{ factor: i % 2 ? 2 : 0.5, vector: a }])
    await gpu.read(a)
    expect(counters.submits - submits).toBe(1)
    expect(counters.dispatches - dispatches).toBe(200)
    const before = await gpu.read(a)
    for (let i = 0; i < 700; i++) gpu.combine(a, [{ factor: i % 2 ? 2 : 0.5, vector: a }])
    expect([...(await gpu.read(a))]).toEqual([...before])
  })

  it('says of a read that the device was lost, when it was lost under it', async () => {
    const opened = await openTestDevice()
    const space = await createGpuVectors(opened.device, createCounters(), opened.guard)
    const read = space.read(space.vector('a', 2, 1000))
    opened.device.destroy()
    await expect(read).rejects.toBeInstanceOf(DeviceLostError)
    await expect(space.finished()).rejects.toBeInstanceOf(DeviceLostError)
  })

  it('refuses what does not fit together', () => {
    for (const space of [gpu, cpu]) {
      const a = space.vector('a', 2, 3)
      const b = space.vector('b', 2, 4)
      expect(() => space.combine(a, [{ factor: 1, vector: b }])).toThrow(/"a" \[2, 3\] and "b" \[2, 4\]/)
      expect(() => space.combine(a, [])).toThrow(/one to four terms/)
      expect(() => space.dot(space.scalars('s', 3), a, a)).toThrow(/scalars of 2 samples/)
      expect(() => space.record(a, 3, [space.scalars('s', 2)])).toThrow(/column 3/)
    }
  })
})
