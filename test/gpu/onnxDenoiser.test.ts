import { describe, expect, test } from 'vitest'
import { DeviceLostError } from '../../src/diffusion/backend'
import { openDevice } from '../../src/gpu/device'
import { createCounters } from '../../src/gpu/buffers'
import { createGpuVectors } from '../../src/gpu/vectors'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import type { Vector, VectorSpace } from '../../src/linalg/vectorSpace'
import { createOnnxDenoiser } from '../../src/onnx/session/denoiser'
import { nodeWasmRuntime, nodeWebGpuRuntime } from '../../src/onnx/session/nodeRuntimes'
import type { OrtRuntime } from '../../src/onnx/session/runtime'
import { verifyDenoiser } from '../../src/onnx/verify'
import { tinyContract, tinyModel } from '../onnx/tinyModel'
import { gpu, openTestDevice } from './adapter'

const shape = { channels: 3, height: 6, width: 10 } as const
const size = 3 * 6 * 10

async function products(space: VectorSpace, runtime: OrtRuntime, batch: number, fixed: number | 'dynamic') {
  const denoiser = createOnnxDenoiser({
    graph: tinyModel(fixed),
    contract: tinyContract(fixed),
    shape,
    batch,
    space,
    runtime,
    derivatives: ['vjp', 'jvp'],
  })
  const made = (label: string, phase: number): Vector => {
    const vector = space.vector(label, batch, size)
    space.write(
      vector,
      Float32Array.from({ length: batch * size }, (_, i) => Math.sin(0.7 * i + phase)),
    )
    return vector
  }
  const [xT, v, d, vjp, jvp] = ['x', 'v', 'd', 'Jᵀ v', 'J u'].map(made) as [
    Vector,
    Vector,
    Vector,
    Vector,
    Vector,
  ]
  await denoiser.denoise(xT, 0.7, d)
  const { xHat, ...linear } = await denoiser.linearize(xT, 0.7)
  await linear.vjp(v, vjp)
  await linear.jvp(v, jvp)
  const values = await space.readTogether([d, xHat, vjp, jvp])
  const { facts } = denoiser
  await denoiser.release()
  space.release(xT, v, d, vjp, jvp)
  return { values, facts }
}

describe('ONNX Runtime with WebGPU on our device', () => {
  test('gives the numbers of the CPU, in one run or in chunks, without nodes on the CPU; and is verified', async () => {
    const opened = await openTestDevice()
    const runtime = await nodeWebGpuRuntime(gpu, opened)
    const space = await createGpuVectors(opened.device, createCounters())
    const wasm = await nodeWasmRuntime()
    // all at once, and on both providers: ONNX Runtime itself takes one call at a time
    const runs = await Promise.all(
      (['dynamic', 2] as const).map((fixed) =>
        Promise.all([products(space, runtime, 3, fixed), products(createCpuVectors(), wasm, 3, fixed)]),
      ),
    )
    for (const [found, expected] of runs) {
      for (const [k, values] of found.values.entries()) {
        const exact = expected.values[k]!
        const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0)
        expect(largest).toBeGreaterThan(0.1)
        expect(worst).toBeLessThan(1e-5 * largest)
      }
      expect(found.facts.sessions.filter(({ usesCpu }) => usesCpu)).toEqual([])
    }

    const made = { graph: tinyModel('dynamic'), contract: tinyContract('dynamic'), shape, batch: 1 }
    const derivatives = ['vjp', 'jvp'] as const
    const denoiser = createOnnxDenoiser({ ...made, space, runtime, derivatives })
    const reference = createOnnxDenoiser({ ...made, space: createCpuVectors(), runtime: wasm, derivatives })
    const report = await verifyDenoiser(denoiser, {
      seed: 1,
      sigmaMin: 0.01,
      sigmaMax: 10,
      levels: 3,
      reference,
    })
    const check = (name: string) => report.checks.find((each) => each.name === name)
    for (const name of ['finite', 'adjoint', 'differences', 'providers']) {
      expect(check(name)).toMatchObject({ status: 'pass' })
    }
    await denoiser.release()
    await reference.release()
  })

  test('a lost device rejects the run, which ONNX Runtime itself would resolve', async () => {
    const opened = await openDevice(gpu)
    const runtime = await nodeWebGpuRuntime(gpu, opened)
    const space = await createGpuVectors(opened.device, createCounters())
    const made = { graph: tinyModel('dynamic'), contract: tinyContract('dynamic'), shape, batch: 1 }
    const denoiser = createOnnxDenoiser({ ...made, space, runtime, derivatives: ['vjp'] })
    const [xT, out] = [space.vector('x', 1, size), space.vector('out', 1, size)]
    const linear = await denoiser.linearize(xT, 1)
    await linear.vjp(xT, out)
    opened.device.destroy()
    await expect(linear.vjp(xT, out)).rejects.toBeInstanceOf(DeviceLostError)
    await expect(denoiser.denoise(xT, 1, out)).rejects.toBeInstanceOf(DeviceLostError)
    await denoiser.release()
  })
})
