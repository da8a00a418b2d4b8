import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { DeviceLimitError } from '../../../src/diffusion/backend'
import { decodePng } from '../../../src/cli/png'
import {
  createDenoiser,
  readImageModel,
  verifyImageModel,
  type ImageModel,
} from '../../../src/experiments/images/models'
import { imageOfPicture } from '../../../src/experiments/images/pictures'
import { measureImage, runImages } from '../../../src/experiments/images/run'
import { defaultImagesSettings, type ImagesSettings } from '../../../src/experiments/images/settings'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { psnr } from '../../../src/math/imageMetrics'
import type { DenoiserContract } from '../../../src/onnx/contract'
import { nativeRuntime } from '../../../src/onnx/session/nodeRuntimes'
import { smoothImages } from '../../../src/onnx/testImages'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'

async function bundled(name: string) {
  const folder = `public/models/${name}`
  return {
    name: 'denoiser.onnx',
    bytes: new Uint8Array(await readFile(`${folder}/denoiser.onnx`)),
    contract: await readFile(`${folder}/denoiser.json`, 'utf8'),
  }
}

const silent = () => undefined

describe('models of the image lab', () => {
  it('restore a picture with the bundled denoiser', async () => {
    const model = (await readImageModel(await bundled('fashion-32'))) as ImageModel
    const space = createCpuVectors()
    const primitives = createCpuImagePrimitives(space)
    const device = { space, runtime: await nativeRuntime(), limits: { all: 1e9 } }
    const denoiser = createDenoiser(model, device, 32, 2, silent)
    const { shape } = denoiser
    const restore = (truth: Float32Array, changes: Partial<ImagesSettings>) => {
      const settings = {
        ...defaultImagesSettings,
        steps: 12,
        task: 'superres',
        factor: 2,
        ...changes,
      } as const
      return measureImage(
        primitives,
        settings,
        { strokes: [], drawnKernel: null },
        truth,
        shape,
        (measured) => runImages({ denoiser, primitives, range: model.contract, measured, settings }),
      )
    }
    // The prior draws what is to be restored: a picture that it holds for likely.
    const [truth, another] = (await restore(smoothImages(shape, 1, 3), { iterations: 0 })).samples
    const run = await restore(truth!, { iterations: 3, sigmaY: 0.05, seed: 4 })
    expect(run.passes.forward).toBe(13)
    for (const misfit of run.misfit) {
      expect(misfit).toBeLessThan(1.4)
      expect(misfit).toBeGreaterThan(0.6)
    }
    expect(Math.min(...run.psnr)).toBeGreaterThan(psnr(another!, truth!) + 10)
    await denoiser.release()
  })

  it('say how many samples fit, before anything is loaded', async () => {
    const model = (await readImageModel(await bundled('photo-64'))) as ImageModel
    const space = createCpuVectors()
    const device = { space, runtime: await nativeRuntime(), limits: { all: 1e9 } }
    const refused = () => createDenoiser(model, device, 256, 16, silent)
    expect(refused).toThrow(DeviceLimitError)
    let largest = 0
    try {
      refused()
    } catch (error) {
      largest = Number(/at most (\d+) fit/.exec((error as Error).message)?.[1] ?? 0)
    }
    // What is said to fit is taken.
    expect(largest).toBeLessThan(16)
    if (largest > 0) createDenoiser(model, device, 256, largest, silent)
  })

  it('are verified with pictures: the bundled one passes, with a wrong contract it fails', async () => {
    const model = (await readImageModel(await bundled('fashion-32'))) as ImageModel
    const device = { space: createCpuVectors(), runtime: await nativeRuntime(), limits: { all: 1e9 } }
    const names = ['ankle-boot', 'pullover', 'trousers', 'sandal', 'dress', 'bag', 'shirt', 'sneaker']
    const pixels = new Float32Array(names.length * 32 * 32)
    for (const [i, name] of names.entries()) {
      const picture = decodePng(await readFile(`public/images/fashion-${name}.png`))!
      expect(picture).toMatchObject({ width: 32, height: 32 })
      pixels.set(imageOfPicture(picture, 1), i * 32 * 32)
    }
    const checks = async (changes: Partial<DenoiserContract>, familiar = true) => {
      const contract = { ...model.contract, ...changes }
      const images = { pixels: familiar ? pixels : pixels.subarray(4 * 32 * 32, 5 * 32 * 32), familiar }
      const report = await verifyImageModel({ ...model, contract }, device, 32, undefined, { images })
      return Object.fromEntries(report.checks.map(({ name, status }) => [name, status]))
    }
    const passed = { finite: 'pass', falling: 'pass', useful: 'pass', adjoint: 'pass', differences: 'pass' }
    expect(await checks({})).toMatchObject(passed)
    // a visitor's model, and one picture that may be like its training images or not
    expect(await checks({}, false)).toMatchObject(passed)
    for (const wrong of [{ predicts: 'epsilon' }, { predicts: 'v' }, { range: [0, 1] }] as const) {
      expect(await checks(wrong as Partial<DenoiserContract>)).toMatchObject({ useful: 'fail' })
    }
  })

  it('ask what a bare file does not say, and refuse what is none', async () => {
    const { name, bytes, contract } = await bundled('fashion-32')
    const bare = await readImageModel({ name, bytes })
    if ('contract' in bare) expect(bare.contract.predicts).toBe('x0')
    else expect(bare.partial.questions.length).toBeGreaterThan(0)
    await expect(readImageModel({ name, bytes: bytes.slice(0, 1000) })).rejects.toThrow(/damaged or cut off/)
    const text = new TextEncoder().encode('Dear diary')
    await expect(readImageModel({ name, bytes: text })).rejects.toThrow('text file')
    const changed = bytes.slice()
    changed[changed.length >> 1]! ^= 1
    await expect(readImageModel({ name, bytes: changed, contract })).rejects.toThrow('SHA-256')
    await expect(readImageModel({ name, bytes, contract: '{' })).rejects.toThrow('not JSON')
  })
})
