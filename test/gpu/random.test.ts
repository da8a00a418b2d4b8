import { describe, expect, it } from 'vitest'
import randomSource from '../../shaders/shared/random.wgsl?raw'
import sincosSource from '../../shaders/shared/sincos.wgsl?raw'
import { createComputeKernel } from '../../src/gpu/compile'
import { RandomStream } from '../../src/math/philox'
import { openTestDevice } from './adapter'

const { device, scope } = await openTestDevice()

/** Words and normals at counters (i, 2, 3, domain) for i < count, one vec4 each. */
const code = `${sincosSource}\n${randomSource}
@group(0) @binding(0) var<storage, read> counters: array<vec4u>;
@group(0) @binding(1) var<storage, read> keys: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> gaussians: array<vec4f>;
@compute @workgroup_size(64) fn draw(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&counters)) { return; }
  let r = philox(counters[id.x], keys[id.x]);
  words[id.x] = r;
  gaussians[id.x] = normals(r);
}`
const kernel = await createComputeKernel(device, { label: 'random test', code, entryPoint: 'draw' })

async function draw(counters: number[][], keys: number[][]) {
  const count = counters.length
  const words = scope.storage('words', count * 16)
  const gaussians = scope.storage('gaussians', count * 16)
  const inputs = [counters, keys].map((rows, i) => scope.upload(`input ${i}`, Uint32Array.from(rows.flat())))
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(kernel.pipeline)
  pass.setBindGroup(0, kernel.bind([...inputs, words, gaussians]))
  pass.dispatchWorkgroups(Math.ceil(count / 64))
  pass.end()
  scope.submit(encoder)
  return {
    words: new Uint32Array(await scope.read(words, count * 16)),
    gaussians: new Float32Array(await scope.read(gaussians, count * 16)),
  }
}

describe('random numbers in the kernels', () => {
  it('are the published Philox4x32-10 vectors (Random123, kat_vectors)', async () => {
    const ones = 0xffffffff
    const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]
    const { words } = await draw(
      [[0, 0, 0, 0], [ones, ones, ones, ones], pi],
      [
        [0, 0],
        [ones, ones],
        [0xa4093822, 0x299f31d0],
      ],
    )
    expect([...words].map((word) => word.toString(16))).toEqual(
      '6627e8d5 e169c58d bc57ac4c 9b00dbd8 408f276d 41c83b0e a20bc7c6 6d5451fd d16cfe09 94fdcceb 5001e420 24126ea1'.split(
        ' ',
      ),
    )
  })

  it('are the words and, within rounding, the normals of the twin', async () => {
    const count = 512
    const counters = Array.from({ length: count }, (_, i) => [i * 7919, 2, 3, i % 10])
    const { words, gaussians } = await draw(
      counters,
      counters.map(() => [42, 7]),
    )
    const random = new RandomStream(42, 7)
    const normals = new Float64Array(4)
    let square = 0
    for (const [i, [index, step, block, domain]] of counters.entries()) {
      expect([...words.subarray(4 * i, 4 * i + 4)]).toEqual([...random.block(index!, step!, block!, domain!)])
      random.fillNormals(normals, 0, 4, index!, step!, domain!, block)
      for (let j = 0; j < 4; j++) {
        expect(Math.abs(gaussians[4 * i + j]! - normals[j]!)).toBeLessThan(2e-6)
        square += gaussians[4 * i + j]! ** 2
      }
    }
    expect(Math.abs(square / (4 * count) - 1)).toBeLessThan(0.1)
  })
})
