/** What a person does while the main thread is watched. */
import type { Page } from 'playwright-core'
import type { Visit } from './visit'

interface LabUse {
  readonly visit: Visit
  /** Waits for what the load still computes. */
  readonly settle: (page: Page) => Promise<void>
  /** For some seconds, or until it is done. */
  readonly act: (page: Page, seconds: number) => Promise<void>
}

export type UseName = 'train-quick' | 'train-tiny' | 'train-cpu' | 'drag' | 'restore'

const PATIENCE = { timeout: 120_000 }
const nothing = () => Promise.resolve()

async function run(page: Page, seconds: number): Promise<void> {
  await page.getByTestId('run').click()
  await page.waitForTimeout(1000 * seconds)
}

/** Both panels show samples of the present settings. */
async function upToDate(page: Page): Promise<void> {
  await page
    .getByTestId('status')
    .filter({ hasText: /up to date|Between/ })
    .waitFor(PATIENCE)
}

/** Leads the observation's line around in circles, as fast as a hand does. */
async function drag(page: Page, seconds: number): Promise<void> {
  const handle = (await page.getByTestId('handle-move').first().boundingBox())!
  const [x, y] = [handle.x + handle.width / 2, handle.y + handle.height / 2]
  await page.mouse.move(x, y)
  await page.mouse.down()
  const end = performance.now() + 1000 * seconds
  for (let step = 0; performance.now() < end; step += 1) {
    await page.mouse.move(x + 40 * Math.sin(step / 20), y + 40 * (1 - Math.cos(step / 20)))
    await page.waitForTimeout(16)
  }
  await page.mouse.up()
  await upToDate(page)
}

async function restore(page: Page, seconds: number): Promise<void> {
  await page.getByTestId('run').click()
  await page
    .getByTestId('status')
    .filter({ hasText: /Finished|Stopped/ })
    .waitFor({ timeout: 1000 * seconds })
    .catch(() => undefined)
}

export const uses: Readonly<Record<UseName, LabUse>> = {
  'train-quick': { visit: { hash: 'fresh=1', lab: 'manifold', webgpu: true }, settle: nothing, act: run },
  'train-tiny': { visit: { hash: 'preset=tiny', lab: 'manifold', webgpu: true }, settle: nothing, act: run },
  'train-cpu': { visit: { hash: 'preset=tiny', lab: 'manifold', webgpu: false }, settle: nothing, act: run },
  drag: { visit: { hash: 'lab=posterior', lab: 'posterior', webgpu: true }, settle: upToDate, act: drag },
  // WebAssembly: SwiftShader takes seconds for one step.
  restore: { visit: { hash: 'lab=images', lab: 'images', webgpu: false }, settle: nothing, act: restore },
}
