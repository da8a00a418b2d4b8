import { afterAll, describe, expect, it } from 'vitest'
import { DeviceLimitError, DeviceLostError } from '../../src/diffusion/backend'
import { createCounters } from '../../src/gpu/buffers'
import { ShaderError, composeShader, createComputeKernel } from '../../src/gpu/compile'
import { WebGpuUnavailableError, openDevice } from '../../src/gpu/device'
import { type JobContext, withJob } from '../../src/gpu/job'
import { gpu, openTestDevice } from './adapter'

const { device } = await openTestDevice()

describe('opening a device', () => {
  it('names the adapter', async () => {
    const opened = await openDevice(gpu)
    afterAll(() => opened.device.destroy())
    expect(opened.name.length).toBeGreaterThan(2)
  })

  it('explains a browser without WebGPU', async () => {
    const error = await openDevice(undefined).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(WebGpuUnavailableError)
    expect((error as WebGpuUnavailableError).reason).toBe('no-webgpu')
    expect((error as Error).message).toContain('Use a current Chrome')
  })

  it('explains a missing adapter, a refused device, and limits below what is needed', async () => {
    const adapter = (parts: object) => ({ requestAdapter: async () => parts }) as unknown as GPU
    const none = { requestAdapter: async () => null } as unknown as GPU
    await expect(openDevice(none)).rejects.toThrow('hardware acceleration')
    const limits = {
      maxComputeWorkgroupStorageSize: 16384,
      maxComputeInvocationsPerWorkgroup: 256,
      maxStorageBuffersPerShaderStage: 8,
    }
    const info = { vendor: 'acme', architecture: 'one', description: '', device: '' }
    const features = new Set()
    const refusing = adapter({ limits, info, features, requestDevice: () => Promise.reject(new Error('no')) })
    await expect(openDevice(refusing)).rejects.toThrow('"acme one" did not give a device')
    const small = adapter({ limits: { ...limits, maxComputeInvocationsPerWorkgroup: 128 }, info })
    await expect(openDevice(small)).rejects.toBeInstanceOf(DeviceLimitError)
  })
})

describe('a job', () => {
  const contextOf = (opened: JobContext['opened']): JobContext => ({
    opened,
    counters: createCounters(),
    kernel: (_, create) => create(opened.device),
  })

  it('says how much would fit when a buffer is too large', async () => {
    const opened = await openDevice(gpu)
    afterAll(() => opened.device.destroy())
    const over = opened.device.limits.maxBufferSize
    const run = withJob(contextOf(opened), undefined, async (job) => job.requireBinding(over, 8, 'samples'))
    await expect(run).rejects.toThrow(/do not fit into one GPU buffer of \d+ MiB; \d+ would/)
  })

  it('turns a command that the device refuses into an error', async () => {
    const opened = await openDevice(gpu)
    afterAll(() => opened.device.destroy())
    const run = withJob(contextOf(opened), undefined, (job) =>
      job.submit((encoder) => {
        encoder.copyBufferToBuffer(job.scope.storage('a', 16), 0, job.scope.storage('b', 16), 8, 16)
      }),
    )
    await expect(run).rejects.toThrow('The GPU refused a command')
  })

  it('rejects with DeviceLostError when the device goes away, also when nothing else would settle', async () => {
    const opened = await openDevice(gpu)
    const waiting = withJob(contextOf(opened), undefined, () => new Promise<void>(() => {}))
    const reading = withJob(contextOf(opened), undefined, (job) =>
      job.scope.read(job.scope.storage('a', 64), 64),
    )
    const caught = [waiting, reading].map((run) => run.catch((e: unknown) => e))
    opened.device.destroy()
    for (const error of await Promise.all(caught)) expect(error).toBeInstanceOf(DeviceLostError)
    expect(await opened.lost).toContain('closed')
    const after = withJob(contextOf(opened), undefined, (job) => job.compute(() => undefined))
    await expect(after).rejects.toBeInstanceOf(DeviceLostError)
  })
})

describe('shaders', () => {
  it('take constants of every type', () => {
    expect(
      composeShader({ A: 5, B: 0.5, C: true, D: { f32: 2 }, E: 'array<u32, 1>(7u)' }, ['fn f() {}']),
    ).toBe(
      'const A = 5u;\nconst B = f32(0.5);\nconst C = true;\nconst D = f32(2);\nconst E = array<u32, 1>(7u);\nfn f() {}',
    )
  })

  it('that do not compile say where', async () => {
    const code = '@compute @workgroup_size(1) fn main() {\n  let x = y;\n}'
    const error = await createComputeKernel(device, { label: 'broken', code, entryPoint: 'main' }).catch(
      (e: unknown) => e,
    )
    expect(error).toBeInstanceOf(ShaderError)
    expect((error as Error).message).toContain('broken:2:11')
  })
})
