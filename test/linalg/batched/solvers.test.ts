import { describe, expect, it } from 'vitest'
import { BatchedCg } from '../../../src/linalg/batched/cg'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { describeAgreement } from './agreement'
import { denseMap, vectorFrom } from './dense'

const space = createCpuVectors()

describe('on the CPU', () => {
  describeAgreement(space)

  it('ends as soon as every sample has stopped', async () => {
    const { map, counted } = denseMap(space, [2, 0, 0, 2, -1, 0, 0, -1], 2, 2)
    const b = vectorFrom(space, 2, [1, 2, 3, 4])
    const x = space.vector('x', 2, 2)
    await new BatchedCg(space, 2, 2).solve(map, b, x, 10)
    expect(counted.products).toBe(1)
    expect([...(await space.read(x))]).toEqual([0.5, 1, 0, 0])
  })
})
