import { describe, expect, it } from 'vitest'
import { checkRule, random } from '../checkRule'

describe('MatMul', () => {
  const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [
    [
      [3, 4],
      [4, 5],
    ],
    [
      [2, 3, 4],
      [4, 5],
    ],
    [
      [3, 4],
      [2, 4, 5],
    ],
    [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    [
      [2, 3, 5, 4],
      [2, 3, 4, 7],
    ],
    [[4], [4]],
    [[4], [4, 3]],
    [[2, 3, 4], [4]],
    [[4], [2, 4, 3]],
    [
      [1, 3, 4],
      [4, 2],
    ],
    [
      [3, 4],
      [1, 4, 2],
    ],
  ]
  for (const [a, b] of shapes)
    it(`[${a.join(', ')}] times [${b.join(', ')}]`, () =>
      checkRule('MatMul', { inputs: [random(a, 1), random(b, 2)] }))

  it('says which sizes differ', () =>
    expect(checkRule('MatMul', { inputs: [random([2, 3]), random([4, 2])] })).rejects.toThrow(
      '3 and 4 differ',
    ))
})

describe('Gemm', () => {
  for (const transA of [0, 1])
    for (const transB of [0, 1])
      it(`transA ${transA}, transB ${transB}`, async () => {
        const inputs = [random(transA ? [4, 3] : [3, 4], 1), random(transB ? [5, 4] : [4, 5], 2)]
        await checkRule('Gemm', { inputs, attributes: { transA, transB } })
        for (const bias of [[5], [1, 5], [3, 1], [3, 5], []])
          await checkRule('Gemm', {
            inputs: [...inputs, random(bias, 3)],
            attributes: { transA, transB, alpha: { float: 0.5 }, beta: { float: 2 } },
          })
      })

  it('says which bias does not fit', () =>
    expect(checkRule('Gemm', { inputs: [random([2, 3]), random([3, 4]), random([3])] })).rejects.toThrow(
      'do not fit each other',
    ))
})

describe('Einsum', () => {
  const equations: readonly (readonly [string, ...(readonly (readonly number[])[])])[] = [
    ['ij,jk->ik', [2, 3], [3, 4]],
    ['bhqd,bhkd->bhqk', [2, 2, 3, 4], [2, 2, 5, 4]],
    ['bhqk,bkhd->bqhd', [2, 3, 4, 5], [2, 5, 3, 2]],
    ['bsi,io->bso', [2, 3, 4], [4, 5]],
    ['i,j->ji', [3], [4]],
    ['ij,ij->', [3, 4], [3, 4]],
    ['ijk,jl->il', [2, 3, 4], [3, 5]],
    ['...ij,...jk->...ik', [2, 5, 3, 4], [2, 5, 4, 2]],
    ['...ij,jk->...ki', [2, 3, 4], [4, 2]],
    ['ij,jk', [2, 3], [3, 4]],
    ['ba', [2, 3]],
    ['ijk->ki', [2, 3, 4]],
    ['i...->...', [2, 3, 4]],
    ['...i,...i', [2, 3], [2, 3]],
    ['ij,jk,kl->il', [2, 3], [3, 4], [4, 2]],
  ]
  for (const [equation, ...shapes] of equations)
    it(`of ${equation}`, () =>
      checkRule('Einsum', {
        inputs: shapes.map((shape, i) => random(shape, i + 1)),
        attributes: { equation },
      }))

  it('refuses constants that would take forever', async () => {
    const inputs = [1, 2, 3].map((seed) => random([1000], seed))
    const check = checkRule('Einsum', { inputs, constants: [0, 1, 2], attributes: { equation: 'a,b,c->' } })
    await expect(check).rejects.toThrow('too much to compute')
  })

  it('says what it does not support', async () => {
    const refusals = [
      ['ii->i', 'diagonal'],
      ['ij->ik', '"k"'],
      ['ijk->i', '3 letters for 2 dimensions'],
      ['i,j->', '1 operands'],
      ['i1->i', 'not letters'],
    ] as const
    for (const [equation, message] of refusals) {
      const attributes = { equation }
      await expect(checkRule('Einsum', { inputs: [random([3, 3])], attributes })).rejects.toThrow(message)
    }
  })
})
