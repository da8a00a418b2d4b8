import { describe, expect, it } from 'vitest'
import { DeviceLostError } from '../../../src/diffusion/backend'
import type { ImageDenoiser } from '../../../src/diffusion/image/types'
import { imagesPresets } from '../../../src/experiments/images/presets'
import type { ImagesLab } from '../../../src/store/images/types'
import { contractOf, open, type RigOptions } from './rig'

const QUICK = 'steps=6&samples=2'
const start = (own = QUICK, options: RigOptions = {}) =>
  open(['#lab=images', own].filter(Boolean).join('&'), options)
const ready = ({ status, model, source }: ImagesLab) =>
  status === 'ready' && model.status === 'ready' && !!source
const finished = ({ run }: ImagesLab) => run.status === 'finished' || run.status === 'failed'

/** A denoiser that does something first; `hook` hears whether derivatives are asked for. */
const before = (denoiser: ImageDenoiser, hook: (derivatives: boolean) => void): ImageDenoiser => ({
  space: denoiser.space,
  shape: denoiser.shape,
  batch: denoiser.batch,
  get passes() {
    return denoiser.passes
  },
  denoise: async (...given) => {
    hook(false)
    await denoiser.denoise(...given)
  },
  linearize: async (...given) => {
    hook(true)
    return await denoiser.linearize(...given)
  },
  release: () => denoiser.release(),
})

describe('the image lab', () => {
  it('opens with a picture, its observation and a verified model', async () => {
    const rig = start('')
    expect(rig.state.status).toBe('starting')
    const { source, observation, measurement, model, settings, adapter } = await rig.until(
      (state) => ready(state) && state.model.report !== null,
    )
    expect(source).toMatchObject({ kind: 'bundled', crop: { x: 5, y: 0, side: 30 } })
    expect(source!.truth).toMatchObject({ width: 32, height: 32 })
    expect(observation).toMatchObject({ width: 32, height: 32 })
    // The hole is transparent.
    expect(observation!.data[4 * (16 * 32 + 16) + 3]).toBe(0)
    expect(measurement).not.toBeNull()
    expect(model).toMatchObject({ name: 'fashion-32', report: { status: 'pass' }, problem: null })
    expect(adapter!.name).toBe('device 1')
    expect(rig.state.catalogue.models.map(({ name }) => name)).toContain(settings.model)
    expect(rig.state.notices).toEqual([])
    expect(rig.location.hash).toBe('#lab=images')
  })

  it('runs, shows frames, and ends with samples and what they are worth', async () => {
    const rig = start()
    await rig.until(ready)
    rig.state.start()
    await rig.until(finished)
    const { run } = rig.state
    expect(run).toMatchObject({ status: 'finished', step: 7, steps: 7, problem: null })
    expect(run.frames).toHaveLength(2)
    expect(run.records.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(run.film.at(-1)).toMatchObject({ step: 7 })
    const result = run.result!
    expect(result.samples).toHaveLength(2)
    expect(result.deviation!.maximum).toBeGreaterThan(0)
    expect(result.psnr.every((value) => value > 5)).toBe(true)
    expect(result.meanPsnr).toBeGreaterThan(Math.min(...result.psnr))
    expect(result.truth).toEqual(rig.state.source!.truth)
    expect(result.observation).toEqual(rig.state.observation)
    expect(result.settings).toEqual(rig.state.settings)
    const lines = (await rig.state.exportCsv().text()).trim().split('\n')
    expect(lines[0]).toBe('step,sigma,misfit,solverResidual')
    expect(lines).toHaveLength(8)
    expect(JSON.parse(await rig.state.exportSettings().text())).toMatchObject({
      lab: 'images',
      settings: { steps: 6 },
      result: { psnr: result.psnr },
    })
  })

  it('refuses changes and a second job while a run is going, pauses, resumes and cancels it', async () => {
    const rig = start('steps=400&samples=1')
    await rig.until(ready)
    rig.state.start()
    await rig.until(({ run }) => run.step > 3)
    const { observation, settings } = rig.state
    expect(rig.state.change({ boxX: 0.2 })[0]).toContain('under way')
    rig.state.setStrokes([{ points: [[0, 0]], width: 0.1, erase: false }])
    expect(rig.state.problem).toMatchObject({ title: 'Not while sampling' })
    await rig.state.chooseBundledImage('fashion-bag')
    rig.state.runCompare()
    expect(rig.state.compare).toMatchObject({ status: 'idle', problem: { title: 'One at a time' } })
    rig.state.pause()
    const { run } = await rig.until((state) => state.run.status === 'paused')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(rig.state.run.step).toBeLessThanOrEqual(run.step + 1)
    rig.state.start()
    await rig.until((state) => state.run.status === 'running' && state.run.step > run.step + 1)
    rig.state.cancel()
    expect(rig.state.run.status).toBe('idle')
    const { step } = rig.state.run
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(rig.state.run).toMatchObject({ status: 'idle', step })
    expect(rig.state).toMatchObject({ observation, settings, strokes: [] })
    expect(rig.state.change({ boxX: 0.2 })).toEqual([])
  })

  it('waits for the model where Run comes first, and verifies it afterwards', async () => {
    let give: () => void = () => undefined
    const checked: string[] = []
    const rig = start(QUICK, {
      beforeModel: () => new Promise((resolve) => (give = resolve)),
      verify: async () => void checked.push(rig.state.run.status),
    })
    await rig.until(({ observation }) => observation !== null)
    rig.state.start()
    await rig.until(({ run }) => run.label === 'Waiting for the model')
    give()
    const { model } = await rig.until((state) => state.model.report !== null)
    expect(model.problem).toBeNull()
    expect(checked).toEqual(['finished'])
  })

  it('ends a verification for a run, and begins it again afterwards', async () => {
    const signals: AbortSignal[] = []
    const rig = start(QUICK, {
      verify: (signal) => {
        signals.push(signal)
        if (signals.length > 1) return Promise.resolve()
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        })
      },
    })
    await rig.until(({ model, source }) => model.status === 'verifying' && source !== null)
    rig.state.start()
    await rig.until(finished)
    expect(rig.state.run).toMatchObject({ status: 'finished', problem: null })
    expect(signals[0]!.aborted).toBe(true)
    const { model } = await rig.until((state) => state.model.report !== null)
    expect(model.problem).toBeNull()
    expect(signals).toHaveLength(2)
  })

  it('starts at once where the link says so', async () => {
    const rig = start(`${QUICK}&run=1`)
    await rig.until(finished)
    expect(rig.state.run.status).toBe('finished')
  })

  it('follows a drag with its newest settings, writes the link when it ends, and goes back', async () => {
    const rig = start()
    await rig.until(ready)
    const shown: unknown[] = []
    rig.lab.subscribe(({ observation }, { observation: last }) => {
      if (observation !== last) shown.push(observation)
    })
    for (let i = 0; i < 30; i++) expect(rig.state.change({ boxX: 0.3 + i / 100 }, true)).toEqual([])
    expect(rig.location.hash).toBe(`#lab=images&${QUICK}`)
    rig.state.change({ boxX: 0.6 })
    expect(rig.location.hash).toContain('boxX=0.6')
    await rig.until(() => shown.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(shown.length).toBeLessThan(5)
    const row = (x: number) => rig.state.observation!.data[4 * (16 * 32 + x) + 3]
    expect([row(8), row(15), row(24)]).toEqual([255, 0, 0])
    rig.back()
    expect(rig.state.settings.boxX).toBe(0.5)
    expect(rig.state.change({ boxX: 7 })[0]).toContain('range')
    expect(rig.state.change({ side: 64 })[0]).toContain('fashion-32')
  })

  it('keeps strokes, a drawn kernel and a crop as a link holds them', async () => {
    const rig = start(`${QUICK}&task=brush`)
    await rig.until(ready)
    rig.state.setStrokes([
      {
        points: [
          [0.123456, 0.5],
          [0.9, 0.5],
        ],
        width: 0.2,
        erase: false,
      },
    ])
    rig.state.setDrawnKernel([
      [0, 0],
      [0.5, 0.5],
    ])
    rig.state.setCrop({ x: 2, y: 3, side: 20 })
    expect(rig.state.source!.crop).toEqual({ x: 2, y: 3, side: 20 })
    const { observation } = rig.state
    await rig.until((state) => state.observation !== observation)
    const other = open(rig.location.hash)
    await other.until(ready)
    expect(other.state).toMatchObject({ strokes: rig.state.strokes, drawnKernel: rig.state.drawnKernel })
    expect(other.state.source!.crop).toEqual({ x: 2, y: 3, side: 20 })
    expect(other.state.observation).toEqual(rig.state.observation)
  })

  it('opens an own picture, and keeps the present one where it cannot', async () => {
    const rig = start()
    await rig.until(ready)
    const { source } = rig.state
    await rig.state.openImage(new Blob(['Dear diary']), 'drop', 'diary.png')
    expect(rig.state.problem).toMatchObject({ place: 'data' })
    expect(rig.state.problem!.message).toMatch(/text file.*present picture stays/)
    expect(rig.state.source).toBe(source)
    expect(rig.state.settings.image).not.toBe('own')
    const gif = Uint8Array.from('GIF89a\x28\0\x1e\0\0\0\0;', (letter) => letter.charCodeAt(0))
    await rig.state.openImage(new Blob([gif]), 'paste', 'me.gif')
    await rig.until((state) => state.source?.name === 'me.gif')
    expect(rig.state.problem).toBeNull()
    expect(rig.location.hash).toContain('image=own')
    await rig.state.openImage(new Blob([gif, 'broken']), 'paste', 'cut.gif')
    expect(rig.state.problem!.message).toContain('damaged')
    expect(rig.state.source!.name).toBe('me.gif')
  })

  it('restores a picture with colours by a model that knows them, in its size, and says so', async () => {
    const rig = start()
    await rig.until(ready)
    const gif = Uint8Array.from('GIF89a\x28\0\x1e\0\0\0\0;', (letter) => letter.charCodeAt(0))
    await rig.state.openImage(new Blob([gif, 'red']), 'drop', 'me.gif')
    const { settings, source, notices } = await rig.until(
      (state) => ready(state) && state.source?.truth.width === 64,
    )
    expect(settings).toMatchObject({ model: 'photo-64', image: 'own', side: 64 })
    expect(source!.name).toBe('me.gif')
    expect(notices.at(-1)).toContain('has colours')
    // A visitor who wants it in gray has the last word.
    await rig.state.chooseModel('fashion-32')
    await rig.until((state) => ready(state) && state.source?.truth.width === 32)
    expect(rig.state.settings).toMatchObject({ model: 'fashion-32', image: 'own' })
  })

  it('takes a picture, a size and a task that the chosen model knows', async () => {
    const rig = start('preset=colourOldPhoto&side=128')
    await rig.until(ready)
    await rig.state.chooseModel('fashion-32')
    await rig.until((state) => ready(state) && state.source?.truth.width === 32)
    const { image, task } = rig.state.settings
    expect([image.startsWith('fashion-'), task]).toEqual([true, 'box'])
    await rig.state.chooseModel('photo-64')
    await rig.until((state) => ready(state) && state.source?.truth.width === 64)
    expect(rig.state.settings.image).not.toContain('fashion-')
    expect(rig.state.problem).toBeNull()
  })

  it('keeps the present model and the result where another cannot be used', async () => {
    const rig = start()
    await rig.until(ready)
    rig.state.start()
    await rig.until(finished)
    const { result } = rig.state.run
    await rig.state.openModel([new File(['x'], 'broken.onnx')])
    await rig.until(({ model }) => model.problem !== null)
    expect(rig.state.model).toMatchObject({ status: 'ready', name: 'fashion-32' })
    expect(rig.state.model.problem!.message).toContain('not an ONNX model')
    expect(rig.state.settings.model).toBe('fashion-32')
    expect(rig.state.run.result).toBe(result)
    rig.state.start()
    await rig.until((state) => finished(state) && state.run.result !== result)
    expect(rig.state.run.status).toBe('finished')
  })

  it('asks what a bare model does not say, and takes its side and channels', async () => {
    const rig = start()
    await rig.until(ready)
    await rig.state.openModel([new File(['x'], 'bare.onnx')])
    const { model } = await rig.until((state) => state.model.status === 'asking')
    expect(model.partial!.questions).toHaveLength(1)
    rig.state.start()
    expect(rig.state.run.problem!.title).toContain('not complete')
    const contract = await contractOf('photo-64')
    const fixed = { ...contract, name: 'mine', image: { channels: 3 as const, height: 48, width: 48 } }
    await rig.state.completeContract(fixed)
    await rig.until((state) => state.model.status === 'ready' && state.source?.truth.width === 48)
    expect(rig.state.settings).toMatchObject({ model: 'own', side: 48 })
    expect(rig.location.hash).toContain('model=own')
    rig.state.start()
    await rig.until(finished)
    expect(rig.state.run.result!.samples[0]).toMatchObject({ width: 48 })
    expect(rig.built.at(-1)).toEqual({ side: 48, batch: 2 })
  })

  it('gives a download up, and is back at the model before', async () => {
    const rig = start(QUICK, {
      beforeModel: (name) => (name === 'photo-64' ? new Promise(() => undefined) : Promise.resolve()),
    })
    await rig.until(ready)
    await rig.state.chooseModel('photo-64')
    expect(rig.state.model).toMatchObject({ status: 'downloading', name: 'photo-64' })
    rig.state.cancelModel()
    expect(rig.state.model).toMatchObject({ status: 'ready', name: 'fashion-32', problem: null })
    expect(rig.state.settings.model).toBe('fashion-32')
  })

  it('repeats a run once on a new device where the first is lost, and says so where that is lost too', async () => {
    let losses = 1
    const rig = start(QUICK, {
      wrap: (denoiser) =>
        before(denoiser, () => {
          if (losses-- > 0) throw new DeviceLostError('The driver was reset.')
        }),
    })
    await rig.until(ready)
    rig.state.start()
    await rig.until(finished)
    expect(rig.state.run).toMatchObject({ status: 'finished', problem: null })
    expect(rig.state.run.records).toHaveLength(7)
    expect(rig.devices()).toBe(2)
    const { result } = rig.state.run
    losses = 2
    rig.state.start()
    await rig.until(finished)
    expect(rig.state.run).toMatchObject({ status: 'failed', problem: { action: 'retry' } })
    expect(rig.state.run.result).toBe(result)
    rig.state.start()
    await rig.until((state) => state.run.status === 'finished')
  })

  it('starts another worker after one that died, with the picture and the model', async () => {
    const rig = start('steps=400&samples=1')
    await rig.until(ready)
    rig.state.start()
    await rig.until(({ run }) => run.step > 2)
    rig.failWorker('Out of memory')
    await rig.until(({ run }) => run.status === 'failed')
    expect(rig.state.problem!.message).toBe('Out of memory')
    expect(rig.state.change({ steps: 6 })).toEqual([])
    rig.state.start()
    await rig.until((state) => state.run.status === 'finished')
    expect(rig.state.problem).toBeNull()
    expect(rig.sent.filter((type) => type === 'image' || type === 'loadModel')).toHaveLength(4)
  })

  it('compares methods on one observation, pauses between steps, and writes a table', async () => {
    const rig = start(`${QUICK}&equal=evaluations`)
    await rig.until(ready)
    rig.state.setCompared(['dps', 'mmps', 'diffpir'])
    expect(rig.location.hash).toContain('compare=mmps,diffpir,dps')
    rig.state.change({ guidance: 10, proximity: 0.5 })
    rig.state.runCompare()
    await rig.until(({ compare }) => compare.rows.some(({ status }) => status === 'finished'))
    rig.state.pauseCompare()
    await rig.until(({ compare }) => compare.status === 'paused')
    rig.state.runCompare()
    const { compare } = await rig.until((state) => state.compare.status === 'finished')
    expect(compare.rows.map(({ method }) => method)).toEqual(['mmps', 'diffpir', 'dps'])
    const [mmps, diffpir] = compare.rows
    expect(mmps!.steps).toBe(6)
    expect(diffpir!.steps).toBeGreaterThan(20)
    expect(Math.abs(diffpir!.evaluations - mmps!.evaluations)).toBeLessThan(12)
    for (const row of compare.rows) expect(row).toMatchObject({ status: 'finished', fraction: 1 })
    const lines = (await rig.state.exportCompareCsv().text()).trim().split('\n')
    expect(lines[0]).toBe('method,label,steps,evaluations,psnr,ssim,misfit,seconds,status')
    expect(lines).toHaveLength(4)
    expect(lines[3]).toContain('"DPS, ζ = 10"')
  })

  it('compares on where one method fails, and says why beside it', async () => {
    const rig = start(QUICK, {
      wrap: (denoiser) =>
        before(denoiser, (derivatives) => {
          if (!derivatives) throw new RangeError('Not without derivatives.')
        }),
    })
    await rig.until(ready)
    rig.state.setCompared(['mmps', 'diffpir', 'tmpd'])
    rig.state.runCompare()
    const { compare } = await rig.until((state) => state.compare.status === 'finished')
    expect(compare.rows.map(({ status }) => status)).toEqual(['finished', 'finished', 'failed'])
    expect(compare.rows[2]).toMatchObject({ method: 'diffpir', message: 'Not without derivatives.' })
  })

  it('chooses a preset with its image, model and methods', async () => {
    const rig = start()
    await rig.until(ready)
    rig.state.choosePreset('enlargePhoto')
    await rig.until(
      (state) => ready(state) && state.model.name === 'photo-64' && state.source!.name === 'windmill',
    )
    await rig.until(({ source }) => source!.truth.width === 64)
    expect(rig.state.settings).toEqual(imagesPresets.enlargePhoto.settings)
    expect(rig.state.observation).toMatchObject({ width: 16 })
    expect(rig.location.hash).toBe('#lab=images&preset=enlargePhoto')
    rig.back()
    await rig.until((state) => ready(state) && state.model.name === 'fashion-32')
    await rig.until(({ source }) => source!.name !== 'windmill')
    expect(rig.state.settings).toMatchObject({ steps: 6, model: 'fashion-32', side: 32 })
  })

  it('says which names of a link are not in its lists', async () => {
    const rig = start('image=nobody&model=nothing')
    await rig.until(ready)
    expect(rig.state.notices).toHaveLength(2)
    expect(rig.state.settings).toMatchObject({ model: 'fashion-32' })
    rig.state.dismissNotice(0)
    expect(rig.state.notices[0]).toContain('nothing')
  })
})
