import { describe, expect, test } from 'vitest'
import { DeviceLostError } from '../../src/diffusion/backend'
import { openDevice } from '../../src/gpu/device'
import { createCounters } from '../../src/gpu/buffers'
import { createGpuVectors } from '../../src/gpu/vectors'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import type { Vector, VectorSpace } from '../../src/linalg/vectorSpace'
import { splitModel } from '../../src/onnx/differentiate'
import { createOnnxDenoiser } from '../../src/onnx/session/denoiser'
import { nodeWasmRuntime, nodeWebGpuRuntime } from '../../src/onnx/session/nodeRuntimes'
import type { OrtRuntime, OrtSession } from '../../src/onnx/session/runtime'
import { evaluateModel } from '../../src/onnx/session/evaluate'
import { specialize } from '../../src/onnx/simplify'
import { norm, verifyDenoiser } from '../../src/onnx/verify'
import { random } from '../onnx/checkRule'
import { draw } from '../onnx/graphs'
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
      // 60 pixels, two convolutions of 3 × 3 between 3 and 8 channels, in one run of 3 images or two of 2
      const images = found.facts.chunks === 1 ? 3 : 4
      expect(found.facts.flops).toBe(images * 60 * 2 * (2 * 9 * 3 * 8))
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

  test('records products, and gives the same bits as without at other points and vectors', async () => {
    const opened = await openTestDevice()
    const runtime = await nodeWebGpuRuntime(gpu, opened)
    const space = await createGpuVectors(opened.device, createCounters())
    const recorded: OrtSession[] = []
    const watched = (records: boolean) =>
      Object.create(runtime, {
        session: {
          async value(model: Uint8Array, what: string, asked = false) {
            if (asked && !records) throw new Error('no recordings here')
            const session = await runtime.session(model, what, asked)
            if (asked) recorded.push(session)
            return session
          },
        },
      }) as OrtRuntime
    const made = (label: string): Vector => space.vector(label, 3, size)
    const [x, v, out] = [made('x'), made('v'), made('out')]
    const points = 4
    const run = async (records: boolean) => {
      const denoiser = createOnnxDenoiser({
        graph: tinyModel('dynamic'),
        contract: tinyContract('dynamic'),
        shape,
        batch: 3,
        space,
        runtime: watched(records),
        derivatives: ['vjp', 'jvp'],
      })
      const results: Float32Array[] = []
      for (let point = 0; point < points; point++) {
        space.fillNormal(x, { seed: 1, stream: 0, step: point, domain: 0 })
        const { vjp, jvp } = await denoiser.linearize(x, 0.1 + point)
        for (const [k, product] of [vjp, jvp, vjp].entries()) {
          space.fillNormal(v, { seed: 2, stream: k, step: point, domain: 0 })
          await product(v, out)
          results.push(await space.read(out))
        }
      }
      const { vjp } = denoiser.passes
      await denoiser.release()
      return { results, vjp }
    }
    const [found, expected] = [await run(true), await run(false)]
    expect(found).toEqual(expected)
    // recordings of the VJP and the JVP saw every product: three beside ordinary ones, then alone
    expect(recorded.map(({ what, runs }) => [what, runs])).toEqual([
      ['the VJP', 2 * points],
      ['the JVP', points],
    ])
    space.destroy()
  })

  test('keeps comparisons on the GPU between the passes', async () => {
    const shape = [1, 2, 4, 6]
    const graph = draw(17, { x: shape }, (build) => {
      const chosen = build.node('Where', [
        build.node('Greater', ['x', build.scalar(0.1, 'x')]),
        build.node('Sin', ['x']),
        build.mul('x', 'x'),
      ])
      const pooled = build.node('MaxPool', [chosen], { kernel_shape: [2, 2], strides: [1, 1] })
      const clipped = build.node('Clip', [pooled, build.scalar(-0.4, pooled), build.scalar(0.6, pooled)])
      const largest = build.node('ReduceMax', [clipped], { axes: [3] })
      const steep = build.node('LeakyRelu', [build.node('Relu', [build.sub(clipped, largest)])])
      return { y: build.add(build.node('Abs', [clipped]), build.add(steep, largest)) }
    })
    const split = splitModel(specialize(graph, {}), { input: 'x', output: 'y', derivatives: ['vjp', 'jvp'] })
    expect(new Set(split.residuals.map(({ type }) => type.type))).toContain('bool')
    const given = {
      x: random(shape, 3),
      v: random(split.forward.outputs[0]!.shape.map(Number), 4),
      u: random(shape, 5),
    }
    const run = (on: OrtRuntime) => evaluateModel(on, split, 'y', given, given)
    const found = await run(await nodeWebGpuRuntime(gpu, await openTestDevice()))
    const exact = await run(await nodeWasmRuntime())
    for (const key of ['output', 'vjp', 'jvp'] as const) {
      expect(norm(exact[key]!)).toBeGreaterThan(0.5)
      expect(norm(found[key]!, exact[key])).toBeLessThan(1e-5 * norm(exact[key]!))
    }
    expect(found.onCpu).toEqual([])
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
