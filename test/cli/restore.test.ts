import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openImageDevice } from '../../src/cli/imageDevice'
import { readModelFolder } from '../../src/cli/imageModelFiles'
import { openPictures } from '../../src/cli/imageFiles'
import { decodePng } from '../../src/cli/png'
import { main } from '../../src/cli/restore'
import { readRestoreOptions } from '../../src/cli/restoreOptions'
import { createDenoiser } from '../../src/experiments/images/models'
import { imagesPresetNames, imagesPresets } from '../../src/experiments/images/presets'
import { imageSettings, imagesKeys, validateImages } from '../../src/experiments/images/settings'
import { commandLine } from '../../src/store/images/commandLine'
import { centralCrop } from '../../src/store/images/imageSource'
import type { ImagesEvent } from '../../src/store/images/messages'
import { quantizeBrush, quantizeKernel } from '../../src/store/images/polylines'
import { ImagesService } from '../../src/store/images/service'
import type { RunResult } from '../../src/store/images/types'

const run = promisify(execFile)
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restore-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The program in this process: a new one takes seconds to start. */
async function restore(options: string) {
  const texts = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      texts[stream] += String(text)
      return true
    }),
  )
  try {
    const code = await main(options.split(' '))
    return { code, ...texts }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** The page's worker, on the device and the model of the command line. */
async function runInWorker(options: string): Promise<RunResult> {
  const { settings, strokes, drawnKernel, model, image } = readRestoreOptions(options.split(' '))
  const read = await readModelFolder(model)
  const [original] = await openPictures([`public/images/${image}.png`])
  return await new Promise((resolve, reject) => {
    const publish = (event: ImagesEvent) => {
      if (event.type === 'result') resolve(event.result)
      if (event.type === 'job' && event.patch.status === 'failed')
        reject(new Error(event.patch.problem?.message))
    }
    const service = new ImagesService({
      publish,
      openDevice: async () => {
        const device = await openImageDevice()
        const lost = new Promise<string>(() => undefined)
        return { device: { ...device, adapter: { kind: 'cpu', name: device.name }, lost }, fallback: null }
      },
      readModel: () =>
        Promise.resolve({
          contract: read.contract,
          build: (device, side, batch, onLabel) =>
            Promise.resolve(createDenoiser(read, device, side, batch, onLabel)),
          // it would begin when the run has ended
          verify: () => new Promise(() => undefined),
        }),
    })
    const { side, samples } = settings
    const source = { kind: 'bundled', name: model, onnxUrl: '', contractUrl: '', pictureUrls: [] } as const
    const crop = centralCrop(original!)
    const task = { settings, strokes, drawnKernel, image: 1, crop, channels: read.contract.image.channels }
    void service.execute({ type: 'image', image: 1, original: original! })
    void service.execute({ type: 'loadModel', job: 1, source, side, samples })
    void service.execute({ type: 'run', job: 1, task })
  })
}

describe('npm run restore', () => {
  test('restores a picture as the page does, byte by byte', async () => {
    const options = '--image fashion-bag --task random --kept 0.3 --steps 5 --samples 2 --seed 3 --taskSeed 4'
    const out = join(folder, 'bag')
    const words = `${options} --out ${out} --csv --json`.split(' ')
    const { stdout } = await run('node', ['scripts/run.mjs', 'src/cli/restore.ts', ...words])
    const printed = JSON.parse(stdout.trim().split('\n').at(-1)!) as RunResult & { files: string[] }
    const result = await runInWorker(options)
    const pictureOf = async (name: string) => decodePng(await readFile(`${out}-${name}.png`))
    for (const [i, sample] of result.samples.entries())
      expect(await pictureOf(`restoration-${i + 1}`)).toEqual(sample)
    expect(await pictureOf('mean')).toEqual(result.mean)
    expect(await pictureOf('deviation')).toEqual(result.deviation!.picture)
    expect(await pictureOf('observation')).toEqual(result.observation)
    expect(await pictureOf('original')).toEqual(result.truth)
    const { psnr, ssim, meanPsnr, meanSsim, misfit, passes, settings } = result
    expect(printed).toMatchObject({ psnr, ssim, meanPsnr, meanSsim, misfit, passes, settings })
    // five steps and the last estimate, each with MMPS(1)
    expect(passes).toEqual({ forward: 6, vjp: 12, jvp: 0 })
    expect(printed.files).toHaveLength(7)
    expect(await readFile(`${out}-steps.csv`, 'utf8')).toContain(
      `\n${Object.values(result.steps[5]!).join(',')}\n`,
    )
  })

  test('compares methods, and says which pictures it wrote', async () => {
    const out = join(folder, 'compared')
    const { code, stdout, stderr } = await restore(
      `--steps 6 --samples 1 --equal evaluations --compare mmps,diffpir --provider native --out ${out}`,
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/method\s+steps\s+evaluations\s+PSNR/)
    // of an MMPS(1) step, as many as its two VJPs cost
    expect(stdout).toMatch(/MMPS\(1\)\s+6\s+35\s/)
    expect(stdout).toMatch(/DiffPIR, λ = 8\s+34\s+35\s/)
    expect(stderr).toContain('fashion-32 on onnxruntime-node')
    const written = (await readdir(folder)).filter((name) => name.startsWith('compared'))
    const names = ['diffpir', 'mmps', 'observation', 'original'].map((name) => `compared-${name}.png`)
    expect(written.toSorted()).toEqual(names)
  })

  test.each([
    ['--sigma 1', "Unknown option '--sigma'"],
    ['--boxSide 2 --steps many', '--boxSide: boxSide = 2 is outside its range 0.05 to 0.9.'],
    ['--task mri --acceleration 8 --centre 0.4', 'lower centre to 0.125'],
    ['--preset nothing', '--preset "nothing" is not one of: fillTheHole'],
    ['--image nobody', 'no bundled picture of this name: fashion-ankle-boot'],
    ['--image README.md', 'is a text file'],
    ['--model nobody', '"nobody" is neither a bundled model (fashion-32, photo-64)'],
    ['--task gray', 'choose a colour model'],
    ['--side 64', '--side 64 does not fit the model fashion-32: it takes 32 rows'],
    ['--crop 0,0,99', '--crop 0,0,99 is not inside of 32 × 32 pixels'],
    ['--crop 1,2', '--crop takes a corner and a side'],
    ['--strokes xx', '--strokes is damaged'],
    ['--kernel AA', '--kernel is damaged'],
    ['--compare mmps,magic', '"magic" is not among'],
    ['--provider cuda', '--provider is one of native, wasm, webgpu'],
    ['--out /nowhere/at/all', 'nothing can be written to the folder'],
  ])('refuses %s', async (options, message) => {
    expect(await restore(options)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    })
  })
})

describe('the command line of the page', () => {
  const value = (key: (typeof imagesKeys)[number]) => {
    const setting = imageSettings[key]
    if (setting.kind === 'choice') return fc.constantFrom(...setting.options.map((option) => option.value))
    const { minimum, maximum, integer, multipleOf = 1 } = setting
    if (!integer) return fc.double({ min: minimum, max: maximum, noNaN: true })
    return fc
      .integer({ min: minimum / multipleOf, max: maximum / multipleOf })
      .map((each) => each * multipleOf)
  }
  const point = fc.tuple(
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
  )

  test('is read back to the same settings, strokes, kernel and crop', () => {
    const changes = fc.record(Object.fromEntries(imagesKeys.map((key) => [key, value(key)])), {
      requiredKeys: [],
    })
    const crop = fc.option(
      fc.record({ x: fc.nat(4000), y: fc.nat(4000), side: fc.integer({ min: 1, max: 4096 }) }),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...imagesPresetNames),
        changes,
        fc.array(point, { minLength: 2 }),
        crop,
        (preset, changed, points, crop) => {
          const factor = Number(changed['factor'] ?? 4)
          const settings = { ...imagesPresets[preset].settings, ...changed, factor, image: 'windmill' }
          fc.pre(validateImages(settings).length === 0)
          const strokes =
            settings.task === 'brush' ? quantizeBrush([{ points, width: 0.1, erase: false }]) : []
          const drawnKernel = settings.task === 'motion' ? quantizeKernel(points) : null
          const text = commandLine({ settings, preset, strokes, drawnKernel }, crop, '')
          const [npm, ...args] = text.split(' -- ').map((part) => part.split(' '))
          expect(npm).toEqual(['npm', 'run', '-s', 'restore'])
          expect(readRestoreOptions(args.flat())).toMatchObject({
            preset,
            settings,
            strokes,
            drawnKernel,
            crop,
          })
        },
      ),
      { numRuns: 200 },
    )
  })

  test('has made-up paths for what is the visitor’s own, quoted for a shell', () => {
    const shown = { preset: 'fillTheHole', strokes: [], drawnKernel: null } as const
    const settings = { ...imagesPresets.fillTheHole.settings, image: 'own', model: 'own' }
    const text = commandLine({ ...shown, settings }, null, "my dog's.jpg")
    expect(text).toBe(
      String.raw`npm run -s restore -- --preset fillTheHole --image 'path/to/my dog'\''s.jpg' --model path/to/model --side 32`,
    )
    // as a shell splits it
    const words = [
      '--preset',
      'fillTheHole',
      '--image',
      "path/to/my dog's.jpg",
      '--model',
      'path/to/model',
      '--side',
      '32',
    ]
    const options = readRestoreOptions(words)
    expect(options).toMatchObject({ settings, image: "path/to/my dog's.jpg", model: 'path/to/model' })
  })
})
