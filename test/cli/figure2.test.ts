import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'figure2-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const small = '--points 64 --draws 2048 --features 2 --components 32 --thickness 0.05 --sigmas 0.2,1 --cpu'

function figure2(options: string) {
  return run('node', ['scripts/run.mjs', 'src/cli/figure2.ts', ...options.split(' ').filter(Boolean)])
}

describe('npm run figure2', () => {
  test('writes a CSV and a picture, prints the medians, and goes on from its file', async () => {
    const out = join(folder, 'small')
    const { stdout } = await figure2(`${small} --seeds 1 --out ${out}`)
    expect(stdout).toMatch(/sigma_t\s+zero\s+identity\s+gaussian\s+tweedie/)
    const first = await readFile(`${out}.csv`, 'utf8')
    expect(first.trimEnd().split('\n')).toHaveLength(2 + 2 * 4)
    const svg = await readFile(`${out}.svg`, 'utf8')
    expect(svg.match(/<polyline/g)).toHaveLength(4)
    expect(svg).not.toMatch(/NaN|Infinity/)
    const { stderr } = await figure2(`${small} --seeds 2 --out ${out}`)
    expect(stderr).toContain('1 seeds are in')
    const second = await readFile(`${out}.csv`, 'utf8')
    expect(second.startsWith(first)).toBe(true)
    expect(second.trimEnd().split('\n')).toHaveLength(2 + 2 * 2 * 4)
  })

  test('says what is wrong with its options', async () => {
    await expect(figure2('--points 7')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--points'),
    })
    await expect(figure2('--sigmas 0.1,x')).rejects.toMatchObject({ code: 2 })
  })
})
