import { describe, expect, it } from 'vitest'
import { createCounters } from '../../src/gpu/buffers'
import { type JobContext, withJob } from '../../src/gpu/job'
import { transport } from '../../src/gpu/jobs/transport'
import { transportCost } from '../../src/math/sinkhorn'
import { openTestDevice } from './adapter'

const opened = await openTestDevice()
const context: JobContext = {
  opened,
  counters: createCounters(),
  kernel: (_, create) => create(opened.device),
}

const cloud = (count: number, features: number, phase: number): Float32Array =>
  Float32Array.from({ length: count * features }, (_, i) => 2 * Math.sin(i * 12.9898 + phase))

describe('sinkhorn', () => {
  it.each([
    { rows: 1, columns: 3, features: 2, regularization: 1, iterations: 3 },
    { rows: 67, columns: 130, features: 3, regularization: 0.1, iterations: 20 },
    { rows: 130, columns: 67, features: 8, regularization: 1e-2, iterations: 40 },
    { rows: 257, columns: 256, features: 5, regularization: 1e-3, iterations: 40 },
  ])('gives the cost of its twin: %o', async ({ rows, columns, features, regularization, iterations }) => {
    const u = cloud(rows, features, 0)
    const v = cloud(columns, features, 0.7)
    const options = { regularization, iterations, tolerance: 0 }
    const { cost } = await withJob(context, undefined, (job) => transport(job, u, v, features, options))
    const expected = transportCost(u, v, features, options)
    expect(Math.abs(cost / expected - 1)).toBeLessThan(1e-4)
  })

  it('stops once no potential moves by more than the tolerance, whatever the slices', async () => {
    const u = cloud(101, 3, 0)
    const v = cloud(67, 3, 1)
    const options = { regularization: 0.1, iterations: 400, tolerance: 1e-4 }
    const runs = await Promise.all(
      [1, 2].map(() => withJob(context, undefined, (job) => transport(job, u, v, 3, options))),
    )
    expect(runs[0]).toEqual(runs[1])
    expect(runs[0]!.converged).toBe(true)
    expect(runs[0]!.iterations).toBeLessThan(400)
    const { iterations } = runs[0]!
    const same = { ...options, iterations, tolerance: 0 }
    const cut = await withJob(context, undefined, (job) => transport(job, u, v, 3, same))
    expect(cut.cost).toBe(runs[0]!.cost)
  })

  it.each([
    { rows: 1, columns: 3, features: 2, regularization: 1, iterations: 40 },
    { rows: 67, columns: 130, features: 3, regularization: 1e-2, iterations: 100 },
    { rows: 257, columns: 251, features: 5, regularization: 1e-3, iterations: 130 },
    // ends in a stage before the last
    { rows: 9, columns: 33, features: 3, regularization: 1e-3, iterations: 21 },
  ])('with epsilon scaling, gives the cost of its twin: %o', async (shape) => {
    const { rows, columns, features, regularization, iterations } = shape
    const [u, v] = [cloud(rows, features, 0), cloud(columns, features, 0.7)]
    const options = { regularization, iterations, tolerance: 0, scaling: { from: 16, factor: 2 } }
    const { cost } = await withJob(context, undefined, (job) => transport(job, u, v, features, options))
    expect(Math.abs(cost / transportCost(u, v, features, options) - 1)).toBeLessThan(1e-4)
  })

  it('with epsilon scaling, takes far points and stops by itself and early', async () => {
    const u = cloud(101, 3, 0)
    const v = cloud(67, 3, 1)
    // no sum relative to a zero potential is in float32's range
    u[0] = 300
    const options = {
      regularization: 1e-2,
      iterations: 8192,
      tolerance: 1e-3,
      scaling: { from: 16, factor: 2 },
    }
    const before = context.counters.dispatches
    const run = await withJob(context, undefined, (job) => transport(job, u, v, 3, options))
    expect(run.converged).toBe(true)
    expect(run.iterations).toBeLessThan(400)
    expect(context.counters.dispatches - before).toBeLessThan(3 * 2000)
    const { cost, converged } = await withJob(context, undefined, (job) =>
      transport(job, u, v, 3, { ...options, iterations: run.iterations }),
    )
    expect(converged).toBe(true)
    expect(cost).toBe(run.cost)
    expect(Math.abs(cost / transportCost(u, v, 3, options) - 1)).toBeLessThan(1e-4)
  })

  it('refuses an empty cloud', async () => {
    const options = { regularization: 1, iterations: 1, tolerance: 0 }
    const empty = withJob(context, undefined, (job) =>
      transport(job, new Float32Array(0), cloud(3, 2, 0), 2, options),
    )
    await expect(empty).rejects.toThrow('at least one point')
  })
})
