import { describe } from 'vitest'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { describeMethods } from './agreement'

const space = createCpuVectors()

describe('on the CPU', () => {
  describeMethods(space, createCpuImagePrimitives(space), [
    [80, 0.001],
    [80, 1],
    [1, 0.05],
    [0.05, 0.001],
    [0.002, 0.001],
    [0.002, 1],
  ])
})
