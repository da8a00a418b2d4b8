/** One visit to a lab in Chromium with an empty cache: what it loads, when it can be used, and what a use costs. */
import { chromium, type Browser, type Page } from 'playwright-core'
import { chromiumFlags, hideWebGpu } from '../../scripts/chromium'
import type { LabName } from '../../src/store/route'
import { observe, type Observed } from './observe'
import type { Delivered, PageServer } from './server'
import { readTrace, traceCategories, type MainThread } from './trace'

export interface Visit {
  /** Without '#'. */
  readonly hash: string
  readonly lab: LabName
  readonly webgpu: boolean
}

export interface Load {
  readonly observed: Observed
  /** Until the lab could be used, and all until the network was idle. */
  readonly untilInteractive: readonly Delivered[]
  readonly all: readonly Delivered[]
}

export interface Use {
  readonly observed: Observed
  readonly mainThread: MainThread
  readonly seconds: number
}

const PATIENCE = { timeout: 60_000 }

export async function launch(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: [...chromiumFlags.software] })
}

/** Opens the page for a visitor who was never here; `stay` gets it when it can be used and the network is idle. */
async function visit<T>(
  browser: Browser,
  server: PageServer,
  { hash, lab, webgpu }: Visit,
  stay: (page: Page) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  try {
    const page = await context.newPage()
    await page.addInitScript(observe, lab)
    if (!webgpu) await page.addInitScript(hideWebGpu)
    server.delivered.length = 0
    await page.goto(`${server.url}${hash && `#${hash}`}`)
    await page.waitForFunction(() => observed.interactive !== null, undefined, PATIENCE)
    await page.waitForLoadState('networkidle')
    return await stay(page)
  } finally {
    await context.close()
  }
}

export async function load(browser: Browser, server: PageServer, wanted: Visit): Promise<Load> {
  return await visit(browser, server, wanted, async (page) => {
    // What comes when nothing else is to do.
    await page.waitForTimeout(2000)
    const seen = await page.evaluate(() => observed)
    const delivered = [...server.delivered]
    const until = (await page.evaluate(() => performance.timeOrigin)) + seen.interactive!
    return { observed: seen, untilInteractive: delivered.filter(({ at }) => at <= until), all: delivered }
  })
}

/** A load with the trace on, which slows it down. */
export async function tracedLoad(browser: Browser, server: PageServer, wanted: Visit): Promise<MainThread> {
  await browser.startTracing(undefined, { categories: [...traceCategories] })
  await visit(browser, server, wanted, (page) => page.waitForTimeout(2000))
  return readTrace(await browser.stopTracing(), server.url)
}

/** Does something for a while in a lab that has settled. */
export async function watchUse(
  browser: Browser,
  server: PageServer,
  wanted: Visit,
  settle: (page: Page) => Promise<void>,
  act: (page: Page) => Promise<void>,
): Promise<Use> {
  return await visit(browser, server, wanted, async (page) => {
    await settle(page)
    await browser.startTracing(undefined, { categories: [...traceCategories] })
    await page.evaluate(() => {
      observed.longTasks.length = 0
      observed.frames.length = 0
      observed.layoutShift = 0
    })
    const begin = performance.now()
    await act(page)
    const seconds = (performance.now() - begin) / 1000
    const seen = await page.evaluate(() => observed)
    return { observed: seen, mainThread: readTrace(await browser.stopTracing(), server.url), seconds }
  })
}
