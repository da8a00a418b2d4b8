/**
 * Verifies an ONNX model in Node, on the WASM and the WebGPU provider:
 * `npm run verify -- model.onnx [--contract denoiser.json] [--reference file.safetensors] [--json]`.
 *
 * Progress and notes go to stderr, the report to stdout; its last line is one JSON object. Exit codes: 0 passed, 1 a check
 * or the comparison failed, 2 the options or a file cannot be used. With --reference the comparison decides.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { createCounters } from '../gpu/buffers'
import { openDevice, type OpenDevice } from '../gpu/device'
import { createGpuVectors } from '../gpu/vectors'
import { createCpuVectors } from '../linalg/cpuVectors'
import { readSafetensors, SafetensorsError } from '../math/safetensors'
import { ContractError, type DenoiserContract, type ImageSide, parseContract } from '../onnx/contract'
import { DownloadError } from '../onnx/download'
import { OnnxError, type Graph } from '../onnx/graph'
import { completeContract, inferContract } from '../onnx/inferContract'
import { readModel } from '../onnx/model'
import { checkModel, sha256Of } from '../onnx/modelStore'
import { createOnnxDenoiser, type OnnxDenoiserFacts } from '../onnx/session/denoiser'
import { nodeWasmRuntime, nodeWebGpuRuntime } from '../onnx/session/nodeRuntimes'
import type { OrtRuntime } from '../onnx/session/runtime'
import { type VerificationReport, verifyDenoiser } from '../onnx/verify'
import { externalData } from './imageModelFiles'
import { createNodeGpu } from './nodeGpu'
import { givenFile, progressLine, UsageError } from './program'
import { REFERENCE_BOUND, type Comparison, type Reference, prepareReference } from './verifyReference'

type Provider = 'wasm' | 'webgpu'

interface Command {
  readonly model: string
  readonly contract: string | undefined
  readonly reference: string | undefined
  readonly providers: readonly Provider[]
  readonly side: number | undefined
  readonly seed: number
  readonly json: boolean
}

interface ProviderResult {
  /** Denoising and derivatives; absent where nothing says how to use the model. */
  readonly report?: VerificationReport
  readonly reference?: Comparison
  readonly sessions?: OnnxDenoiserFacts['sessions']
  readonly adapter?: string
  readonly error?: string
}

interface Result {
  readonly status: 'pass' | 'warn' | 'fail'
  readonly model: string
  readonly contract: DenoiserContract | null
  /** What neither the file nor a contract says, and was taken for granted. */
  readonly assumed: readonly { readonly field: string; readonly value: unknown }[]
  readonly notes: readonly string[]
  readonly providers: Partial<Record<Provider, ProviderResult>>
}

/** Runs the program; resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let json = args.includes('--json')
  try {
    if (args.includes('--help')) {
      process.stdout.write(usage())
      return 0
    }
    const command = readCommand(args)
    json = command.json
    const result = await run(command)
    if (!json) process.stdout.write(table(result))
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return result.status === 'fail' ? 1 : 0
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`verify: ${message}\n`)
    if (error instanceof UsageError) process.stderr.write('Run `npm run verify -- --help` for the options.\n')
    process.stdout.write(`${JSON.stringify({ status: 'fail', error: message })}\n`)
    const unusable = [UsageError, OnnxError, ContractError, DownloadError, SafetensorsError].some(
      (kind) => error instanceof kind,
    )
    return unusable ? 2 : 1
  }
}

async function run(command: Command): Promise<Result> {
  const bytes = new Uint8Array(await readGiven(command.model))
  const graph = readModel(bytes, await externalData(command.model))
  const notes = [...graph.warnings]
  const { contract, assumed, problem } = await findContract(command, graph, bytes)
  if (problem) notes.push(problem)
  const reference = command.reference
    ? prepareReference(graph, readSafetensors(await readGiven(command.reference)), {
        x: contract?.inputs.x,
        output: contract?.output.name,
      })
    : undefined
  if (!contract && !reference) throw new OnnxError(problem ?? 'Nothing says how to use this model.')
  for (const note of notes) process.stderr.write(`verify: ${note}\n`)
  for (const { field, value } of assumed) {
    process.stderr.write(`verify: assuming ${field} = ${JSON.stringify(value)}; a --contract would say.\n`)
  }
  const providers: Partial<Record<Provider, ProviderResult>> = {}
  let wasm: OrtRuntime | undefined
  for (const provider of command.providers) {
    const opened = provider === 'webgpu' ? await openGpu() : undefined
    if (opened && 'error' in opened) {
      providers[provider] = opened
      continue
    }
    wasm ??= await nodeWasmRuntime()
    const runtime = opened?.runtime ?? wasm
    try {
      providers[provider] = {
        ...(opened && { adapter: opened.device.name }),
        ...(await verifyOn(command, graph, contract, reference, runtime, opened?.device, wasm)),
      }
    } finally {
      opened?.device.device.destroy()
    }
  }
  const status = worst(Object.values(providers), Boolean(reference))
  return { status, model: command.model, contract: contract ?? null, assumed, notes, providers }
}

/** With a reference the comparison decides, and what the report finds is told. */
function worst(results: readonly ProviderResult[], compared: boolean): Result['status'] {
  const statuses = results.flatMap(({ error, report, reference }) =>
    error && (!compared || !reference)
      ? ['fail']
      : compared
        ? [reference?.status ?? 'fail']
        : [report?.status ?? 'fail'],
  )
  return statuses.includes('fail') ? 'fail' : statuses.includes('warn') ? 'warn' : 'pass'
}

async function verifyOn(
  { side: wanted, seed }: Command,
  graph: Graph,
  contract: DenoiserContract | undefined,
  reference: Reference | undefined,
  runtime: OrtRuntime,
  device: OpenDevice | undefined,
  wasm: OrtRuntime,
): Promise<ProviderResult> {
  const progress = progressLine()
  const label = device ? 'WebGPU' : 'WASM'
  const result: { -readonly [Key in keyof ProviderResult]: ProviderResult[Key] } = {}
  try {
    progress.show(`${label}: comparing with the reference`)
    if (reference)
      result.reference = await reference.compare(runtime, REFERENCE_BOUND[device ? 'webgpu' : 'wasm'])
    if (!contract) return result
    const shape = {
      channels: contract.image.channels,
      height: sideOf(contract.image.height, wanted),
      width: sideOf(contract.image.width, wanted),
    }
    const batch = contract.batch === 'dynamic' ? 2 : contract.batch
    const made = { graph, contract, shape, batch }
    const denoiser = createOnnxDenoiser({
      ...made,
      space: device ? await createGpuVectors(device.device, createCounters()) : createCpuVectors(),
      runtime,
      derivatives: ['vjp', 'jvp'],
    })
    const cpu = device
      ? createOnnxDenoiser({ ...made, space: createCpuVectors(), runtime: wasm, derivatives: ['vjp'] })
      : undefined
    try {
      result.report = await verifyDenoiser(denoiser, {
        seed,
        sigmaMin: contract.sigmaMin,
        sigmaMax: contract.sigmaMax,
        ...(cpu && { reference: cpu }),
        onProgress: (fraction, text) => progress.show(`${label}: ${Math.round(100 * fraction)} %  ${text}`),
      })
      result.sessions = denoiser.facts.sessions
    } finally {
      await denoiser.release()
      await cpu?.release()
    }
  } catch (error) {
    if (error instanceof ContractError && !reference) throw error
    result.error = error instanceof Error ? error.message : String(error)
  } finally {
    progress.clear()
  }
  return result
}

async function openGpu(): Promise<{ device: OpenDevice; runtime: OrtRuntime } | { error: string }> {
  try {
    const gpu = await createNodeGpu()
    const device = await openDevice(gpu)
    return { device, runtime: await nodeWebGpuRuntime(gpu, device) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

/** The given contract, the one beside `denoiser.onnx`, or what can be inferred and guessed. */
async function findContract(command: Command, graph: Graph, bytes: Uint8Array<ArrayBuffer>) {
  const beside = join(dirname(command.model), 'denoiser.json')
  const isNamed = basename(command.model) === 'denoiser.onnx' && existsSync(beside)
  const path = command.contract ?? (isNamed ? beside : undefined)
  if (path) {
    const contract = parseContract(await readFile(path, 'utf8').catch(unreadable(path)))
    await checkModel(bytes, contract)
    return { contract, assumed: [] }
  }
  try {
    const partial = inferContract(graph, {
      name: basename(command.model),
      bytes: bytes.byteLength,
      sha256: await sha256Of(bytes),
    })
    const assumed = partial.questions.map(({ field, suggestion }) => ({ field, value: suggestion }))
    const answers = Object.fromEntries(assumed.map(({ field, value }) => [field, value]))
    return { contract: completeContract(partial, answers), assumed }
  } catch (error) {
    if (!(error instanceof ContractError)) throw error
    return {
      contract: undefined,
      assumed: [],
      problem: `${error.message} Write a contract (public/models/README.md).`,
    }
  }
}

function sideOf(allowed: ImageSide, wanted = 64): number {
  if (typeof allowed === 'number') return allowed
  const { multipleOf, minimum, maximum } = allowed
  const least = Math.ceil(minimum / multipleOf) * multipleOf
  const most = Math.floor(maximum / multipleOf) * multipleOf
  return Math.min(most, Math.max(least, Math.round(wanted / multipleOf) * multipleOf))
}

function readGiven(path: string): Promise<Uint8Array> {
  return readFile(path).catch(unreadable(path))
}

function unreadable(path: string) {
  return (cause: NodeJS.ErrnoException): never => {
    throw new UsageError(
      `${path} cannot be read${cause.code === 'ENOENT' ? ': there is no such file' : ` (${cause.message})`}.`,
    )
  }
}

function table({ providers, status, contract }: Result): string {
  const mark = { pass: '✓', warn: '!', fail: '✗' }
  const lines = [`${contract?.title ?? 'Model'}: ${status}`]
  for (const [name, { report, reference, error, adapter }] of Object.entries(providers)) {
    lines.push('', `${name === 'wasm' ? 'WASM' : 'WebGPU'}${adapter ? ` (${adapter})` : ''}`)
    if (error) lines.push(`  ✗ ${error}`)
    if (reference) {
      for (const [quantity, value] of Object.entries(reference.errors)) {
        lines.push(
          `  ${mark[value <= reference.bound ? 'pass' : 'fail']} ${quantity.padEnd(26)} ${value.toExponential(1)} from the reference, at most ${reference.bound}`,
        )
      }
    }
    for (const { status, label, value, message } of report?.checks ?? []) {
      lines.push(
        `  ${mark[status]} ${label.padEnd(26)} ${(value?.toPrecision(2) ?? '').padEnd(9)} ${message}`,
      )
    }
    if (report) lines.push(`  Recommended solver: ${report.solver.toUpperCase()}.`)
  }
  return `${lines.join('\n')}\n\n`
}

/** Errors: UsageError. */
function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  const [model, ...rest] = positionals
  if (!model) throw new UsageError('Which model? Name an ONNX file.')
  if (rest.length > 0) throw new UsageError(`One model at a time; what is "${rest[0]}"?`)
  const provider = values.provider ?? 'both'
  if (provider !== 'wasm' && provider !== 'webgpu' && provider !== 'both') {
    throw new UsageError(`--provider is wasm, webgpu or both, not "${provider}".`)
  }
  const number = (name: 'side' | 'seed', least: number, most: number): number | undefined => {
    const text = values[name]
    if (text === undefined) return undefined
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new UsageError(`--${name} takes an integer from ${least} to ${most}, not "${text}".`)
  }
  return {
    model: givenFile(model),
    contract: values.contract === undefined ? undefined : givenFile(values.contract),
    reference: values.reference === undefined ? undefined : givenFile(values.reference),
    providers: provider === 'both' ? ['wasm', 'webgpu'] : [provider],
    side: number('side', 1, 4096),
    seed: number('seed', 0, 2 ** 32 - 1) ?? 0,
    json: values.json ?? false,
  }
}

function parsed(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const
    return parseArgs({
      args: [...args],
      options: {
        contract: text,
        reference: text,
        provider: text,
        side: text,
        seed: text,
        json: { type: 'boolean' },
      },
      allowPositionals: true,
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function usage(): string {
  return `npm run -s verify -- model.onnx [options]

  --contract FILE    how to use the model (public/models/README.md); else a denoiser.json beside a denoiser.onnx, else
                     what can be inferred, with assumptions that are printed
  --reference FILE   safetensors with the model's inputs by name, v, u, and output, vjp, jvp to compare with: relative
                     error in norm at most ${REFERENCE_BOUND.wasm} on WASM, ${REFERENCE_BOUND.webgpu} on WebGPU; decides the exit code
  --provider NAME    wasm, webgpu or both (default)
  --side N           side of the test images, where the model takes several (default: near 64)
  --seed N           of the test images and vectors (default 0)
  --json             only the JSON object, which is the last line in any case
`
}
