/**
 * Opens pages in the Chromium under test, with WebGPU on SwiftShader (a GPU in software) or without WebGPU.
 *
 * A test file calls `openBrowser()` once at its top; it closes after the file's last test.
 */
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core'
import { afterAll, inject } from 'vitest'
import { chromiumFlags, hideWebGpu } from '../../scripts/chromium'

/** A page under test, and what went wrong in it so far. */
export interface OpenedPage {
  readonly page: Page
  /** One context is one visitor: its own storage. Pages of one context share theirs. */
  readonly context: BrowserContext
  /** Console errors, uncaught errors (of the page and its workers) and failed requests, in order. */
  readonly errors: string[]
  /** Addresses the page and its workers asked for, in order. */
  readonly requests: string[]
}

export interface PageOptions {
  /** false: `navigator.gpu` is missing, as in an old browser. 'no-adapter': it is there, but finds no GPU. */
  readonly webgpu?: boolean | 'no-adapter'
  /** Fragment of the address, without '#'. */
  readonly hash?: string
  /** An empty page instead of the lab. */
  readonly blank?: boolean
  /** Opens in this visitor's context, for example to reload or to compare two tabs. */
  readonly context?: BrowserContext
  readonly viewport?: { readonly width: number; readonly height: number }
}

/** Starts browsers on demand: one with a GPU adapter, one without. */
export function openBrowser(): { openPage(options?: PageOptions): Promise<OpenedPage> } {
  const browsers = new Map<boolean, Promise<Browser>>()
  afterAll(async () => {
    for (const browser of browsers.values()) await (await browser).close()
  })
  function launch(hasAdapter: boolean): Promise<Browser> {
    let browser = browsers.get(hasAdapter)
    if (!browser) {
      const args = [...chromiumFlags[hasAdapter ? 'software' : 'none']]
      browser = chromium.launch({ executablePath: inject('browserPath'), args })
      browsers.set(hasAdapter, browser)
    }
    return browser
  }

  return {
    async openPage({ webgpu = true, hash = '', blank = false, context, viewport } = {}) {
      const size = viewport ?? { width: 1440, height: 900 }
      const browser = await launch(webgpu !== 'no-adapter')
      const visitor = context ?? (await browser.newContext({ viewport: size, acceptDownloads: true }))
      const page = await visitor.newPage()
      if (!webgpu) await page.addInitScript(hideWebGpu)
      const errors: string[] = []
      const requests: string[] = []
      page.on('request', (request) => requests.push(request.url()))
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(`console: ${message.text()} (${message.location().url})`)
      })
      page.on('pageerror', (error) => errors.push(`uncaught: ${error.message}`))
      page.on('requestfailed', (request) => {
        const reason = request.failure()?.errorText ?? ''
        // A page that is left or reloaded, or a worker that is stopped, cancels what it was loading.
        if (reason !== 'net::ERR_ABORTED') errors.push(`request: ${request.url()} ${reason}`)
      })
      page.on('response', (response) => {
        if (response.status() >= 400) errors.push(`response: ${response.status()} ${response.url()}`)
      })
      const address = blank ? inject('blankUrl') : inject('pageUrl')
      await page.goto(hash ? `${address}#${hash}` : address)
      return { page, context: visitor, errors, requests }
    },
  }
}
