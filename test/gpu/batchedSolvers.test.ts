import { describe } from 'vitest'
import { createCounters } from '../../src/gpu/buffers'
import { createGpuVectors } from '../../src/gpu/vectors'
import { describeAgreement } from '../linalg/batched/agreement'
import { openTestDevice } from './adapter'

const { device } = await openTestDevice()
const space = await createGpuVectors(device, createCounters())

describe('on the GPU', () => {
  describeAgreement(space)
})
