/**
 * Runs a TypeScript program of this repository in Node: `node scripts/run.mjs <file.ts> [arguments]`.
 *
 * Vite's module runner resolves TypeScript and `?raw` shaders as the browser build does. The file exports
 * `main(args)`, which returns (a promise of) the exit code.
 */
import { fileURLToPath } from 'node:url'
import { resolve } from 'node:path'
import { runnerImport } from 'vite'
import { MissingSoftwareError } from './apt.mjs'
import { prepareVulkan } from './vulkan.mjs'

const [file, ...args] = process.argv.slice(2)
if (!file) {
  console.error('Usage: node scripts/run.mjs <file.ts> [arguments]')
  process.exit(2)
}
const root = fileURLToPath(new URL('..', import.meta.url))
try {
  prepareVulkan({ software: false })
} catch (error) {
  if (!(error instanceof MissingSoftwareError)) throw error
  console.error(error.message)
  process.exit(1)
}
/** @type {{ module: { main: (args: string[]) => number | Promise<number> } }} */
const { module } = await runnerImport(resolve(root, file), { configFile: false, root, logLevel: 'error' })
const code = await module.main(args)
// Dawn keeps its threads: leave without waiting for them, once everything written has left.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
