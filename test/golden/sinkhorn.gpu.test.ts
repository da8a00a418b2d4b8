import { describe, expect, it } from 'vitest'
import { SinkhornKernel, STATE_BYTES } from '../../src/gpu/kernels/sinkhorn'
import { openTestDevice } from '../gpu/adapter'
import { golden, relativeError } from './load'

const file = golden('sinkhorn')
const { device, scope } = await openTestDevice()
const cloud = (name: string) => Float32Array.from(file.get(name).data)
const kernel = await SinkhornKernel.create(device, file.get('u1').shape[1]!)

async function transport(u: string, v: string, regularization: number, iterations: number) {
  const options = { regularization, iterations, tolerance: 1e-6 * regularization }
  const problem = kernel.prepare(scope, cloud(u), cloud(v), options)
  for (let done = 0; done < iterations; done += 100) {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (let k = 0; k < 100; k++) problem.iteration(done + k).forEach((encode) => encode(pass))
    problem.cost.forEach((encode) => encode(pass))
    pass.end()
    scope.submit(encoder)
  }
  return problem.parse(await scope.read(problem.state, STATE_BYTES))
}

const cases = file.keys().flatMap((name) => {
  const [, u, v, regularization] = /^transport_(u1)(u2|v)_([\d.]+)$/.exec(name) ?? []
  return u ? [{ name, u, v: v!, regularization: Number(regularization) }] : []
})

describe('golden transport costs on the GPU', () => {
  it.each(cases)('$name', async ({ name, u, v, regularization }) => {
    const { cost } = await transport(u, v, regularization, 1000)
    expect(relativeError([cost], file.get(name).data)).toBeLessThan(1e-4)
  })

  it('at little regularisation comes near the exact transport cost', async () => {
    const exact = file.get('emd_u1v').data[0]!
    // In units of the cost: how far a fixed one blurs the plan, and how slowly it converges, depends on the clouds.
    const regularization = 0.05 * exact
    const { cost } = await transport('u1', 'v', regularization, 1000)
    // emd ≤ ⟨P, C⟩ ≤ emd + ε log min(N, M), as P's mutual information is at most its smaller marginal's entropy
    const points = Math.min(file.get('u1').shape[0]!, file.get('v').shape[0]!)
    expect(cost).toBeGreaterThan(exact * (1 - 1e-4))
    expect(cost).toBeLessThan(exact + regularization * Math.log(points))
  })
})
