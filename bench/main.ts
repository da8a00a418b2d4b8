/**
 * `npm run bench`: this project against its peers, on this machine's adapter.
 *
 * Prints what each step costs (ms, GFLOP/s, share of the measured FMA ceiling), how many times as fast this project is, and what
 * each asks of the device. Exit code 1 where an implementation computes something else. `--help` lists the options.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { CaseName } from './peer'
import { type Provenance, markdown, unetTables, withSection } from './report'
import { type BenchOptions, type BenchReport, caseNames, isCorrect, peerNames, runBench } from './run'
import { createNodeGpu } from '../src/cli/nodeGpu'
import { WebGpuUnavailableError } from '../src/gpu/device'

const help = `npm run bench -- [options]

  --cases LIST     of ${caseNames.join(', ')}, unet (in Node); default: all
  --batches LIST   default 1024,65536; in software in a browser 1024
  --peers LIST     of ${peerNames.join(', ')}, or none; default: all
  --seconds N      rounds of a case go on for about this long (20)
  --rounds LIST    … but are at least and at most so many (3,100)
  --no-kernels     leave out the kernels one by one
  --browser        in Chromium instead of Node
  --hardware       … on its GPU instead of SwiftShader
  --json           print everything as JSON
  --write          put the tables into --out
  --out FILE       default bench/RESULTS.md
`

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      cases: { type: 'string', default: [...caseNames, 'unet'].join(',') },
      batches: { type: 'string' },
      peers: { type: 'string', default: peerNames.join(',') },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3,100' },
      kernels: { type: 'boolean', default: true },
      browser: { type: 'boolean', default: false },
      hardware: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      out: { type: 'string', default: fileURLToPath(new URL('RESULTS.md', import.meta.url)) },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const cases = values.cases.split(',')
  const unknown = cases.filter((name) => name !== 'unet' && !isCase(name))
  if (unknown.length > 0) {
    process.stderr.write(`There is no case ${unknown.join(', ')}.\n\n${help}`)
    return 2
  }
  const slow = values.browser && !values.hardware
  const options: BenchOptions = {
    cases: cases.filter(isCase),
    batches: numbers(values.batches ?? (slow ? '1024' : '1024,65536')),
    peers: values.peers.split(',').filter((name) => name !== '' && name !== 'none'),
    seconds: Number(values.seconds),
    rounds: range(values.rounds),
    kernels: values.kernels,
  }
  if (options.peers.length > 0 && !installPeers()) return 1
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  try {
    const { report, environment } = values.browser
      ? await inBrowser(options, slow, log)
      : await inNode(options, log)
    const unet = cases.includes('unet') && !values.browser ? await measureUnet(log) : undefined
    const provenance: Provenance = {
      environment,
      date: new Date().toISOString().slice(0, 10),
      command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
      machine: `${process.platform} ${process.arch}, ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'an unknown CPU'}`,
    }
    const text = markdown(report, provenance, unet ? [unet.text] : [])
    if (values.json) console.log(JSON.stringify({ ...provenance, ...report, unet: unet?.report }, null, 2))
    else console.log(text)
    if (values.write) writeResults(values.out, `${report.adapter}, ${environment}`, text)
    return isCorrect(report) && (unet?.agrees ?? true) ? 0 : 1
  } catch (error) {
    if (!(error instanceof WebGpuUnavailableError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}

function isCase(name: string): name is CaseName {
  return (caseNames as readonly string[]).includes(name)
}

function numbers(list: string): number[] {
  return list.split(',').map(Number)
}

function range(list: string): readonly [number, number] {
  const [least = 3, most = least] = numbers(list)
  return [least, Math.max(least, most)]
}

/** The peers' packages are the benchmark's own and installed when it is first run. */
function installPeers(): boolean {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  if (existsSync(`${folder}/node_modules`)) return true
  process.stderr.write('Installing what the benchmark compares with (once) …\n')
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 2, 2] })
  if (status === 0) return true
  process.stderr.write(
    'The peers could not be installed: is this machine online? Please run `npm ci --prefix bench`, or measure this project alone with `npm run bench -- --peers none`.\n',
  )
  return false
}

interface Ran {
  readonly report: BenchReport
  readonly environment: string
}

async function inNode(options: BenchOptions, log: (line: string) => void): Promise<Ran> {
  const gpu = await createNodeGpu()
  // libraries look for WebGPU there
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true })
  return { report: await runBench(gpu, options, log), environment: `Node ${process.versions.node}, Dawn` }
}

async function inBrowser(options: BenchOptions, slow: boolean, log: (line: string) => void): Promise<Ran> {
  const { runInChromium } = await import('./inBrowser')
  return runInChromium(options, slow, log)
}

/** Case (d): the U-Net against ONNX Runtime's forward pass. */
async function measureUnet(log: (line: string) => void) {
  log('unet')
  // only here, because it brings ONNX Runtime with it
  const { measureUnet } = await import('./unet')
  const report = await measureUnet({
    models: ['fashion-32'],
    batches: [1, 8],
    providers: ['webgpu'],
    rounds: 5,
  })
  return { report, text: unetTables(report), agrees: report.cases.every(({ agrees }) => agrees) }
}

function writeResults(file: string, key: string, section: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '# Results\n'
  writeFileSync(file, withSection(before, key, section))
  process.stderr.write(`Wrote ${file}\n`)
}
