/**
 * A restoration of the image lab without a window: `npm run restore -- [--image FILE] [--model FOLDER] [--any-setting value]`.
 *
 * The same run as the page's, in Node; or, with --compare, its comparison. Writes PNGs, prints PSNR, SSIM, misfit and passes;
 * progress goes to stderr. Exit codes: 0 done, 1 the run failed, 2 the options or a file cannot be used.
 */
import { access, constants, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { existsSync } from 'node:fs'
import { comparedSettings, methodLabel } from '../experiments/images/compare'
import { createDenoiser, type ImageModel } from '../experiments/images/models'
import { runImages, type ImageRun } from '../experiments/images/run'
import type { ImagesSettings } from '../experiments/images/settings'
import { validateImages } from '../experiments/images/settings'
import type { OnnxDenoiser } from '../onnx/session/denoiser'
import { compareCsv, stepsCsv } from '../store/images/exports'
import { centralCrop } from '../store/images/imageSource'
import { isGray } from '../store/images/labSource'
import { isSideOf, nearestSide, sidesInWords } from '../store/images/modelSides'
import { PreparedTasks, type PreparedTask } from '../store/images/preparedTask'
import { isOfMethod, resultOf, rowOf } from '../store/images/results'
import { stepInWords } from '../store/images/stepWords'
import type { CompareRow, Crop, Picture, RunResult } from '../store/images/types'
import { openImageDevice, type ImageDevice } from './imageDevice'
import { bundledPictures, openPictures } from './imageFiles'
import { bundledColourModel, isBundledModel, readModelFolder, USUAL_SIDE } from './imageModelFiles'
import { encodePng } from './png'
import { givenFile, placeOf, progressLine, runProgram, UsageError } from './program'
import { readRestoreOptions, usage, type RestoreOptions } from './restoreOptions'

interface Command extends RestoreOptions {
  readonly crop: Crop
  readonly read: ImageModel
  readonly prepared: PreparedTask
}

/** Runs the program; resolves with its exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runProgram({ name: 'restore', usage, read: readCommand, run }, args)
}

/** Errors: UsageError. */
async function readCommand(args: readonly string[]): Promise<Command> {
  const options = readRestoreOptions(args)
  const { image, strokes, drawnKernel } = options
  const out = placeOf(options.out)
  await access(dirname(out), constants.W_OK).catch(() => {
    throw new UsageError(`--out ${options.out}: nothing can be written to the folder ${dirname(out)}.`)
  })
  const path = await pathOfPicture(image)
  const [original] = await usable(() => openPictures([path.file]))
  const { model, read, side: wanted } = await modelFor(options, path.isBundled ? undefined : original)
  const { contract } = read
  const side = options.isSideGiven ? options.settings.side : nearestSide(contract, wanted)
  if (!isSideOf(contract, side)) {
    throw new UsageError(
      `--side ${side} does not fit the model ${contract.name}: it takes ${sidesInWords(contract)}.`,
    )
  }
  const settings = {
    ...options.settings,
    side,
    image: path.isBundled ? image : 'own',
    model: isBundledModel(model) ? model : 'own',
  }
  const problems = validateImages(settings)
  if (problems.length > 0) throw new UsageError(problems.map(({ message }) => message).join('\n      '))
  const tasks = new PreparedTasks()
  tasks.setImage(0, original!)
  const crop = cropOf(options.crop, original!)
  const task = { settings, strokes, drawnKernel, image: 0, crop, channels: contract.image.channels }
  const prepared = await usable(() => tasks.prepare(task))
  return { ...options, settings, out, read, prepared, crop }
}

/** As in the page, a coloured picture of one's own takes a model that knows colours, where none was asked for. */
async function modelFor({ model, isModelGiven, settings }: RestoreOptions, own: Picture | undefined) {
  const read = await usable(() => readModelFolder(model))
  const { side } = settings
  if (isModelGiven || !own || read.contract.image.channels > 1 || isGray(own)) return { model, read, side }
  const other = await bundledColourModel()
  if (other === undefined) return { model, read, side }
  process.stderr.write(`restore: the picture has colours, ${model} knows none: taking ${other}.\n`)
  return { model: other, read: await usable(() => readModelFolder(other)), side: USUAL_SIDE }
}

/** What cannot be read is the fault of the command line. */
async function usable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const next = error instanceof Error && 'nextStep' in error ? ` ${String(error.nextStep)}` : ''
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}${next}`)
  }
}

async function pathOfPicture(image: string): Promise<{ readonly file: string; readonly isBundled: boolean }> {
  const bundled = await bundledPictures()
  const entry = bundled.find(({ name }) => name === image)
  if (entry) return { file: entry.path, isBundled: true }
  const file = givenFile(image)
  if (existsSync(file)) return { file, isBundled: false }
  throw new UsageError(
    `--image: there is no file "${image}", and no bundled picture of this name: ${bundled.map(({ name }) => name).join(', ')}.`,
  )
}

function cropOf(crop: Crop | null, original: Picture): Crop {
  if (!crop) return centralCrop(original)
  const { width, height } = original
  if (crop.x + crop.side <= width && crop.y + crop.side <= height) return crop
  throw new UsageError(
    `--crop ${crop.x},${crop.y},${crop.side} is not inside of ${width} × ${height} pixels.`,
  )
}

async function run(command: Command): Promise<void> {
  const { settings, strokes, read, provider, compare } = command
  if (settings.task === 'brush' && strokes.length === 0)
    process.stderr.write('restore: without --strokes nothing is hidden.\n')
  const device = await openImageDevice(provider)
  try {
    const { side, samples } = settings
    process.stderr.write(
      `restore: ${read.contract.name} on ${device.name}, ${samples} × ${side} × ${side} pixels\n`,
    )
    const progress = progressLine()
    const denoiser = createDenoiser(read, device, side, samples, (label) => progress.show(label))
    try {
      if (compare) await compareMethods(command, device, denoiser, compare)
      else await restore(command, device, denoiser)
    } finally {
      progress.clear()
      await denoiser.release()
    }
  } finally {
    device.destroy()
  }
}

async function restore(command: Command, device: ImageDevice, denoiser: OnnxDenoiser): Promise<void> {
  const { prepared, settings, out, csv, json } = command
  const result = resultOf(await sample(command, settings, device, denoiser), prepared, settings)
  const { samples, mean, deviation } = result
  const files = new Files(out)
  for (const [i, picture] of samples.entries()) await files.png(`restoration-${i + 1}`, picture)
  if (deviation) {
    await files.png('mean', mean)
    await files.png('deviation', deviation.picture)
  }
  await files.png('observation', prepared.observation)
  await files.png('original', prepared.truth)
  if (csv) await files.write('steps.csv', stepsCsv(result.steps))
  files.report()
  const { psnr, ssim, meanPsnr, meanSsim, misfit, passes, seconds } = result
  const numbers = { psnr, ssim, meanPsnr, meanSsim, misfit, passes, seconds }
  const content = { ...described(command, device), ...numbers, files: files.written }
  process.stdout.write(json ? `${JSON.stringify(content)}\n` : tableOf(result))
}

async function compareMethods(
  command: Command,
  device: ImageDevice,
  denoiser: OnnxDenoiser,
  methods: NonNullable<RestoreOptions['compare']>,
): Promise<void> {
  const { prepared, out, csv, json } = command
  const files = new Files(out)
  const rows: CompareRow[] = []
  for (const settings of comparedSettings(command.settings, methods)) {
    const { method, steps } = settings
    const label = methodLabel(settings)
    const about = { method, label, steps, message: '' }
    try {
      const found = rowOf(await sample(command, settings, device, denoiser, label), prepared.measured.shape)
      rows.push({ ...about, ...found })
      await files.png(method, found.picture)
    } catch (error) {
      if (!isOfMethod(error)) throw error
      process.stderr.write(`restore: ${label}: ${error.message}\n`)
      const unknown = { picture: null, psnr: null, ssim: null, misfit: null, seconds: null }
      rows.push({
        ...about,
        ...unknown,
        status: 'failed',
        message: error.message,
        fraction: 0,
        evaluations: 0,
      })
    }
  }
  await files.png('observation', prepared.observation)
  await files.png('original', prepared.truth)
  if (csv) await files.write('compare.csv', compareCsv({ rows }))
  files.report()
  const shown = rows.map(({ picture: _picture, fraction: _fraction, ...row }) => row)
  const content = { ...described(command, device), rows: shown, files: files.written }
  process.stdout.write(json ? `${JSON.stringify(content)}\n` : comparisonOf(rows))
}

async function sample(
  { read, prepared }: Command,
  settings: ImagesSettings,
  { primitives }: ImageDevice,
  denoiser: OnnxDenoiser,
  label = '',
): Promise<ImageRun> {
  const progress = progressLine()
  const started = performance.now()
  const { measured } = prepared
  const request = { denoiser, primitives, range: read.contract, measured, settings }
  try {
    return await runImages(request, {
      onStep: ({ step, steps, sigma }) => {
        const left = ((performance.now() - started) / 1000 / (step + 1)) * (steps - step - 1)
        const parts = [label, stepInWords(step + 1, settings), `σ = ${sigma.toPrecision(2)}`]
        progress.show(`${parts.filter(Boolean).join(', ')}, ${Math.ceil(left)} s left`)
      },
    })
  } finally {
    progress.clear()
  }
}

/** What the numbers depend on. */
function described({ settings, strokes, drawnKernel, crop, read }: Command, { name }: ImageDevice) {
  return {
    settings,
    ...(settings.task === 'brush' && { strokes }),
    ...(settings.task === 'motion' && drawnKernel && { drawnKernel }),
    crop,
    model: { name: read.contract.name, sha256: read.contract.sha256 },
    computedOn: name,
  }
}

/** Files of one stem. */
class Files {
  readonly written: string[] = []

  constructor(private readonly stem: string) {}

  async png(name: string, picture: Picture): Promise<void> {
    await this.keep(`${name}.png`, encodePng(picture))
  }

  async write(name: string, content: Blob): Promise<void> {
    await this.keep(name, await content.text())
  }

  report(): void {
    const names = this.written.map((path) => basename(path)).join(', ')
    process.stderr.write(`restore: wrote ${names} to ${dirname(this.stem)}\n`)
  }

  private async keep(name: string, content: Uint8Array | string): Promise<void> {
    const path = `${this.stem}-${name}`
    await writeFile(path, content)
    this.written.push(path)
  }
}

const COLUMN = 10

function tableOf({ psnr, ssim, meanPsnr, meanSsim, misfit, passes, seconds }: RunResult): string {
  const line = (...cells: string[]) => `${cells.map((text) => text.padStart(COLUMN)).join('')}\n`
  const { forward, vjp, jvp } = passes
  return [
    line('sample', 'PSNR', 'SSIM', 'misfit'),
    ...psnr.map((value, i) =>
      line(String(i + 1), `${value.toFixed(2)} dB`, ssim[i]!.toFixed(3), misfit[i]!.toFixed(2)),
    ),
    ...(psnr.length > 1 ? [line('mean', `${meanPsnr.toFixed(2)} dB`, meanSsim.toFixed(3))] : []),
    `\n${forward} forward passes, ${vjp} VJPs, ${jvp} JVPs, each of all samples at once; ${seconds.toFixed(1)} s\n`,
  ].join('')
}

function comparisonOf(rows: readonly CompareRow[]): string {
  const width = Math.max(...rows.map(({ label }) => label.length))
  const line = (first: string, ...cells: string[]) =>
    `${first.padEnd(width)}${cells.map((text) => text.padStart(COLUMN + 2)).join('')}\n`
  const digits = (value: number | null, places: number) => value?.toFixed(places) ?? '–'
  return [
    line('method', 'steps', 'evaluations', 'PSNR, dB', 'SSIM', 'misfit', 'seconds'),
    ...rows.map(({ label, steps, evaluations, psnr, ssim, misfit, seconds }) =>
      line(
        label,
        String(steps),
        String(evaluations),
        digits(psnr, 2),
        digits(ssim, 3),
        digits(misfit, 2),
        digits(seconds, 1),
      ),
    ),
  ].join('')
}
