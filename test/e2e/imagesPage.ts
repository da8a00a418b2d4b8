/** What a person does in the image lab. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** The machine may be busy with other things. */
export const PATIENCE = { timeout: 120_000 }

/** A lab that was left stays in the document, out of sight. */
export const shown = (page: Page, testId: string) =>
  page.getByTestId(testId).filter({ visible: true }).first()
export const press = (page: Page, testId: string) => shown(page, testId).click(PATIENCE)
export const status = (page: Page, text: RegExp) =>
  page.getByTestId('status').filter({ hasText: text, visible: true }).waitFor(PATIENCE)
export const problem = (page: Page, text: RegExp) =>
  page.getByTestId('problem').filter({ hasText: text }).waitFor(PATIENCE)
export const address = (page: Page) => new URLSearchParams(new URL(page.url()).hash.slice(1))

export interface FileToOpen {
  readonly name: string
  readonly buffer: Buffer
  readonly mimeType?: string
}

export async function openFiles(page: Page, input: 'image-file' | 'model-file', files: FileToOpen[]) {
  const typed = files.map(({ mimeType = 'application/octet-stream', ...file }) => ({ ...file, mimeType }))
  await page.getByTestId(input).setInputFiles(typed)
}

/** Drops files in the middle of the page, as from a file manager. */
export async function dropFiles(page: Page, files: readonly FileToOpen[]): Promise<void> {
  const contents = files.map(({ name, buffer, mimeType = '' }) => ({
    name,
    mimeType,
    base64: buffer.toString('base64'),
  }))
  await page.evaluate((dropped) => {
    const dataTransfer = new DataTransfer()
    for (const { name, mimeType: type, base64 } of dropped) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      dataTransfer.items.add(new File([bytes], name, { type }))
    }
    for (const event of ['dragover', 'drop'])
      document.body.dispatchEvent(
        new DragEvent(event, { dataTransfer, bubbles: true, cancelable: true, relatedTarget: null }),
      )
  }, contents)
}

/** Presses Run and waits for the result; gives the numbers of sample 1. */
export async function restore(page: Page): Promise<{ psnr: number; ssim: number; misfit: number }> {
  await press(page, 'run')
  return await finishedNumbers(page)
}

/** Waits for the end of the run, which must not have failed. */
export async function finishedNumbers(page: Page) {
  await status(page, /Finished|Stopped/)
  expect(await page.getByTestId('problem').allTextContents()).toEqual([])
  return await shownNumbers(page)
}

export async function shownNumbers(page: Page) {
  const row = shown(page, 'numbers').locator('tbody tr').first().filter({ hasText: /dB/ })
  await row.waitFor(PATIENCE)
  const [psnr, ssim, misfit] = (await row.locator('td').allTextContents()).map(Number.parseFloat)
  return { psnr: psnr!, ssim: ssim!, misfit: misfit! }
}

export async function exported(page: Page, item: string): Promise<{ name: string; content: Buffer }> {
  await press(page, 'export-menu')
  const [download] = await Promise.all([page.waitForEvent('download', PATIENCE), press(page, item)])
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) }
}

export async function type(page: Page, setting: string, value: string): Promise<void> {
  const field = shown(page, `setting-${setting}`)
  await field.fill(value)
  await field.press('Enter')
  await page.waitForFunction((fragment) => location.hash.includes(fragment), `${setting}=${value}`, PATIENCE)
}

/** The settings in the address are those of `expected`. */
export function expectAddress(page: Page, expected: Readonly<Record<string, string>>): void {
  const found = address(page)
  expect(Object.fromEntries(Object.keys(expected).map((key) => [key, found.get(key)]))).toEqual(expected)
}
