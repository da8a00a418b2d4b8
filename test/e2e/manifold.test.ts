/** What a person does in the manifold lab, on WebGPU (SwiftShader) and without it. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { readRun } from '../../src/experiments/manifold/runFile'
import { openBrowser } from './browser'

const { openPage } = openBrowser()

/** Small enough for a GPU in software, with M steps long enough to be caught in the middle. */
const SMALL =
  'preset=tiny&observations=256&hidden=16&embedding=8&samplerSteps=8&trainingSteps=600&batch=64&iterations=2&metricPoints=64&metricIterations=20'
const PATIENCE = { timeout: 120_000 }

const status = (page: Page, text: RegExp) =>
  page.getByTestId('status').filter({ hasText: text }).waitFor(PATIENCE)
const press = (page: Page, testId: string) => page.getByTestId(testId).first().click()
const isReady = (page: Page) => page.locator('[data-testid=run][aria-disabled=false]').waitFor(PATIENCE)
/** The numbers of the iteration table, without the last column, which is time. */
const numbers = async (page: Page) => {
  const table = page.getByTestId('iteration-table')
  await table.waitFor(PATIENCE)
  const rows = await table.locator('tbody tr').all()
  return await Promise.all(
    rows.map(async (row) => (await row.locator('td, th').allTextContents()).slice(0, -1)),
  )
}

async function exported(page: Page, item: string): Promise<Uint8Array> {
  await press(page, 'export-menu')
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, item)])
  return await readFile(await download.path())
}

async function imported(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await press(page, 'export-menu')
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press(page, 'import-run-item')])
  await chooser.setFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) })
}

describe('the manifold lab', () => {
  it('runs, pauses, resumes, finishes, scrubs, exports, imports, survives a reload, and a link repeats it', async () => {
    const { page, context, errors } = await openPage({ hash: `${SMALL}&seed=3` })
    await isReady(page)
    await press(page, 'run')
    await status(page, /M step/)
    await press(page, 'pause')
    await status(page, /Paused/)
    await press(page, 'run')
    await status(page, /Finished 2/)
    const table = await numbers(page)
    expect(table).toHaveLength(3)

    await page.keyboard.press('ArrowLeft')
    await page.getByTestId('scrubber-label').filter({ hasText: 'Iteration 1 of 2' }).waitFor()
    const past = readRun(await exported(page, 'export-run'))
    expect(past.state.records).toHaveLength(2)
    expect(past.settings).toMatchObject({ seed: 3, hidden: 16 })
    await press(page, 'newest')
    const run = await exported(page, 'export-run')
    const csv = new TextDecoder().decode(await exported(page, 'export-csv'))
    expect(csv.trim().split('\n')).toHaveLength(257)

    await page.reload()
    await status(page, /Finished 2/)
    expect(await numbers(page)).toEqual(table)

    // A visitor who has nothing saved: the link alone repeats the run, and the file brings it back.
    const other = await openPage({ hash: `${SMALL}&seed=3` })
    await isReady(other.page)
    await press(other.page, 'run')
    await status(other.page, /Finished 2/)
    expect(await numbers(other.page)).toEqual(table)
    await press(other.page, 'reset')
    await press(other.page, 'restart-confirm')
    await isReady(other.page)
    await imported(other.page, 'run.safetensors', run)
    await status(other.page, /Finished 2/)
    expect(await numbers(other.page)).toEqual(table)
    await imported(other.page, 'garbage.safetensors', new Uint8Array(64).fill(7))
    await press(other.page, 'restart-confirm')
    await other.page.getByTestId('problem').filter({ hasText: 'garbage.safetensors' }).waitFor()
    expect(await numbers(other.page)).toEqual(table)
    expect([...errors, ...other.errors]).toEqual([])
    await other.context.close()
    await context.close()
  })

  it('survives the loss of its device', async () => {
    const { page, context, errors } = await openPage({ hash: SMALL.replace('iterations=2', 'iterations=3') })
    await isReady(page)
    await press(page, 'run')
    await status(page, /M step, iteration 2 of 3/)
    const lose = () => {
      const data = { slot: 'a', command: { type: 'loseDevice' } }
      globalThis.dispatchEvent(new MessageEvent('message', { data }))
    }
    await page.workers()[0]!.evaluate(lose)
    await page.getByTestId('problem').filter({ hasText: 'device was lost' }).waitFor(PATIENCE)
    expect((await numbers(page)).length).toBeGreaterThanOrEqual(2)
    await press(page, 'retry')
    await status(page, /Finished 3/)
    // Lost between steps, it is opened again without a word.
    await page.workers()[0]!.evaluate(lose)
    await press(page, 'draw-unconditional')
    await page.getByTestId('unconditional').waitFor(PATIENCE)
    expect(await page.getByTestId('problem').count()).toBe(0)
    expect(errors).toEqual([])
    await context.close()
  })

  it('keeps the runs of two tabs apart, brings back what was saved, and only that', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: SMALL })
    await isReady(page)
    await press(page, 'run')
    await status(page, /Finished 2/)
    await press(page, 'advanced-training')
    await page.getByTestId('setting-iterations').fill('3')
    await page.getByTestId('setting-iterations').press('Enter')
    await status(page, /Ready after iteration 2/)
    await page.reload()
    await status(page, /Ready after iteration 2/)

    const other = await context.newPage()
    await other.goto(page.url().replace('#', '#seed=9&'))
    await isReady(other)
    await press(other, 'run')
    await status(other, /Finished 3/)
    await press(page, 'run')
    await status(page, /Finished 3/)
    const table = await numbers(page)
    await page.reload()
    await status(page, /Finished 3/)
    expect(await numbers(page)).toEqual(table)

    await page.getByTestId('setting-sigmaY').fill('0.02')
    await page.getByTestId('setting-sigmaY').press('Enter')
    await press(page, 'restart-confirm')
    await status(page, /Ready$/)
    await other.goto(page.url().replace(/#.*/, ''))
    await other.reload()
    await isReady(other)
    await status(other, /Ready$/)
    await page.goBack()
    await status(page, /Finished 3/)
    expect(await numbers(page)).toEqual(table)
    expect(errors).toEqual([])
    await context.close()
  })

  it('explains a browser without WebGPU and runs the tiny preset on the CPU', async () => {
    const { page, context, errors } = await openPage({ webgpu: false })
    await page
      .getByTestId('fallback')
      .filter({ hasText: /WebGPU/ })
      .waitFor(PATIENCE)
    await isReady(page)
    expect(page.url()).toContain('preset=tiny')
    await press(page, 'run')
    await status(page, /Finished/)
    expect(errors).toEqual([])
    await context.close()
  })

  it('reports nonsense in the URL and opens all the same', async () => {
    const { page, context, errors } = await openPage({
      hash: 'preset=huge&hidden=-3&observed=7&what=ever&curve=%%',
    })
    await isReady(page)
    const notices = (await page.getByTestId('notice').allTextContents()).join(' ')
    for (const word of ['huge', 'hidden', 'observed', 'what', 'curve']) expect(notices).toContain(word)
    expect(errors).toEqual([])
    await context.close()
  })

  it('makes single steps, draws from the prior and from one posterior, and compares two runs', async () => {
    const { page, context, errors } = await openPage({ hash: SMALL })
    await isReady(page)
    await press(page, 'estep')
    await page.getByTestId('scrubber-label').filter({ hasText: 'Iteration 0' }).waitFor(PATIENCE)
    await isReady(page)
    await press(page, 'mstep')
    await isReady(page)
    await press(page, 'estep')
    await page.getByTestId('scrubber-label').filter({ hasText: 'Iteration 1' }).waitFor(PATIENCE)
    await isReady(page)
    await press(page, 'draw-unconditional')
    await isReady(page)
    await press(page, 'draw-posterior')
    await isReady(page)
    await press(page, 'compare')
    await page.getByTestId('run-b-controls').waitFor(PATIENCE)
    expect(page.url()).toContain('b.covariance=')
    expect(errors).toEqual([])
    await context.close()
  })
})
