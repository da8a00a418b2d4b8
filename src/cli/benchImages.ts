/**
 * The paper's Table 4 on our models: `npm run bench:images -- [--model fashion-32] [--fashion FILE | --photos FOLDER]`.
 *
 * Writes <out>.csv, a line as soon as a cell is finished, and <out>.md; a later run with the same images goes on from
 * the file, with other tasks, methods and steps too. The tables go to stdout, progress to stderr. Exit codes: 0 done, 1 the
 * run failed, 2 the options cannot be used.
 */
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BenchmarkTask,
  benchmarkTaskNames,
  benchmarkTasks,
  runCell,
} from '../experiments/images/benchmark'
import { type BenchmarkMethod, parseMethod } from '../experiments/images/benchmarkMethods'
import {
  benchmarkHeader,
  benchmarkMarkdown,
  benchmarkRow,
  type BenchmarkRow,
  cellKey,
  readRows,
  writeRow,
} from '../experiments/images/benchmarkTable'
import { createCpuVectors } from '../linalg/cpuVectors'
import { sha256Of } from '../onnx/modelStore'
import { createOnnxDenoiser } from '../onnx/session/denoiser'
import { type ImageDistance, loadImageDistance } from '../onnx/session/imageDistance'
import { createCpuImagePrimitives } from '../operators/cpuPrimitives'
import { type ImageShape, sizeOf } from '../operators/types'
import { readModelFolder, shapeOfModel } from './imageModelFiles'
import { openCpuRuntime, readProvider } from './imageDevice'
import { bundledPictures, readIdxImages, readPictures } from './imageFiles'
import { parseOptions, progressLine, runProgram, UsageError } from './program'

/**
 * DiffPIR and DPS depend on their numbers, and the best ones on model and steps: so several of each, about the best by mean PSNR over
 * all tasks. On fashion-32 λ = 3 and ζ = 5 to 7 at 10 steps (16 images), 1 and 1 at 100 (8 images); on photo-64 at 10 steps λ = 8
 * and ζ = 10, where the range of ζ ends.
 */
const DEFAULT_METHODS = 'mmps=1,mmps=3,tmpd,pigdm,diffpir=1,diffpir=3,diffpir=8,dps=1,dps=5,dps=10,jfps'
const PICTURE = /\.(png|jpe?g|webp|avif|gif|bmp)$/i

interface Command {
  /** A bundled model's name, or a folder with denoiser.onnx and denoiser.json. */
  readonly model: string
  readonly fashion: string | undefined
  readonly photos: string | undefined
  readonly images: number
  readonly side: number | undefined
  readonly tasks: readonly BenchmarkTask[] | undefined
  readonly methods: readonly BenchmarkMethod[]
  readonly steps: readonly number[]
  readonly batch: number
  readonly seed: number
  readonly sigmaY: number | undefined
  readonly provider: 'native' | 'wasm' | undefined
  readonly lpips: string | undefined
  readonly out: string
  readonly json: boolean
}

/** Runs the program; resolves with its exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runProgram({ name: 'bench:images', usage, read: readCommand, run }, args)
}

async function run(command: Command): Promise<void> {
  const { methods, steps, batch, seed, sigmaY, out } = command
  const { graph, contract, sha256 } = await readModelFolder(command.model)
  const shape = shapeOfModel(contract, command.side)
  const { images, source } = await loadImages(command, shape)
  const count = images.length / sizeOf(shape)
  const tasks = tasksOf(command, shape)
  const runtime = await openCpuRuntime(command.provider)
  const space = createCpuVectors()
  const primitives = createCpuImagePrimitives(space)
  const rows = Math.min(batch, count)
  const denoiser = createOnnxDenoiser({
    graph,
    contract,
    shape,
    batch: rows,
    space,
    runtime,
    derivatives: ['vjp'],
  })
  const lpips = command.lpips ? await loadImageDistance(await readFile(command.lpips), runtime) : undefined

  // all that a cell's numbers depend on, besides its own task, method and steps
  const setting = {
    model: contract.name,
    sha256,
    source,
    images: await sha256Of(new Uint8Array(images.buffer as ArrayBuffer)),
    shape,
    batch: rows,
    seed,
    ...(sigmaY !== undefined && { sigmaY }),
    ...(command.lpips && { lpips: command.lpips }),
  }
  const done = await openTable(`${out}.csv`, `# ${JSON.stringify(setting)}`)
  process.stderr.write(
    `bench:images: ${contract.name} on ${runtime.provider}, ${count} images of ${shape.width} × ${shape.height} (${source}), ${rows} at a time\n`,
  )
  if (done.length > 0) process.stderr.write(`bench:images: ${done.length} cells are in ${out}.csv already\n`)
  const cells = steps.flatMap((each) =>
    tasks.flatMap((task) => methods.map((method) => ({ task, method, steps: each }))),
  )
  const known = new Map(done.map((row) => [cellKey(row), row]))
  const keyOf = (cell: (typeof cells)[number]) => cellKey({ ...cell, method: cell.method.name })
  const missing = cells.filter((cell) => !known.has(keyOf(cell)))
  const progress = progressLine()
  for (const [k, cell] of missing.entries()) {
    const { task, method } = cell
    const label = `${benchmarkTasks[task].label}, ${method.label}, ${cell.steps} steps`
    progress.show(`cell ${k + 1} of ${missing.length}: ${label}`)
    const started = performance.now()
    const request = { denoiser, primitives, range: contract, images, task, method, steps: cell.steps, seed }
    const scores = await runCell({
      ...request,
      ...(sigmaY !== undefined && { sigmaY }),
      ...(lpips && { distance: distances(lpips, shape) }),
    })
    const seconds = (performance.now() - started) / 1000
    const row = benchmarkRow({ task, method: method.name, steps: cell.steps, images: count, seconds }, scores)
    known.set(cellKey(row), row)
    await appendFile(`${out}.csv`, `${writeRow(row)}\n`)
    progress.clear()
    const result = row.psnr ? `${row.psnr.mean.toFixed(2)} dB` : 'not finite'
    process.stderr.write(`bench:images: ${label}: ${result}, ${seconds.toFixed(0)} s\n`)
  }
  const wanted = cells.map((cell) => known.get(keyOf(cell))!)
  const table = benchmarkMarkdown(wanted, methods)
  await writeFile(`${out}.md`, table)
  process.stdout.write(command.json ? `${JSON.stringify({ ...setting, rows: wanted })}\n` : table)
  await lpips?.release()
  await denoiser.release()
}

/** Finished rows of a file, which is begun where there is none. Error: where it holds other cells. */
async function openTable(path: string, comment: string): Promise<readonly BenchmarkRow[]> {
  if (!existsSync(path)) {
    await writeFile(path, `${comment}\n${benchmarkHeader}\n`)
    return []
  }
  const found = await readFile(path, 'utf8')
  try {
    const { rows, text } = readRows(found, comment)
    if (text !== found) await writeFile(path, text)
    return rows
  } catch (error) {
    throw new Error(
      `${path} cannot be gone on from, ${(error as Error).message}. Choose another --out, or move the file away.`,
      { cause: error },
    )
  }
}

async function loadImages(
  { fashion, photos, images }: Command,
  shape: ImageShape,
): Promise<{ images: Float32Array; source: string }> {
  const { channels, height, width } = shape
  if (height !== width) throw new Error(`The benchmark takes square images, not ${width} × ${height}.`)
  if (fashion !== undefined) {
    if (channels !== 1) throw new Error('--fashion has gray images: use it with --model fashion-32.')
    return { images: await readIdxImages(fashion, images, height), source: 'Fashion-MNIST test images' }
  }
  const paths =
    photos === undefined
      ? (await bundledPictures()).filter((each) => each.channels === channels).map(({ path }) => path)
      : await picturesIn(photos)
  const chosen = paths.slice(0, images)
  if (chosen.length === 0) throw new Error(`There is no picture in ${photos ?? 'public/images'}.`)
  const source = photos === undefined ? 'bundled images' : 'photographs of a folder'
  return { images: await readPictures(chosen, channels, height), source }
}

async function picturesIn(folder: string): Promise<string[]> {
  return (await readdir(folder))
    .filter((name) => PICTURE.test(name))
    .toSorted()
    .map((name) => join(folder, name))
}

/** Those that the images have: gray images have no colour to take away. */
function tasksOf({ tasks }: Command, { channels }: ImageShape): readonly BenchmarkTask[] {
  if (tasks?.includes('gray') && channels === 1)
    throw new Error('--tasks gray needs a model of colour images.')
  return tasks ?? benchmarkTaskNames.filter((task) => channels > 1 || task !== 'gray')
}

function distances(lpips: ImageDistance, shape: ImageShape) {
  const size = sizeOf(shape)
  return async (images: Float32Array, truths: Float32Array) => {
    const values: number[] = []
    for (let at = 0; at < images.length; at += size) {
      values.push(await lpips.measure(images.subarray(at, at + size), truths.subarray(at, at + size), shape))
    }
    return values
  }
}

function readCommand(args: readonly string[]): Command {
  const names = Object.keys(optionHelp).filter((name) => name !== 'json')
  const values = parseOptions(args, names, ['json'])
  const text = (key: string) => (typeof values[key] === 'string' ? values[key] : undefined)
  const integer = (key: string, least: number, most: number) => {
    const given = text(key)
    if (given === undefined) return undefined
    const value = Number(given)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new UsageError(`--${key} takes an integer from ${least} to ${most}, not "${given}".`)
  }
  const fashion = text('fashion')
  const photos = text('photos')
  if (fashion !== undefined && photos !== undefined)
    throw new UsageError('Give --fashion or --photos, not both.')
  const provider = readProvider(text('provider'), ['native', 'wasm'])
  const sigmaY = text('sigmaY')
  if (sigmaY !== undefined && !(Number(sigmaY) > 0)) throw new UsageError('--sigmaY takes a number above 0.')
  return {
    model: text('model') ?? 'fashion-32',
    fashion,
    photos,
    images: integer('images', 1, 10_000) ?? 50,
    side: integer('side', 8, 256),
    tasks: text('tasks')?.split(',').map(taskNamed),
    methods: (text('methods') ?? DEFAULT_METHODS).split(',').map(methodNamed),
    steps: (text('steps') ?? '10,100').split(',').map(stepsNamed),
    batch: integer('batch', 1, 256) ?? 10,
    seed: integer('seed', 0, 2 ** 31) ?? 0,
    sigmaY: sigmaY === undefined ? undefined : Number(sigmaY),
    provider,
    lpips: text('lpips'),
    out: text('out') ?? 'bench-images',
    json: values['json'] === true,
  }
}

function taskNamed(text: string): BenchmarkTask {
  const task = benchmarkTaskNames.find((name) => name === text)
  if (task) return task
  throw new UsageError(`--tasks: "${text}" is none of ${benchmarkTaskNames.join(', ')}.`)
}

function methodNamed(text: string): BenchmarkMethod {
  const method = parseMethod(text)
  if (typeof method === 'string') throw new UsageError(`--methods: ${method}`)
  return method
}

function stepsNamed(text: string): number {
  const steps = Number(text)
  if (Number.isInteger(steps) && steps >= 2 && steps <= 1000) return steps
  throw new UsageError(`--steps: "${text}" is no integer from 2 to 1000.`)
}

const optionHelp = {
  model: 'a bundled model, or a folder with denoiser.onnx and denoiser.json (default fashion-32)',
  fashion: 't10k-images-idx3-ubyte.gz, for example of the Debian package dataset-fashion-mnist',
  photos: 'a folder of pictures; without both, the pictures of public/images',
  images: 'how many of them (default 50)',
  side: 'pixels a side, where the model takes several sizes (default 64)',
  tasks: `comma-separated (default all: ${benchmarkTaskNames.join(',')})`,
  methods: `comma-separated (default ${DEFAULT_METHODS})`,
  steps: 'comma-separated (default 10,100)',
  batch: 'images that are sampled together and share a mask or kernel (default 10)',
  seed: 'of masks, kernels, measurement noise and sampler (default 0)',
  sigmaY: 'measurement noise of all tasks, instead of the paper’s for each',
  provider: 'native (onnxruntime-node) or wasm (default: native where it can be loaded)',
  lpips: 'LPIPS as ONNX: two inputs [1, 3, height, width] in [-1, 1], one number out',
  out: 'writes STEM.csv and STEM.md (default bench-images)',
  json: 'setting and rows as JSON on stdout instead of the tables',
} as const

function usage(): string {
  return [
    'npm run -s bench:images -- [options]',
    '',
    ...Object.entries(optionHelp).map(([name, help]) => `  --${name.padEnd(10)} ${help}`),
    '',
    'Methods: mmps=5 (k; mmps=5/cg names the solver), dps=1 (ζ), diffpir=8 (λ), tmpd, pigdm, jfps.',
    '',
  ].join('\n')
}
