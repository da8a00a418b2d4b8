/**
 * The page's own speed in Chromium: `node scripts/run.mjs bench/page.ts`, after `npm run build`.
 *
 * For each lab, from an empty cache: compressed bytes of what the browser fetched, the time until the lab can be used (its
 * button enabled and its first picture drawn; median of the loads), long tasks. Then what the main thread does while a
 * lab computes at full speed. A task's CPU time is what its thread ran: WebGPU in software takes both cores of a small
 * machine, so that a task is long on the clock without doing much.
 *
 * Options: --dist (dist), --loads (5), --seconds (20) of each use, --labs (manifold,posterior,images; commas),
 * --uses (names below, commas; "none"), --tasks (0: how many of the longest tasks are described), --json.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareBrowser } from '../scripts/browser.mjs'
import type { LabName } from '../src/store/route'
import { loadTable, printTasks, summarizeLoads, summarizeUse, usesTable } from './page/report'
import { servePage } from './page/server'
import { uses, type UseName } from './page/uses'
import { launch, load, tracedLoad, watchUse } from './page/visit'

const hashes: Readonly<Record<LabName, string>> = {
  manifold: '',
  posterior: 'lab=posterior',
  images: 'lab=images',
}

const isLab = (name: string): name is LabName => name in hashes
const isUse = (name: string): name is UseName => name in uses

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dist: { type: 'string', default: 'dist' },
      loads: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '20' },
      labs: { type: 'string', default: 'manifold,posterior,images' },
      uses: { type: 'string', default: Object.keys(uses).join(',') },
      tasks: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
    },
  })
  const folder = resolve(values.dist)
  if (!existsSync(`${folder}/index.html`)) {
    console.error(
      `There is no build in ${folder}: run "npm run build" first, or name its folder with --dist.`,
    )
    return 2
  }
  const server = await servePage(folder)
  const browser = await launch(prepareBrowser())
  try {
    const loads = []
    for (const lab of values.labs.split(',').filter(isLab)) {
      const visit = { hash: hashes[lab], lab, webgpu: true }
      const measured = []
      for (let i = 0; i < Number(values.loads); i += 1) measured.push(await load(browser, server, visit))
      if (measured.length === 0) continue
      loads.push(summarizeLoads(lab, measured, await tracedLoad(browser, server, visit)))
    }
    const used = []
    for (const name of values.uses.split(',').filter(isUse)) {
      const { visit, settle, act } = uses[name]
      const measured = await watchUse(browser, server, visit, settle, (page) =>
        act(page, Number(values.seconds)),
      )
      used.push(summarizeUse(name, measured))
    }
    if (values.json) console.log(JSON.stringify({ loads, uses: used }, null, 2))
    else {
      console.log(`Chromium ${browser.version()}, ${folder}`)
      if (loads.length > 0) console.log(loadTable(loads))
      if (used.length > 0) console.log(`${loads.length > 0 ? '\n' : ''}${usesTable(used)}`)
      printTasks([...loads, ...used], Number(values.tasks))
    }
  } finally {
    await browser.close()
    await server.close()
  }
  return 0
}
