import { describe, expect, it } from 'vitest'
import { createCounters } from '../../src/gpu/buffers'
import { createGpuImagePrimitives } from '../../src/gpu/imagePrimitives'
import { createGpuVectors } from '../../src/gpu/vectors'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../src/operators/cpuPrimitives'
import { createImageOperator } from '../../src/operators/createOperator'
import { createDct } from '../../src/operators/dct'
import type { ImagePrimitives } from '../../src/operators/primitives'
import { type LinearMap, sizeOf } from '../../src/operators/types'
import { descriptionsFor, dot, normals, relativeError, shapes, vectorOf } from '../operators/operators'
import { openTestDevice } from './adapter'

const { device } = await openTestDevice()
const counters = createCounters()
const vectors = await createGpuVectors(device, counters)
const gpu = await createGpuImagePrimitives(vectors)
const cpu = createCpuImagePrimitives(createCpuVectors())

const batch = 2
/** Of A x and Aᵀ y, between the devices; matrices and sums are float32 on the GPU. */
const TOLERANCE = 2e-6

const cases = shapes.flatMap((shape) =>
  descriptionsFor(shape).map((description) => ({ shape, description, kind: description.kind })),
)

async function applyBoth(
  { space }: ImagePrimitives,
  map: LinearMap,
  x: Float32Array,
  y: Float32Array,
): Promise<[ax: Float32Array, aty: Float32Array]> {
  const [ax, aty] = [
    space.vector('A x', batch, y.length / batch),
    space.vector('Aᵀ y', batch, x.length / batch),
  ]
  map.apply(vectorOf(space, batch, x), ax)
  map.adjoint(vectorOf(space, batch, y), aty)
  const results = [await space.read(ax), await space.read(aty)] as [Float32Array, Float32Array]
  map.release()
  space.release(ax, aty)
  return results
}

describe('image operators on the GPU', () => {
  it.each(cases)(
    'equal those of the CPU and have their adjoints: $kind of $shape',
    async ({ shape, description }) => {
      const create = (primitives: ImagePrimitives) =>
        createImageOperator(description, shape, batch, primitives)
      const expectedOperator = create(cpu)
      const x = normals(batch * sizeOf(shape), 1)
      const y = normals(batch * sizeOf(expectedOperator.output), 2)
      const [ax, aty] = await applyBoth(gpu, create(gpu), x, y)
      const [expectedAx, expectedAty] = await applyBoth(cpu, expectedOperator, x, y)
      expect(relativeError(ax, expectedAx)).toBeLessThan(TOLERANCE)
      expect(relativeError(aty, expectedAty)).toBeLessThan(TOLERANCE)
      const scale = Math.sqrt(dot(ax, ax) * dot(y, y))
      expect(Math.abs(dot(ax, y) - dot(x, aty)) / scale).toBeLessThan(TOLERANCE)
    },
  )

  it('transform cosines as the CPU does', async () => {
    const shape = { channels: 3, height: 9, width: 20 }
    const [x, y] = [normals(batch * 540, 1), normals(batch * 540, 2)]
    const [c, back] = await applyBoth(gpu, createDct(shape, batch, gpu), x, y)
    const [expectedC, expectedBack] = await applyBoth(cpu, createDct(shape, batch, cpu), x, y)
    expect(relativeError(c, expectedC)).toBeLessThan(TOLERANCE)
    expect(relativeError(back, expectedBack)).toBeLessThan(TOLERANCE)
  })

  it('take one dispatch for a mask, a blur or gray, two for a separable map, three for MRI', () => {
    const expected = { inpainting: 1, blur: 1, gaussianBlur: 2, superResolution: 2, mri: 3, gray: 1 }
    const shape = shapes[0]!
    for (const description of descriptionsFor(shape)) {
      const operator = createImageOperator(description, shape, 1, gpu)
      const [x, y] = [vectors.vector('x', 1, sizeOf(shape)), vectors.vector('y', 1, sizeOf(operator.output))]
      const before = counters.dispatches
      operator.apply(x, y)
      expect(counters.dispatches - before).toBe(expected[description.kind])
      operator.adjoint(y, x)
      expect(counters.dispatches - before).toBe(2 * expected[description.kind])
      operator.release()
      vectors.release(x, y)
    }
  })

  it('give the same bits twice', async () => {
    const shape = { channels: 3, height: 24, width: 40 }
    const x = normals(batch * sizeOf(shape), 1)
    for (const description of descriptionsFor(shape)) {
      const run = () => {
        const operator = createImageOperator(description, shape, batch, gpu)
        return applyBoth(gpu, operator, x, normals(batch * sizeOf(operator.output), 2))
      }
      expect(await run()).toEqual(await run())
    }
  })
})
