import { describe, expect, test } from 'vitest'
import { ImageGaussianDenoiser } from '../../../src/diffusion/image/gaussian'
import { runCell } from '../../../src/experiments/images/benchmark'
import { type BenchmarkMethod, parseMethod } from '../../../src/experiments/images/benchmarkMethods'
import {
  benchmarkHeader,
  benchmarkMarkdown,
  benchmarkRow,
  readRows,
  writeRow,
} from '../../../src/experiments/images/benchmarkTable'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'

function methodOf(text: string): BenchmarkMethod {
  const method = parseMethod(text)
  if (typeof method === 'string') throw new Error(method)
  return method
}

describe('names of methods', () => {
  test('are completed, and read back as they are written', () => {
    for (const [text, name] of [
      ['mmps', 'mmps=1/gmres'],
      ['mmps=5/cg', 'mmps=5/cg'],
      ['dps=0.5', 'dps=0.5'],
      ['tmpd', 'tmpd'],
    ] as const) {
      expect(methodOf(text).name).toBe(name)
      expect(methodOf(name)).toEqual(methodOf(text))
    }
  })

  test('that are wrong are explained', () => {
    expect(parseMethod('ddrm')).toContain('mmps, ')
    expect(parseMethod('tmpd=3')).toContain('no number')
    expect(parseMethod('mmps=99')).toContain('mmps=99')
    expect(parseMethod('dps=1/cg')).toContain('only mmps')
  })
})

describe('the table', () => {
  const cell = { task: 'box', method: 'dps=1', steps: 10, images: 3, seconds: 2.5 } as const
  const scores = { psnr: [20, 21, 22], ssim: [0.5, 0.5, 0.5], lpips: null, misfit: [1, 1, 4], residual: null }
  const row = benchmarkRow(cell, { ...scores, seconds: 2.5 })

  test('has means and their standard errors', () => {
    expect(row.psnr!.mean).toBe(21)
    expect(row.psnr!.error).toBeCloseTo(1 / Math.sqrt(3), 12)
    expect(row.lpips).toBeNull()
  })

  test('is read back from its file, without the half line that a killed run left', () => {
    const failed = benchmarkRow({ ...cell, task: 'mri' }, null)
    const text = `# setting\n${benchmarkHeader}\n${writeRow(row)}\n${writeRow(failed)}\n`
    const read = readRows(`${text}box,dps=1,100,3,19.`, '# setting')
    expect(read.text).toBe(text)
    expect(read.rows[0]!.psnr!.mean).toBe(21)
    expect(read.rows.map(writeRow)).toEqual([writeRow(row), writeRow(failed)])
    expect(read.rows[1]!.psnr).toBeNull()
    expect(() => readRows(text, '# other')).toThrow('another model')
    expect(() => readRows(`${text}box,dps=1\n`, '# setting')).toThrow('damaged line: "box,dps=1"')
  })

  test('has the best of each column and number of steps in bold', () => {
    const better = benchmarkRow(
      { ...cell, method: 'tmpd' },
      { ...scores, psnr: [23, 24, 25], ssim: [0.4, 0.4, 0.4], seconds: 1 },
    )
    const failed = benchmarkRow({ ...cell, method: 'jfps' }, null)
    const markdown = benchmarkMarkdown([row, better, failed], ['dps=1', 'tmpd', 'jfps'].map(methodOf))
    expect(markdown.split('\n').filter((line) => line.startsWith('| '))).toEqual([
      '| Method | Steps | Box |',
      '| --- | --: | --: |',
      '| DPS, ζ = 1 | 10 | 21.00 ± 0.58 |',
      '| TMPD | 10 | **24.00** ± 0.58 |',
      '| JFPS | 10 | not finite |',
      '| Method | Steps | Box |',
      '| --- | --: | --: |',
      '| DPS, ζ = 1 | 10 | **0.500** ± 0.000 |',
      '| TMPD | 10 | 0.400 ± 0.000 |',
      '| JFPS | 10 | not finite |',
    ])
  })
})

describe('a cell', () => {
  const space = createCpuVectors()
  const primitives = createCpuImagePrimitives(space)
  const shape = { channels: 1, height: 12, width: 12 }
  const size = 144

  test('judges each image once, on measurements that do not depend on the method', async () => {
    const denoiser = new ImageGaussianDenoiser(space, shape, 2, new Float32Array(size), {
      variances: new Float64Array(size).fill(0.25),
    })
    const images = Float32Array.from({ length: 3 * size }, (_, i) => 0.5 * Math.sin(1.3 * i))
    const request = { denoiser, primitives, range: { sigmaMin: 0.01, sigmaMax: 20 }, images, seed: 1 }
    const seen: number[][] = []
    const cell = async (name: string) => {
      const scores = await runCell({
        ...request,
        task: 'box',
        sigmaY: 0.01,
        method: methodOf(name),
        steps: 8,
        distance: async (_, truths) => {
          seen.push(Array.from(truths))
          return [0.25, 0.5]
        },
      })
      return scores!
    }
    const [mmps, pigdm] = [await cell('mmps'), await cell('pigdm')]
    expect(mmps.psnr).toHaveLength(3)
    // with white noise as its prior, MMPS(1) and ΠGDM solve inpainting exactly, if not with the same V
    for (const { misfit, psnr } of [mmps, pigdm]) {
      for (const value of misfit) expect(value).toBeLessThan(1.3)
      for (const value of psnr) expect(value).toBeGreaterThan(8)
    }
    expect(await cell('mmps')).toMatchObject({ psnr: mmps.psnr, misfit: mmps.misfit })
    // the second batch is filled up with its last image, which counts once
    expect(mmps.lpips).toEqual([0.25, 0.5, 0.25])
    expect(seen[1]!.slice(0, size)).toEqual(seen[1]!.slice(size))
    expect(seen.slice(0, 2)).toEqual(seen.slice(2, 4))
  })
})
