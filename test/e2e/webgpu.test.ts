/** What the other end-to-end tests stand on: the browser under test computes with WebGPU in a Web Worker. */
import { expect, it } from 'vitest'
import { openBrowser } from './browser'

const { openPage } = openBrowser()

/** Doubles 0, 1, 2, 3 in a compute shader and posts the result; posts a sentence if it cannot. */
const WORKER = `
  async function compute() {
    const adapter = await navigator.gpu?.requestAdapter()
    if (!adapter) return 'no adapter'
    const device = await adapter.requestDevice()
    const code = \`
      @group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = 2 * f32(id.x); }\`
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    })
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })
    const result = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer } }],
      }),
    )
    pass.dispatchWorkgroups(1)
    pass.end()
    encoder.copyBufferToBuffer(buffer, 0, result, 0, 16)
    device.queue.submit([encoder.finish()])
    await result.mapAsync(GPUMapMode.READ)
    const values = [...new Float32Array(result.getMappedRange())]
    device.destroy()
    return values
  }
  compute().then(postMessage, (error) => postMessage(String(error)))
`

function runWorker(source: string): Promise<unknown> {
  return new Promise((resolve) => {
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))
    worker.addEventListener('message', (event) => resolve(event.data))
    worker.addEventListener('error', (event) => resolve(event.message))
  })
}

it('computes with WebGPU in a Web Worker', async () => {
  const { page, errors } = await openPage({ blank: true })
  expect(await page.evaluate(runWorker, WORKER)).toEqual([0, 2, 4, 6])
  expect(errors).toEqual([])
})

it('can stand for a browser without WebGPU, in workers as well', async () => {
  const { page, errors } = await openPage({ blank: true, webgpu: false })
  expect(await page.evaluate(() => 'gpu' in navigator)).toBe(false)
  expect(await page.evaluate(runWorker, `postMessage('gpu' in navigator)`)).toBe(false)
  expect(errors).toEqual([])
})

it('can stand for a machine whose GPU is refused', async () => {
  const { page } = await openPage({ blank: true, webgpu: 'no-adapter' })
  expect(await page.evaluate(() => 'gpu' in navigator)).toBe(true)
  expect(await page.evaluate(runWorker, WORKER)).toBe('no adapter')
})
