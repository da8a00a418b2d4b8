import { describe, expect, it } from 'vitest'
import {
  describeMeasurement,
  measure,
  measurementPicture,
  observationPicture,
} from '../../../src/experiments/images/measurement'
import {
  defaultImagesSettings,
  type ImagesSettings,
  type TaskName,
} from '../../../src/experiments/images/settings'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { createImageOperator } from '../../../src/operators/createOperator'
import { type ImageShape, sizeOf } from '../../../src/operators/types'
import { normals, vectorOf } from '../../operators/operators'

const space = createCpuVectors()
const primitives = createCpuImagePrimitives(space)
const tasks: TaskName[] = ['box', 'brush', 'random', 'motion', 'gaussian', 'superres', 'mri', 'gray']
const drawings = {
  strokes: [{ points: [[0.2, 0.3] as const, [0.7, 0.6] as const], width: 0.2, erase: false }],
  drawnKernel: null,
}

function measured(settings: ImagesSettings, shape: ImageShape) {
  const operator = createImageOperator(describeMeasurement(settings, shape, drawings), shape, 1, primitives)
  const x = vectorOf(space, 1, normals(sizeOf(shape), 1))
  const [clean, y] = [
    space.vector('A x', 1, sizeOf(operator.output)),
    space.vector('y', 1, sizeOf(operator.output)),
  ]
  operator.apply(x, clean)
  measure(space, operator, settings, x, y)
  return { operator, clean, y }
}

describe('the measurement of a task', () => {
  const shape = { channels: 3, height: 32, width: 32 }

  it.each(tasks)('%s has noise of sigma_y where it measures, and none elsewhere', async (task) => {
    const settings = { ...defaultImagesSettings, task, sigmaY: 0.3, taskSeed: 5 }
    const { operator, clean, y } = measured(settings, shape)
    const [without, noisy] = [await space.read(clean), await space.read(y)]
    let [squares, count] = [0, 0]
    noisy.forEach((value, i) => {
      if (value === without[i]) return
      squares += (value - without[i]!) ** 2
      count++
    })
    expect(count).toBe(operator.observed)
    // a mean of `observed` squares: relative standard deviation √(2 / observed)
    const ratio = squares / (operator.observed * 0.3 ** 2)
    expect(Math.abs(ratio - 1)).toBeLessThan(4 * Math.sqrt(2 / operator.observed))
    expect(await space.read(measured(settings, shape).y)).toEqual(noisy)
    expect(await space.read(measured({ ...settings, taskSeed: 6 }, shape).y)).not.toEqual(noisy)
  })

  it.each([16, 24, 40])('fits every task at side %i, at both ends of the settings', (side) => {
    const small = { channels: 3, height: side, width: side }
    const ends = [
      { boxSide: 0.05, kernelSide: 0.05, intensity: 0, blur: 0.005, factor: 2, acceleration: 1, centre: 0 },
      { boxSide: 0.9, kernelSide: 0.5, intensity: 1, blur: 0.1, factor: 4, acceleration: 16, centre: 0.0625 },
    ]
    for (const task of tasks) {
      for (const end of ends) {
        const { operator } = measured({ ...defaultImagesSettings, ...end, task }, small)
        expect(operator.observed).toBeGreaterThan(0)
      }
    }
  })

  it('has the paper’s kernels at 256 × 256', () => {
    const paper = { channels: 1, height: 256, width: 256 }
    const settings = { ...defaultImagesSettings, kernelSide: 61 / 256, blur: 3 / 256 }
    expect(describeMeasurement({ ...settings, task: 'gaussian' }, paper, drawings)).toEqual({
      kind: 'gaussianBlur',
      standardDeviation: 3,
      size: 61,
    })
    expect(describeMeasurement({ ...settings, task: 'motion' }, paper, drawings)).toMatchObject({ size: 61 })
  })

  it('takes the drawn kernel where there is one', () => {
    const settings = { ...defaultImagesSettings, task: 'motion' as const }
    const at = (drawnKernel: [number, number][] | null) =>
      describeMeasurement(settings, shape, { ...drawings, drawnKernel })
    const drawn = at([
      [-1, 0],
      [1, 0],
    ])
    expect(drawn).not.toEqual(at(null))
    expect(at([])).toEqual(at(null))
  })
})

describe('pictures of a measurement', () => {
  const shape = { channels: 3, height: 16, width: 16 }

  it.each(tasks)('%s has an observation of its own size', async (task) => {
    const settings = { ...defaultImagesSettings, task, sigmaY: 0.01 }
    const { operator, y } = measured(settings, shape)
    const { width, height, data } = await observationPicture(space, operator, y)
    expect([width, height]).toEqual(task === 'superres' ? [4, 4] : [16, 16])
    const alphas = data.filter((_, i) => i % 4 === 3)
    const { description } = operator
    if (description.kind === 'inpainting') {
      expect(alphas).toEqual(Uint8ClampedArray.from(description.mask, (m) => 255 * m))
    } else expect(alphas.every((a) => a === 255)).toBe(true)
    const picture = measurementPicture(description, shape)
    if (task === 'superres' || task === 'gray') expect(picture).toBeNull()
    else expect(Math.max(...picture!.data.filter((_, i) => i % 4 === 0))).toBe(255)
  })

  it('MRI with all columns shows the image, and its spectrum’s centre in the middle', async () => {
    const settings = { ...defaultImagesSettings, task: 'mri' as const, acceleration: 1, sigmaY: 1e-6 }
    const { operator, y } = measured(settings, shape)
    const image = normals(sizeOf(shape), 1)
    const { data } = await observationPicture(space, operator, y)
    for (let i = 0; i < 256; i++) {
      const expected = Math.min(255, Math.max(0, 127.5 * (image[i]! + 1)))
      expect(Math.abs(data[4 * i]! - expected)).toBeLessThan(0.51)
    }
    const columns = new Uint8Array(16)
    columns[0] = 1
    const spectrum = measurementPicture({ kind: 'mri', columns }, shape)!
    for (let j = 0; j < 16; j++) expect(spectrum.data[4 * j]).toBe(j === 8 ? 255 : 0)
  })
})
