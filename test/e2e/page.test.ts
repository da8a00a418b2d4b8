/** The built page, as any static host would serve it from a folder. */
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
