/** Denoisers of the command line: bundled ones by name, others by their folder. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readImageModel, type ImageModel } from '../experiments/images/models'
import { sha256Of } from '../onnx/modelStore'
import type { ImageShape } from '../operators/types'
import { givenFile } from './program'

const MODELS = 'public/models'
/** Where a model takes several sizes. */
export const USUAL_SIDE = 64

/** Errors: Error where there is none, OnnxError, ContractError. */
export async function readModelFolder(model: string): Promise<ImageModel & { readonly sha256: string }> {
  const path = await fileOf(model)
  const bytes = Uint8Array.from(await readFile(path))
  const contract = await readFile(path.replace(/onnx$/, 'json'), 'utf8').catch(() => undefined)
  const external = await externalData(path)
  const read = await readImageModel({
    name: model,
    bytes,
    external,
    ...(contract !== undefined && { contract }),
  })
  if ('contract' in read) return { ...read, sha256: await sha256Of(bytes) }
  throw new Error(`${path} needs a contract, denoiser.json, beside it: see ${MODELS}/README.md.`)
}

/** Whether a name is of one that comes with the page. */
export function isBundledModel(name: string): boolean {
  return existsSync(join(MODELS, name, 'denoiser.onnx'))
}

/** Name of the first bundled model of colour pictures. */
export async function bundledColourModel(): Promise<string | undefined> {
  const list = JSON.parse(await readFile(join(MODELS, 'index.json'), 'utf8')) as readonly {
    readonly name: string
    readonly channels: number
  }[]
  return list.find(({ channels }) => channels === 3)?.name
}

/** Files beside the model, in which its weights may be. */
export async function externalData(model: string): Promise<Map<string, Uint8Array>> {
  const folder = dirname(model)
  const files = await readdir(folder, { withFileTypes: true })
  const stem = basename(model)
  const found = files.filter(
    (file) => file.isFile() && file.name !== stem && /\.(data|bin|onnx_data|weights)$/i.test(file.name),
  )
  return new Map(
    await Promise.all(
      found.map(async ({ name }) => [name, new Uint8Array(await readFile(join(folder, name)))] as const),
    ),
  )
}

async function fileOf(model: string): Promise<string> {
  if (isBundledModel(model)) return join(MODELS, model, 'denoiser.onnx')
  const path = givenFile(join(model, 'denoiser.onnx'))
  if (existsSync(path)) return path
  const entries = await readdir(MODELS, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  throw new Error(
    `"${model}" is neither a bundled model (${names.join(', ')}) nor a folder with denoiser.onnx and denoiser.json.`,
  )
}

/** The contract's shape; `side` where it leaves the size open. */
export function shapeOfModel({ image }: ImageModel['contract'], side = USUAL_SIDE): ImageShape {
  const { channels, height, width } = image
  const pixels = (length: typeof height) => (typeof length === 'number' ? length : side)
  return { channels, height: pixels(height), width: pixels(width) }
}
