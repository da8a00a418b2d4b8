import { describe, expect, it } from 'vitest'
import { markdown, table, withSection } from '../../bench/report'
import type { Measured } from '../../bench/measure'
import { isCorrect } from '../../bench/run'

const measured: Measured = {
  name: 'ours',
  adapter: 'test',
  batch: 1024,
  firstMilliseconds: 5,
  repetitions: 4,
  rounds: [2, 2, 2],
  milliseconds: 2,
  gigaflops: 5,
  counts: { dispatches: 4, submits: 0.25, bytesReadBack: 1 },
  peakBytes: 12_345_678,
  allocatedBytes: 0,
  comparisons: [{ what: 'forward', error: 1e-6, tolerance: 1e-4 }],
  errors: [],
}
const slower: Measured = {
  ...measured,
  name: 'peer',
  batch: 512,
  note: 'batch 1024 failed: out of memory',
  milliseconds: 8,
  ratio: { median: 8, low: 7.5, high: 9 },
}
const wrong: Measured = { ...slower, comparisons: [{ what: 'forward', error: 0.5, tolerance: 1e-4 }] }

const reportOf = (rows: readonly Measured[]) => ({
  adapter: 'llvmpipe',
  ceilings: {
    gigaflops: 50,
    fma: { number: 'f32', chains: 8, workgroup: 64, builtin: true },
    gigabytesPerSecond: 2,
    copy: { bytes: 2 ** 27, workgroup: 64, perThread: 4 },
  } as const,
  cases: [{ name: 'forward', batch: 1024, flops: 1e7, measured: rows, failed: [] } as const],
  kernels: [],
})
const provenance = { environment: 'Node', date: '2026-11-24', command: 'npm run bench', machine: 'linux' }

describe('tables of the benchmark', () => {
  it('aligns numbers to the right', () => {
    expect(
      table(
        ['name', 'ms'],
        [
          ['a', '1.00'],
          ['longer', '12.5'],
        ],
      ),
    ).toBe(['| name   |   ms |', '| ------ | ---: |', '| a      | 1.00 |', '| longer | 12.5 |'].join('\n'))
  })

  it('says at which batch a peer ran and why, and how many times as fast ours is', () => {
    const text = markdown(reportOf([measured, slower]), provenance)
    expect(text).toContain('peer, at batch 512')
    expect(text).toContain('batch 1024 failed: out of memory')
    expect(text).toContain('8.00 (7.50–9.00)')
    expect(text).toContain('10.0 %')
    expect(text).not.toContain('WRONG')
  })

  it('marks a row whose numbers are wrong, and the run with it', () => {
    const report = reportOf([measured, wrong])
    expect(markdown(report, provenance)).toContain('WRONG: forward 5e-1 > 0.0001')
    expect(isCorrect(report)).toBe(false)
    expect(isCorrect(reportOf([measured, slower]))).toBe(true)
    expect(isCorrect(reportOf([{ ...measured, errors: ['out of memory'] }]))).toBe(false)
  })

  it('replaces the section of its adapter and leaves the others', () => {
    const first = withSection('# Results\n\nWritten by hand.\n', 'gpu -- a', 'one')
    const second = withSection(first, 'gpu -- b', 'two')
    const third = withSection(second, 'gpu -- a', 'three')
    expect(third).toContain('Written by hand.')
    expect(third).not.toContain('one')
    expect(third.indexOf('three')).toBeLessThan(third.indexOf('two'))
    expect(withSection(third, 'gpu -- a', 'three')).toBe(third)
  })
})
