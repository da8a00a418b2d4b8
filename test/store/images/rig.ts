/** The image lab without Web Workers, ONNX Runtime and a browser: a Gaussian denoiser, and pictures made up. */
import { readFile } from 'node:fs/promises'
import { vi } from 'vitest'
import { ImageGaussianDenoiser } from '../../../src/diffusion/image/gaussian'
import { powerLawVariances } from '../../../src/diffusion/image/powerLaw'
import type { ImageDenoiser } from '../../../src/diffusion/image/types'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { parseContract, type DenoiserContract } from '../../../src/onnx/contract'
import { OnnxError } from '../../../src/onnx/graph'
import type { VerificationReport } from '../../../src/onnx/verify'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { createDct } from '../../../src/operators/dct'
import { sizeOf } from '../../../src/operators/types'
import type { ImagesDevice } from '../../../src/store/images/device'
import { startImagesLab } from '../../../src/store/images/lab'
import type { DecodeImage } from '../../../src/store/images/imageSource'
import type { ImagesEvent } from '../../../src/store/images/messages'
import type { OpenModel, ReadModel } from '../../../src/store/images/modelKeeper'
import { ImagesService } from '../../../src/store/images/service'
import type { ImagesLab } from '../../../src/store/images/types'

const report: VerificationReport = {
  status: 'pass',
  checks: [],
  curve: [],
  asymmetry: [],
  solver: 'cg',
  milliseconds: { forward: 1, vjp: 2, jvp: 2 },
}

export async function contractOf(name: string): Promise<DenoiserContract> {
  return parseContract(await readFile(`public/models/${name}/denoiser.json`, 'utf8'))
}

export interface RigOptions {
  /** Wraps each denoiser. */
  readonly wrap?: (denoiser: ImageDenoiser) => ImageDenoiser
  /** Awaited before a model is read. */
  readonly beforeModel?: (name: string) => Promise<void>
  /** Awaited in the verification; gets its signal. */
  readonly verify?: (signal: AbortSignal) => Promise<void>
}

/** A picture of a gradient, gray or red: 40 × 30 pixels. */
const decode: DecodeImage = async (blob) => {
  const text = await blob.slice(0, 64).text()
  if (text.includes('broken')) throw new Error('broken')
  const isRed = text.includes('red')
  const [width, height] = [40, 30]
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 || (isRed && i % 4 === 0) ? 255 : 127 + 100 * Math.sin(i / 300) * Math.cos(i / 37),
  )
  return { width, height, data }
}

let routeListeners: Map<string, () => void> | undefined

export function open(hash: string, { wrap = (one) => one, beforeModel, verify }: RigOptions = {}) {
  const location = { hash, pathname: '/', search: '' }
  const entries = [hash]
  const listeners = new Map<string, () => void>()
  const go = (url: string) => (location.hash = url.startsWith('#') ? url : '')
  vi.stubGlobal('location', location)
  vi.stubGlobal('window', { addEventListener: (type: string, f: () => void) => listeners.set(type, f) })
  vi.stubGlobal('history', {
    pushState: (_: unknown, __: unknown, url: string) => entries.push(go(url)),
    replaceState: (_: unknown, __: unknown, url: string) => (entries[entries.length - 1] = go(url)),
  })
  // The route registers its listeners once, with the first lab of a file.
  routeListeners ??= listeners
  const built: { side: number; batch: number }[] = []
  const sent: string[] = []
  let devices = 0

  function usable(contract: DenoiserContract): ReadModel {
    return {
      contract,
      build: async ({ space, primitives }, side, batch, onLabel) => {
        onLabel('Deriving the VJP')
        built.push({ side, batch })
        const shape = { channels: contract.image.channels, height: side, width: side }
        return wrap(
          new ImageGaussianDenoiser(space, shape, batch, new Float32Array(sizeOf(shape)), {
            transform: createDct(shape, batch, primitives),
            variances: powerLawVariances(shape, { standardDeviation: 0.5, exponent: 3 }),
          }),
        )
      },
      verify: async (_, __, onProgress, signal) => {
        onProgress('Checking', 0.5)
        await verify?.(signal)
        signal.throwIfAborted()
        return report
      },
    }
  }

  const openDevice = async () => {
    devices += 1
    const space = createCpuVectors()
    const device: ImagesDevice = {
      adapter: { kind: 'cpu', name: `device ${devices}` },
      space,
      primitives: createCpuImagePrimitives(space),
      // Only models of the browser need it.
      runtime: undefined as unknown as ImagesDevice['runtime'],
      limits: { all: 1e9 },
      lost: new Promise(() => undefined),
      destroy: () => undefined,
    }
    return { device, fallback: null }
  }

  let fail: (message: string) => void = () => undefined
  const newService = (onEvent: (event: ImagesEvent) => void) =>
    new ImagesService({
      openDevice,
      publish: (event) => onEvent(structuredClone(event)),
      readModel: async (source, _, signal): Promise<ReadModel | OpenModel> => {
        const name = source.kind === 'bundled' ? source.name : source.files[0]!.name
        await beforeModel?.(name)
        signal.throwIfAborted()
        if (name.includes('broken'))
          throw new OnnxError('This is not an ONNX model: it looks like a text file.')
        if (source.kind === 'bundled') return usable(await contractOf(name))
        const contract = { ...(await contractOf('photo-64')), name: 'mine' }
        if (!name.includes('bare')) return usable(contract)
        const question = {
          field: 'predicts',
          question: 'What does the output hold?',
          options: [],
          suggestion: 'x0',
        }
        return {
          partial: { known: {}, questions: [question] },
          complete: (completed) => Promise.resolve(usable(completed)),
        }
      },
    })
  const lab = startImagesLab({
    connect: (onEvent, onFailure) => {
      let alive = true
      let service = newService((event) => alive && onEvent(event))
      fail = (message) => {
        alive = false
        setTimeout(() => {
          onFailure(message)
          alive = true
          service = newService((event) => onEvent(event))
        }, 0)
      }
      return {
        // As a message: later, and a copy; files cannot be copied by Node.
        send: (command) => {
          sent.push(command.type)
          const copy = command.type === 'loadModel' ? command : structuredClone(command)
          setTimeout(() => void service.execute(copy), 0)
        },
      }
    },
    site: {
      base: 'https://example.org/lab/',
      fetch: async (url) => {
        const path = url.replace('https://example.org/lab/', 'public/')
        return new Response(new Uint8Array(await readFile(path)))
      },
    },
    decode,
  })
  const until = async (condition: (state: ImagesLab) => boolean) => {
    if (condition(lab.getState())) return lab.getState()
    return await new Promise<ImagesLab>((resolve) => {
      const stop = lab.subscribe((state) => {
        if (!condition(state)) return
        stop()
        resolve(state)
      })
    })
  }
  return {
    lab,
    until,
    location,
    entries,
    built,
    sent,
    devices: () => devices,
    failWorker: (message: string) => fail(message),
    back: () => {
      entries.pop()
      go(entries.at(-1)!)
      routeListeners!.get('popstate')!()
    },
    get state() {
      return lab.getState()
    },
  }
}
