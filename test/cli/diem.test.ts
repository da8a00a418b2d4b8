import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { presets } from '../../src/experiments/manifold/settings'
import { quantizeStrokes, writeUrl } from '../../src/store/urlState'

const root = join(import.meta.dirname, '../..')
const SMALL =
  '--cpu --preset tiny --observations 128 --hidden 8 --embedding 4 --sampler-steps 4 --training-steps 8 --batch 16 --metric-points 64 --metricIterations 5'.split(
    ' ',
  )

/** Runs the program as `npm run diem` does. */
function diem(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['scripts/run.mjs', 'src/cli/diem.ts', ...args],
      { cwd: root },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

const parse = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | null>)
const withoutTime = (lines: Record<string, number | null>[]) => lines.map(({ seconds: _, ...rest }) => rest)

describe('npm run diem', () => {
  it('prints one JSON line an iteration and continues a saved run to the same numbers', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'diem-')), 'run.safetensors')
    const whole = await diem(...SMALL, '--seed', '5', '--iterations', '2', '--json')
    expect(whole.code).toBe(0)
    const lines = parse(whole.stdout)
    expect(lines.map(({ iteration }) => iteration)).toEqual([0, 1, 2])
    expect(Object.keys(lines[1]!)).toEqual([
      'iteration',
      'loss',
      'divergence',
      'kept',
      'consistency',
      'seconds',
    ])
    const first = await diem(...SMALL, '--seed', '5', '--iterations', '1', '--json', '--save', file)
    const rest = await diem('--cpu', '--load', file, '--iterations', '2', '--json')
    expect(withoutTime([...parse(first.stdout), ...parse(rest.stdout)])).toEqual(withoutTime(lines))
    const changed = await diem('--cpu', '--load', file, '--seed', '6')
    expect(changed).toMatchObject({ code: 2, stdout: '' })
  })

  it('learns from a file of pairs, without a divergence, and from a link with a drawn curve', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'diem-')), 'pairs.csv')
    const rows = Array.from({ length: 80 }, (_, i) => `${Math.cos(i)},${Math.sin(i)},${Math.cos(2 * i)}`)
    writeFileSync(file, `A11,A12,y1\n${rows.join('\n')}\n`)
    const own = await diem(...SMALL, '--iterations', '1', '--json', '--data', file)
    expect(own.code).toBe(0)
    expect(parse(own.stdout)).toMatchObject([{ divergence: null }, { divergence: null, iteration: 1 }])
    const points = Array.from({ length: 16 }, (_, i) => [i / 8 - 1, Math.sin(i)] as const)
    const link = writeUrl({
      preset: 'tiny',
      settings: {
        ...presets.tiny,
        observations: 128,
        hidden: 8,
        samplerSteps: 4,
        trainingSteps: 8,
        iterations: 1,
      },
      strokes: quantizeStrokes([{ plane: [0, 1], points }]),
      compare: null,
      hidden: new Set(),
      autorun: false,
    })
    const drawn = await diem('--cpu', '--json', '--url', link)
    expect(drawn.code).toBe(0)
    expect(parse(drawn.stdout)).toHaveLength(2)
  })

  it.each([
    [['--preset', 'huge'], /quick/],
    [['--hidden', '6'], /multiple of 4/],
    [['--observed', '4', '--features', '3'], /lower observed or raise features/],
    [['--sigma-y', 'loud'], /not a number/],
    [['--nonsense', '1'], /nonsense/],
    [['--load', '/nowhere.safetensors'], /nowhere/],
    [['--save', '/nowhere/run.safetensors'], /--save .*cannot be written/],
    [['--data', 'package.json'], /"A"/],
    [['--url', '#seed=x'], /seed/],
  ])('exits with 2 and says why: %j', async (args, message) => {
    const { code, stdout, stderr } = await diem('--cpu', ...args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
  })
})
