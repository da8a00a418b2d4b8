/** What a person does in the image lab: mostly through WebAssembly, which is what a software GPU is slower than. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBrowser } from './browser'
import { handMadeContract, handMadeModel } from './handMadeModels'
import {
  address,
  dropFiles,
  expectAddress,
  exported,
  finishedNumbers,
  openFiles,
  PATIENCE,
  press,
  restore,
  shown,
  shownNumbers,
  status,
  type,
} from './imagesPage'
import { landscape, pixelsOf, psnrOf, turnedJpeg } from './pictureFiles'

const { openPage } = openBrowser()

const PHOTO = 'lab=images&preset=deblurPhoto&task=box&side=32&boxSide=0.3&kernelSide=0.3&sigmaY=0.02&steps=6'
const CLOTHES = 'lab=images&samples=1'

/** What is exported, as pixels. */
const picture = async (page: Page, item: string) => pixelsOf(page, (await exported(page, item)).content)
const stepsDone = async (page: Page) =>
  Number(/(\d+) of/.exec((await shown(page, 'status').textContent()) ?? '')?.[1])

describe('the image lab', () => {
  it('fills a hole and undoes a blur in an uploaded photo through WebAssembly, and exports', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: PHOTO })
    await shown(page, 'fallback').filter({ hasText: 'WebAssembly, several times slower' }).waitFor(PATIENCE)
    await openFiles(page, 'image-file', [{ name: 'hill.png', buffer: landscape(300, 200) }])

    // The square is dragged to the left edge, where the sun is.
    const square = page.locator('.ReactCrop__crop-selection')
    await square.waitFor(PATIENCE)
    const at = (await square.boundingBox())!
    await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2)
    await page.mouse.down()
    await page.mouse.move(at.x - at.width, at.y + at.height / 2, { steps: 5 })
    await page.mouse.up()
    await page.getByText('200 × 200 of 300 × 200 pixels').waitFor()
    await press(page, 'use-crop')
    await square.waitFor({ state: 'detached' })
    expectAddress(page, { lab: 'images', image: 'own', task: 'box' })

    const filled = await restore(page)
    const truth = await picture(page, 'export-original')
    expect([truth.width, truth.height]).toEqual([32, 32])
    // A fifth from the left and from the top is the middle of the sun.
    const sun = truth.data.slice(4 * (7 * 32 + 6), 4 * (7 * 32 + 6) + 3)
    expect(sun[0]! - sun[2]!).toBeGreaterThan(100)
    const restoration = await picture(page, 'export-restoration')
    expect(psnrOf(restoration, truth)).toBeCloseTo(filled.psnr, 1)
    expect(filled.psnr).toBeGreaterThan(3 + psnrOf(await picture(page, 'export-observation'), truth))

    await press(page, 'task-motion')
    await shown(page, 'stale').waitFor()
    const sharp = await restore(page)
    const blurred = await picture(page, 'export-observation')
    expect(sharp.psnr).toBeGreaterThan(1 + psnrOf(blurred, truth))
    expect(sharp.misfit).toBeLessThan(3)

    const csv = (await exported(page, 'export-csv')).content.toString()
    const [head, ...lines] = csv.trim().split('\n')
    expect(head).toBe('step,sigma,misfit,solverResidual')
    expect(lines.length).toBeGreaterThanOrEqual(6)
    for (const line of lines) for (const field of line.split(',')) expect(Number(field)).toBeGreaterThan(0)
    const settings = JSON.parse((await exported(page, 'export-settings')).content.toString())
    expect(settings).toMatchObject({
      lab: 'images',
      settings: { model: 'photo-64', task: 'motion', side: 32, steps: 6, samples: 2 },
      computedOn: { kind: 'cpu' },
      result: { psnr: [expect.closeTo(sharp.psnr, 1), expect.any(Number)] },
    })
    const sheet = await picture(page, 'export-sheet')
    expect(sheet.width).toBeGreaterThan(3 * 500)
    const deviation = await picture(page, 'export-deviation')
    expect(Math.max(...deviation.data.filter((_, i) => i % 4 === 0))).toBe(255)
    const film = await exported(page, 'export-film')
    expect(film.name).toMatch(/\.webm$/)
    // EBML, then at least some frames.
    expect(film.content.subarray(0, 4).toString('hex')).toBe('1a45dfa3')
    expect(film.content.length).toBeGreaterThan(5000)
    expect(errors).toEqual([])
    await context.close()
  })

  it('fills a hole and undoes a blur in an uploaded picture on WebGPU', async () => {
    const { page, context, errors } = await openPage({
      hash: `${CLOTHES}&steps=5&sigmaY=0.02&iterations=2&image=fashion-bag`,
    })
    const buffer = await readFile('public/images/fashion-pullover.png')
    await openFiles(page, 'image-file', [{ name: 'pullover.png', buffer, mimeType: 'image/png' }])
    await page.waitForFunction(() => location.hash.includes('image=own'), undefined, PATIENCE)
    const filled = await restore(page)
    const truth = await picture(page, 'export-original')
    expect(filled.psnr).toBeGreaterThan(1 + psnrOf(await picture(page, 'export-observation'), truth))
    await press(page, 'task-motion')
    const sharp = await restore(page)
    expect(sharp.psnr).toBeGreaterThan(1 + psnrOf(await picture(page, 'export-observation'), truth))
    expect(psnrOf(await picture(page, 'export-restoration'), truth)).toBeCloseTo(sharp.psnr, 1)
    const { computedOn } = JSON.parse((await exported(page, 'export-settings')).content.toString())
    expect(computedOn.kind).toBe('webgpu')
    expect(errors).toEqual([])
    await context.close()
  })

  it('turns a photo as its camera held it', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: `${PHOTO}&hide=advanced` })
    await status(page, /./)
    const buffer = await turnedJpeg(page)
    await dropFiles(page, [{ name: 'turned.jpg', buffer, mimeType: 'image/jpeg' }])
    await page.getByText('48 × 48 of 48 × 64 pixels').waitFor(PATIENCE)
    await press(page, 'use-crop')
    const truth = await picture(page, 'export-original')
    const top = truth.data.slice(4 * 32 * 2, 4 * 32 * 2 + 3)
    const bottom = truth.data.slice(4 * 32 * 29, 4 * 32 * 29 + 3)
    expect(top[0]! - top[2]!).toBeGreaterThan(100)
    expect(bottom[2]! - bottom[0]!).toBeGreaterThan(100)
    expect(errors).toEqual([])
    await context.close()
  })

  it('pauses, goes on, is cancelled, and a link runs the same again', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: `${CLOTHES}&steps=60` })
    await press(page, 'run')
    await status(page, /Step ([5-9]|\d\d) of/)
    await press(page, 'pause')
    await status(page, /Paused at step/)
    const paused = await stepsDone(page)
    await page.waitForTimeout(500)
    expect(await stepsDone(page)).toBe(paused)
    expect(paused).toBeLessThan(60)
    await press(page, 'run')
    const whole = await finishedNumbers(page)

    await press(page, 'new-noise')
    await press(page, 'run')
    await status(page, /Step [3-9]\d? of/)
    await press(page, 'cancel')
    await page.getByTestId('busy').waitFor({ state: 'detached' })
    // What was computed before stays, and says that it is not of these settings.
    await shown(page, 'stale').waitFor()
    expect(await shownNumbers(page)).toEqual(whole)
    await page.goBack()
    await page.getByTestId('stale').waitFor({ state: 'detached', ...PATIENCE })

    const link = `${CLOTHES}&task=random&kept=0.3&method=dps&steps=40&seed=7&taskSeed=3&compare=mmps,pigdm`
    const other = await openPage({ webgpu: false, hash: `${link}&run=1` })
    const linked = await finishedNumbers(other.page)
    expectAddress(other.page, { task: 'random', kept: '0.3', method: 'dps', steps: '40', seed: '7' })
    // so many steps that one who looks sees them
    const began = status(other.page, /Step|Sampling|Preparing|Starting/)
    await press(other.page, 'run')
    await began
    expect(await finishedNumbers(other.page)).toEqual(linked)
    const { settings } = JSON.parse((await exported(other.page, 'export-settings')).content.toString())
    expect(settings).toMatchObject({ task: 'random', kept: 0.3, method: 'dps', seed: 7, taskSeed: 3 })

    // The comparison of the link, one method after the other.
    await press(other.page, 'compare-run')
    await other.page.getByTestId('compare-status').filter({ hasText: 'Finished' }).waitFor(PATIENCE)
    for (const method of ['mmps', 'pigdm']) {
      const cells = await other.page.getByTestId(`row-${method}`).locator('td').allTextContents()
      expect(cells.join(' ')).toMatch(/\d+\.\d+ dB/)
    }
    expect([...errors, ...other.errors]).toEqual([])
    await other.context.close()
    await context.close()
  })

  it('takes a model by hand: with its contract, or asking what the file leaves open', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: `${CLOTHES}&steps=6` })
    await status(page, /./)
    await dropFiles(page, [
      { name: 'denoiser.onnx', buffer: handMadeModel() },
      { name: 'denoiser.json', buffer: handMadeContract() },
    ])
    await shown(page, 'model-status')
      .filter({ hasText: /checks/ })
      .waitFor(PATIENCE)
    expect(address(page).get('model')).toBe('own')
    await press(page, 'model-report')
    await shown(page, 'report-table').waitFor()
    expect(await page.getByTestId('report-table').locator('[data-status=fail]').count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.getByTestId('report-table').waitFor({ state: 'detached' })
    expect((await restore(page)).misfit).toBeLessThan(2)

    await openFiles(page, 'model-file', [{ name: 'mine.onnx', buffer: handMadeModel({ noise: 'level' }) }])
    await page.getByText('What is mine.onnx?').waitFor(PATIENCE)
    await press(page, 'ask-takes')
    await page.getByRole('option', { name: 'The noise level σ' }).click()
    await press(page, 'use-contract')
    await page.getByTestId('use-contract').waitFor({ state: 'detached', ...PATIENCE })
    await shown(page, 'model-status')
      .filter({ hasText: /checks/ })
      .waitFor(PATIENCE)
    expect((await restore(page)).misfit).toBeLessThan(2)
    expect(errors).toEqual([])
    await context.close()
  })

  it('samples on WebGPU with a model of the visitor, and survives the loss of the device', async () => {
    const { context } = await openPage({ blank: true })
    // A slow network: the bundled model is still on its way when the visitor's is dropped.
    await context.route('**/fashion-32/denoiser.onnx', () => undefined)
    const { page, errors } = await openPage({ context, hash: `${CLOTHES}&steps=5&side=16&sigmaY=0.1` })
    await status(page, /Downloading/)
    await dropFiles(page, [
      { name: 'denoiser.onnx', buffer: handMadeModel() },
      { name: 'denoiser.json', buffer: handMadeContract() },
    ])
    await page.waitForFunction(() => location.hash.includes('model=own'), undefined, PATIENCE)
    // Before the model is verified: a run comes first.
    const first = await restore(page)
    await page
      .getByTestId('adapter')
      .filter({ hasText: /SwiftShader|WebGPU/ })
      .waitFor()
    expect(first.psnr).toBeGreaterThan(5)
    // Between two runs, and in the middle of one.
    const [worker] = page.workers()
    const lost = await worker!.evaluateHandle(() => {
      const count = { devices: 0 }
      const { destroy } = GPUDevice.prototype
      GPUDevice.prototype.destroy = function () {
        count.devices += 1
        return destroy.call(this)
      }
      return count
    })
    const lose = () => globalThis.dispatchEvent(new MessageEvent('message', { data: { type: 'loseDevice' } }))
    await worker!.evaluate(lose)
    expect((await restore(page)).psnr).toBeCloseTo(first.psnr, 1)
    await type(page, 'steps', '40')
    await press(page, 'run')
    await status(page, /Step \d+ of 40/)
    await worker!.evaluate(lose)
    const repeated = await finishedNumbers(page)
    expect((await restore(page)).psnr).toBeCloseTo(repeated.psnr, 1)
    expect((await lost.jsonValue()).devices).toBe(2)
    expect(await page.getByTestId('problem').count()).toBe(0)
    expect(errors).toEqual([])
    await context.close()
  })
})
