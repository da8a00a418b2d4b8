import { describe, expect, test } from 'vitest'
import { betaFromUniforms, mulHigh, philox, RandomStream, uniformIndex, unit } from '../../src/math/philox'

function words(counter: number[], key: number[]): number[] {
  const out = new Uint32Array(4)
  philox(out, counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!)
  return [...out]
}

describe('Philox4x32-10', () => {
  // Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
  test('gives the published known answers', () => {
    const ones = 0xffffffff
    expect(words([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
    expect(words([ones, ones, ones, ones], [ones, ones])).toEqual([
      0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
    ])
    expect(words([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ])
  })

  test('mulHigh is the high word of the 64-bit product', () => {
    const values = [0, 1, 2, 0xffff, 0x10000, 0x12345678, 0x7fffffff, 0x80000000, 0xd2511f53, 0xffffffff]
    for (const a of values) {
      for (const b of values) expect(mulHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n))
    }
  })

  test('unit stays inside (0, 1) and is exact in float32', () => {
    for (const word of [0, 511, 512, 0x80000000, 0xffffffff]) {
      expect(unit(word)).toBeGreaterThan(0)
      expect(unit(word)).toBeLessThan(1)
      expect(Math.fround(unit(word))).toBe(unit(word))
    }
  })

  test('uniformIndex covers [0, count)', () => {
    expect(uniformIndex(0, 7)).toBe(0)
    expect(uniformIndex(0xffffffff, 7)).toBe(6)
  })
})

describe('distributions', () => {
  test('normals have the moments of N(0, 1) and no correlation within a block', () => {
    const random = new RandomStream(3, 1)
    const samples = 20_000
    const row = new Float64Array(4)
    const sum = new Float64Array(4)
    const second = new Float64Array(16)
    let fourth = 0
    for (let i = 0; i < samples; i++) {
      random.fillNormals(row, 0, 4, i, 0, 1)
      for (let a = 0; a < 4; a++) {
        sum[a]! += row[a]!
        fourth += row[a]! ** 4
        for (let b = 0; b < 4; b++) second[4 * a + b]! += row[a]! * row[b]!
      }
    }
    const error = 4 / Math.sqrt(samples)
    for (let a = 0; a < 4; a++) {
      expect(Math.abs(sum[a]! / samples)).toBeLessThan(error)
      for (let b = 0; b < 4; b++) {
        expect(Math.abs(second[4 * a + b]! / samples - (a === b ? 1 : 0))).toBeLessThan(
          error * (a === b ? 1.5 : 1),
        )
      }
    }
    expect(Math.abs(fourth / (4 * samples) - 3)).toBeLessThan(4 * Math.sqrt(96 / (4 * samples)))
  })

  test('a prefix of the normals does not depend on how many are drawn', () => {
    const random = new RandomStream(9, 4)
    const long = new Float64Array(11)
    random.fillNormals(long, 0, 11, 5, 6, 7)
    for (let count = 1; count < 11; count++) {
      const short = new Float64Array(count + 2)
      random.fillNormals(short, 1, count, 5, 6, 7)
      expect([...short]).toEqual([0, ...long.subarray(0, count), 0])
    }
  })

  test('Beta(alpha, beta) has its mean and variance', () => {
    const random = new RandomStream(1, 2)
    for (const [alpha, beta] of [
      [3, 3],
      [1, 4],
      [5, 2],
    ] as const) {
      const samples = 20_000
      const uniforms = new Float64Array(16)
      let sum = 0
      let square = 0
      for (let i = 0; i < samples; i++) {
        random.fillUniforms(uniforms, 0, 16, i, 0, 2, 1)
        const t = betaFromUniforms(uniforms, 0, alpha, beta)
        sum += t
        square += t * t
      }
      const mean = alpha / (alpha + beta)
      const variance = (alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1))
      expect(Math.abs(sum / samples - mean)).toBeLessThan(4 * Math.sqrt(variance / samples))
      expect(Math.abs(square / samples - (sum / samples) ** 2 - variance)).toBeLessThan(0.05 * variance)
    }
  })
})
