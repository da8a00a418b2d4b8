/**
 * Runs a TypeScript program of this repository in Node: `node scripts/run.mjs <file.ts> [arguments]`.
 *
 * Vite's module runner resolves TypeScript and `?raw` shaders as the browser build does; packages are
 * imported by Node itself. The file exports `main(args)`, which returns (a promise of) the exit code.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRunnableDevEnvironment, resolveConfig } from 'vite'
import { MissingSoftwareError } from './apt.mjs'
import { prepareVulkan } from './vulkan.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * What Vite's `runnerImport` does, but the runner stays open: programs may import modules while they run.
 *
 * @param {string} file
 */
async function importTypeScript(file) {
  const environment = {
    consumer: /** @type {const} */ ('server'),
    dev: { moduleRunnerTransform: true },
    resolve: { external: /** @type {const} */ (true), conditions: ['node'] },
  }
  const config = await resolveConfig(
    { root, configFile: false, envDir: false, logLevel: 'error', environments: { program: environment } },
    'serve',
  )
  const program = createRunnableDevEnvironment('program', config, { hot: false })
  await program.init()
  return program.runner.import(file)
}

const [file, ...args] = process.argv.slice(2)
if (!file) {
  console.error('Usage: node scripts/run.mjs <file.ts> [arguments]')
  process.exit(2)
}
try {
  prepareVulkan({ software: false })
} catch (error) {
  if (!(error instanceof MissingSoftwareError)) throw error
  console.error(error.message)
  process.exit(1)
}
const { main } = await importTypeScript(resolve(root, file))
const code = await main(args)
// Dawn and Vite keep handles open: leave without waiting for them, once everything written has left.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
