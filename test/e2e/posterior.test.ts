/** What a person does in the posterior lab and on the tour, on WebGPU (SwiftShader) and without it. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { defaultMethod } from '../../src/experiments/mixture/settings'
import { openBrowser } from './browser'

const { openPage } = openBrowser()

/** Small enough for a GPU in software. */
const SMALL = 'samples=64&steps=8&components=32'
const PATIENCE = { timeout: 60_000 }

/** A lab that was left stays in the document, out of sight. */
const shown = (page: Page, testId: string) => page.getByTestId(testId).filter({ visible: true }).first()
const press = (page: Page, testId: string) => shown(page, testId).click()
const numbers = (page: Page, panel: 'a' | 'b') =>
  page
    .getByTestId(`numbers-${panel}`)
    .filter({ hasText: /points lost/ })
    .textContent(PATIENCE)
/** Both panels show samples of the present settings. */
const upToDate = (page: Page) =>
  page
    .getByTestId('status')
    .filter({ hasText: /up to date|Between/ })
    .waitFor(PATIENCE)
const address = (page: Page) => new URLSearchParams(new URL(page.url()).hash.slice(1))
/** What a panel shows, as pixels. */
const picture = async (page: Page, panel: 'a' | 'b') =>
  await page
    .getByTestId(`plane-${panel}`)
    .locator('canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())

async function exported(page: Page, item: string): Promise<string> {
  await press(page, 'export-menu')
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, item)])
  return await readFile(await download.path(), 'utf8')
}

async function type(page: Page, testId: string, value: string): Promise<void> {
  const field = page.getByTestId(testId)
  await field.fill(value)
  await field.press('Enter')
}

describe('the posterior lab', () => {
  it('draws both methods, follows a drag, plays, compares, exports', async () => {
    const { page, errors } = await openPage({ hash: `lab=posterior&${SMALL}` })
    expect(await numbers(page, 'a')).toMatch(/no of 64 points lost/)
    await numbers(page, 'b')
    await upToDate(page)
    const before = { picture: await picture(page, 'a'), csv: await exported(page, 'export-samples-a') }
    expect(before.csv.trim().split('\n')).toHaveLength(65)

    // Drags the line: y goes to the address, and the samples follow.
    const handle = (await page.getByTestId('handle-move').first().boundingBox())!
    const [x, y] = [handle.x + handle.width / 2, handle.y + handle.height / 2]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 30, y + 40, { steps: 4 })
    await page.mouse.up()
    await page.waitForFunction(() => /[#&]y1=/.test(location.hash), undefined, PATIENCE)
    await upToDate(page)
    expect(await exported(page, 'export-samples-a')).not.toBe(before.csv)
    expect(await picture(page, 'a')).not.toBe(before.picture)

    // The film: by the space bar, by arrows, by the bar.
    await page.getByTestId('scrubber-label').click()
    await page.keyboard.press('Home')
    await page.getByTestId('scrubber-label').filter({ hasText: 'Frame 1 of' }).waitFor()
    const noise = await picture(page, 'b')
    await page.keyboard.press('ArrowRight')
    await page.getByTestId('scrubber-label').filter({ hasText: 'Frame 2 of' }).waitFor()
    await page.keyboard.press(' ')
    await page.getByTestId('following').waitFor(PATIENCE)
    await page.getByTestId('run').waitFor(PATIENCE)
    expect(await picture(page, 'b')).not.toBe(noise)

    // Another method on the right, with its own setting.
    await page.getByTestId('setting-b.method').click()
    await page.getByRole('option', { name: /^DPS/ }).click()
    await page.getByTestId('explanation-b').filter({ hasText: 'slope of the residual' }).waitFor()
    await type(page, 'setting-b.guidance', '0.5')
    await page.waitForFunction(() => /b\.guidance=0\.5/.test(location.hash), undefined, PATIENCE)
    await upToDate(page)
    expect(address(page).get('b.method')).toBe('dps')
    await page.goBack()
    await page
      .getByTestId('setting-b.guidance')
      .and(page.locator(`[value="${defaultMethod('dps').guidance}"]`))
      .waitFor(PATIENCE)

    // Settings that do not fit are refused in the page's words.
    await type(page, 'setting-steps', '2')
    await page.getByText('Sampling steps = 2 is outside its range').waitFor()
    await press(page, 'help')
    await page.getByText('Play or pause the film').waitFor()
    await page.keyboard.press('Escape')
    expect(errors).toEqual([])
  })

  it('scores the methods and computes Figure 2', async () => {
    const { page, errors } = await openPage({ hash: `lab=posterior&${SMALL}` })
    await numbers(page, 'a')
    await upToDate(page)
    await press(page, 'table-run')
    await page.getByTestId('score-exact').waitFor(PATIENCE)
    await press(page, 'table-pause')
    await page.getByTestId('table-status').filter({ hasText: 'Paused' }).waitFor(PATIENCE)
    await press(page, 'table-run')
    await page.getByTestId('score-mmps').waitFor(PATIENCE)
    await press(page, 'table-cancel')
    expect(await page.getByTestId('methods-table').locator('tbody tr').count()).toBeGreaterThanOrEqual(2)

    await press(page, 'advanced-figure2')
    await type(page, 'setting-figure2.seeds', '1')
    await type(page, 'setting-figure2.points', '64')
    await type(page, 'setting-figure2.draws', '1024')
    await type(page, 'setting-figure2.components', '16')
    await type(page, 'setting-figure2.regularization', '0.1')
    await type(page, 'setting-figure2.iterations', '64')
    expect(await page.getByTestId('figure2-command').textContent()).toContain('--seeds 1')
    await press(page, 'figure2-run')
    await page.getByTestId('figure2-seeds').filter({ hasText: '1 of 1 seeds' }).waitFor(PATIENCE)
    await page.getByTestId('chart-figure2').locator('.plot-container').waitFor(PATIENCE)
    await press(page, 'figure2-reset')
    await page.getByTestId('figure2-seeds').filter({ hasText: 'No seed yet' }).waitFor(PATIENCE)
    expect(errors).toEqual([])
  })

  it('reports nonsense in the address, and computes without WebGPU', async () => {
    const { page, errors } = await openPage({
      webgpu: false,
      hash: `lab=posterior&${SMALL}&thickness=broken&colour=blue`,
    })
    await page.getByTestId('fallback').waitFor(PATIENCE)
    await page.getByTestId('notice').filter({ hasText: 'thickness' }).waitFor(PATIENCE)
    await page.getByTestId('notice').filter({ hasText: 'colour' }).waitFor(PATIENCE)
    await numbers(page, 'a')
    await page.getByTestId('adapter').filter({ hasText: 'CPU' }).waitFor(PATIENCE)
    expect(errors).toEqual([])
  })
})

describe('the page around the labs', () => {
  it('keeps each lab as it was left', async () => {
    const { page, errors } = await openPage({ hash: 'preset=tiny&seed=5' })
    await page.getByTestId('setting-seed').and(page.locator('[value="5"]')).waitFor(PATIENCE)
    await press(page, 'lab-posterior')
    await numbers(page, 'a')
    await type(page, 'setting-thickness', '0.2')
    await page.waitForFunction(() => /lab=posterior.*thickness=0\.2/.test(location.hash), undefined, PATIENCE)
    await press(page, 'lab-manifold')
    await page.waitForFunction(() => /preset=tiny&seed=5/.test(location.hash), undefined, PATIENCE)
    await page.getByTestId('corner-a').waitFor(PATIENCE)
    await press(page, 'lab-posterior')
    await page.getByTestId('setting-thickness').and(page.locator('[value="0.2"]')).waitFor(PATIENCE)
    await page.goBack()
    await page.getByTestId('corner-a').waitFor(PATIENCE)
    expect(errors).toEqual([])
  })

  it('leads through six steps, and starts at a linked one', async () => {
    const { page, errors } = await openPage({ hash: 'tour=3' })
    const title = page.getByTestId('tour-title')
    await title.filter({ hasText: /^3\./ }).waitFor(PATIENCE)
    await page.getByTestId('panel-b').and(page.locator('[data-tour-shown]')).waitFor(PATIENCE)
    expect(address(page).get('lab')).toBe('posterior')
    await press(page, 'tour-back')
    await press(page, 'tour-back')
    await title.filter({ hasText: /^1\./ }).waitFor()
    await page.getByTestId('corner-a').waitFor(PATIENCE)
    for (let step = 2; step <= 6; step += 1) {
      await press(page, 'tour-next')
      await title.filter({ hasText: new RegExp(`^${step}\\.`) }).waitFor(PATIENCE)
      expect(address(page).get('tour')).toBe(String(step))
    }
    await page.getByTestId('corner-a').waitFor(PATIENCE)
    await page.keyboard.press('Escape')
    await page.getByTestId('tour-card').waitFor({ state: 'detached' })
    expect(address(page).has('tour')).toBe(false)
    expect(errors).toEqual([])
  })
})
