/** What a denoiser holds when something goes wrong half way, counted with a runtime that computes nothing. */
import { beforeEach, describe, expect, test } from 'vitest'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import { elementCount } from '../../src/onnx/tensor'
import { readModel } from '../../src/onnx/model'
import { createOnnxDenoiser } from '../../src/onnx/session/denoiser'
import { OrtRuntime, type OrtModule } from '../../src/onnx/session/runtime'
import { tinyContract, tinyModel } from './tinyModel'

const live = { tensors: 0, sessions: 0, running: 0, atOnce: 0 }
/** Called at each run and creation; may throw or wait. */
let hook: (event: 'run' | 'create') => void | Promise<void> = () => undefined
let fill = 1

class CountedTensor {
  constructor(
    readonly type: string,
    readonly data: Float32Array,
    readonly dims: readonly number[],
  ) {}
  disposed = false
  dispose(): void {
    if (this.disposed || this.type !== 'output') return
    this.disposed = true
    live.tensors--
  }
}

async function createSession(bytes: Uint8Array) {
  await hook('create')
  live.sessions++
  const { outputs } = readModel(bytes)
  return {
    async run(_feeds: unknown, names: readonly string[]) {
      live.atOnce = Math.max(live.atOnce, ++live.running)
      try {
        await hook('run')
      } finally {
        live.running--
      }
      const made = outputs.filter(({ name }) => names.includes(name))
      live.tensors += made.length
      return Object.fromEntries(
        made.map(({ name, shape }) => {
          const sizes = shape.map(Number)
          return [name, new CountedTensor('output', new Float32Array(elementCount(sizes)).fill(fill), sizes)]
        }),
      )
    },
    async release() {
      await Promise.resolve()
      live.sessions--
    },
  }
}

const module = {
  InferenceSession: { create: createSession },
  Tensor: CountedTensor,
} as unknown as OrtModule

const size = 3 * 6 * 10

/** Batch 3 through a model of batch 2: two chunks. */
function made() {
  const space = createCpuVectors()
  const denoiser = createOnnxDenoiser({
    graph: tinyModel(2),
    contract: tinyContract(2),
    shape: { channels: 3, height: 6, width: 10 },
    batch: 3,
    space,
    runtime: new OrtRuntime('native', module),
    derivatives: ['vjp', 'jvp'],
  })
  return { denoiser, x: space.vector('x', 3, size), out: space.vector('out', 3, size) }
}

beforeEach(() => {
  Object.assign(live, { tensors: 0, sessions: 0, running: 0, atOnce: 0 })
  hook = () => undefined
  fill = 1
})

/** Throws at the n-th such event. */
function failAt(which: 'run' | 'create', n: number): void {
  let seen = 0
  hook = (event) => {
    if (event === which && ++seen === n) throw new Error('bad luck')
  }
}

describe('a denoiser frees what it holds', () => {
  test('where the second chunk of a forward pass fails', async () => {
    const { denoiser, x, out } = made()
    failAt('run', 2)
    await expect(denoiser.linearize(x, 1)).rejects.toThrow('bad luck')
    expect(live.tensors).toBe(0)
    const linear = await denoiser.linearize(x, 1)
    const { tensors } = live
    expect(tensors).toBeGreaterThan(0)
    await linear.vjp(x, out)
    expect(live.tensors).toBe(tensors)
    await denoiser.release()
    expect(live).toMatchObject({ tensors: 0, sessions: 0 })
  })

  test('where the output is not finite', async () => {
    const { denoiser, x } = made()
    fill = NaN
    await expect(denoiser.linearize(x, 1)).rejects.toThrow('not finite')
    expect(live.tensors).toBe(0)
    await denoiser.release()
  })

  test('where a session cannot be built, and builds it the next time', async () => {
    const { denoiser, x, out } = made()
    failAt('create', 2)
    const linear = await denoiser.linearize(x, 1)
    await expect(linear.vjp(x, out)).rejects.toThrow('could not build the VJP')
    await linear.vjp(x, out)
    await denoiser.release()
    expect(live).toMatchObject({ tensors: 0, sessions: 0 })
  })

  test('where it is released during a pass, after which it works no more', async () => {
    const { denoiser, x, out } = made()
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    hook = (event) => (event === 'run' ? gate : undefined)
    const pass = denoiser.linearize(x, 1)
    await new Promise((resolve) => setTimeout(resolve))
    const released = denoiser.release()
    go()
    const linear = await pass
    await released
    expect(live).toMatchObject({ tensors: 0, sessions: 0 })
    await expect(linear.vjp(x, out)).rejects.toThrow('was released')
    await expect(denoiser.denoise(x, 1, out)).rejects.toThrow('was released')
    await denoiser.release()
    expect(live.sessions).toBe(0)
  })

  test('where two passes begin at once: they run one after the other, and the first linearization has ended', async () => {
    const { denoiser, x, out } = made()
    const [first, second] = await Promise.all([denoiser.linearize(x, 1), denoiser.linearize(x, 2)])
    await expect(first.vjp(x, out)).rejects.toThrow('has ended')
    await second.vjp(x, out)
    expect(live.atOnce).toBe(1)
    await denoiser.release()
    expect(live).toMatchObject({ tensors: 0, sessions: 0 })
  })
})
