/**
 * Builds the page as `npm run build` does and serves it from a sub-path, like a folder on any static host.
 *
 * The address goes to the tests through vitest's `provide`. A server of plain files is used instead of Vite's
 * preview, so that nothing but the built files can answer.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join, normalize, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { prepareBrowser } from '../../scripts/browser.mjs'
import { contentType, isFile, listenLocally } from '../../scripts/staticServer'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the built page is served, for example http://localhost:41234/some/sub/path/ */
    pageUrl: string
    /** An empty page of the same origin. */
    blankUrl: string
    /** Path of the Chromium under test. */
    browserPath: string
  }
}

const SUB_PATH = '/some/sub/path/'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('browserPath', prepareBrowser())
  const root = project.config.root
  const folder = resolve(root, '.cache/e2e')
  await build(root, folder)

  const { origin, close } = await listenLocally((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    if (path === '/blank') {
      response
        .writeHead(200, { 'Content-Type': 'text/html' })
        .end('<!doctype html><link rel="icon" href="data:," />')
      return
    }
    const inside = path.startsWith(SUB_PATH) ? normalize(path.slice(SUB_PATH.length)) : '..'
    const file = join(folder, inside === '.' || inside === '' ? 'index.html' : inside)
    if (inside.startsWith('..') || !isFile(file)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'Content-Type': contentType(file) })
    createReadStream(file).pipe(response)
  })
  project.provide('pageUrl', origin + SUB_PATH)
  project.provide('blankUrl', `${origin}/blank`)
  return close
}

/** In a process of its own: vitest's NODE_ENV would make it a development build. */
async function build(root: string, outDir: string): Promise<void> {
  const vite = resolve(root, 'node_modules/vite/bin/vite.js')
  const args = [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn']
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error('The page could not be built: see above.')
}
