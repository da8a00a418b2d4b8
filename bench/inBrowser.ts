/**
 * The same benchmark in Chromium: a page of its own, built by Vite, whose one function is called from here.
 */
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build } from 'vite'
import { servePage } from './page/server'
import type { BenchOptions, BenchReport } from './run'
import { prepareBrowser } from '../scripts/browser.mjs'
import { chromiumFlags } from '../scripts/chromium'

/** Builds the page, opens it and runs the benchmark there. Errors: those of the page. */
export async function runInChromium(
  options: BenchOptions,
  software: boolean,
  log: (line: string) => void,
): Promise<{ report: BenchReport; environment: string }> {
  const folder = fileURLToPath(new URL('../.cache/bench', import.meta.url))
  log('building the page')
  await build({
    configFile: fileURLToPath(new URL('browser/vite.config.ts', import.meta.url)),
    build: { outDir: folder },
  })
  const server = await servePage(folder)
  const args = [...chromiumFlags[software ? 'software' : 'hardware']]
  const browser = await chromium.launch({ executablePath: prepareBrowser(), args })
  try {
    const page = await browser.newPage()
    page.on('console', (message) => log(message.text()))
    page.on('pageerror', (error) => log(`uncaught: ${error.message}`))
    await page.goto(server.url)
    await page.waitForFunction(() => 'bench' in globalThis)
    const report = await page.evaluate((options) => globalThis.bench(options), options)
    return { report, environment: `Chromium ${browser.version()}` }
  } finally {
    await browser.close()
    await server.close()
  }
}
