/** The built page, as any static host would serve it from a folder. */
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { expect, inject, it } from 'vitest'
import { openBrowser } from './browser'

const { openPage } = openBrowser()

/** Waits until the program has replaced the page's first note, and everything it loads at once is there. */
async function started(page: Page): Promise<void> {
  await page.locator('#first').waitFor({ state: 'detached' })
  await page.waitForLoadState('networkidle')
  expect(await page.locator('#root').innerText()).not.toBe('')
}

it('loads from a sub-path, with nothing from elsewhere and without an error', async () => {
  const { page, errors, requests } = await openPage()
  await started(page)
  const elsewhere = requests.filter((url) => !url.startsWith(inject('pageUrl')) && !/^(blob|data):/.test(url))
  expect(elsewhere).toEqual([])
  expect(requests.length).toBeGreaterThan(2)
  expect(errors).toEqual([])
})

/** What the lab needs until it can be used, compressed; the equations are the first of what comes after that. */
const FIRST_LOAD_BYTES = 250_000

it('loads little at first, and the image lab’s runtime with the image lab', async () => {
  const { page, errors, requests } = await openPage({ webgpu: false })
  await started(page)
  const isOfImages = (url: string) => /\/(ImagesPage|worker|ort)[.-]/.test(url)
  expect(requests.filter(isOfImages)).toEqual([])
  await page.locator('.katex').first().waitFor()
  const equations = requests.findIndex((url) => url.includes('katex'))
  const own = requests.slice(0, equations).filter((url) => /\.(js|css)$/.test(url))
  expect(own.filter((url) => url.includes('/worker/runWorker'))).toHaveLength(1)
  const sizes = await Promise.all(
    own.map(async (url) => gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length),
  )
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(FIRST_LOAD_BYTES)

  await page.getByTestId('lab-images').click()
  await page
    .getByTestId('model-status')
    .filter({ hasText: /Ready|checks/ })
    .waitFor({ timeout: 60_000 })
  const later = requests.filter(isOfImages).map((url) => url.replace(/.*\//, '').replace(/-.*/, ''))
  expect(later).toEqual(expect.arrayContaining(['ImagesPage', 'worker', 'ort.wasm.bundle.min', 'ort']))
  expect(errors).toEqual([])
})

it('survives a reload', async () => {
  const { page, errors } = await openPage()
  await started(page)
  await page.reload()
  await started(page)
  expect(errors).toEqual([])
})

it.each([false, 'no-adapter'] as const)('loads with WebGPU %s, without an error', async (webgpu) => {
  const { page, errors } = await openPage({ webgpu })
  await started(page)
  expect(errors).toEqual([])
})
