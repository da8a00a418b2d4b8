/** Denoisers of the command line: bundled ones by name, others by their folder. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readImageModel, type ImageModel } from '../experiments/images/models'
import { sha256Of } from '../onnx/modelStore'
import type { ImageShape } from '../operators/types'

const MODELS = 'public/models'
/** Where a model takes several sizes. */
const USUAL_SIDE = 64

/** Errors: Error where there is none, OnnxError, ContractError. */
export async function readModelFolder(model: string): Promise<ImageModel & { readonly sha256: string }> {
  const path = await fileOf(model)
  const bytes = Uint8Array.from(await readFile(path))
  const contract = await readFile(path.replace(/onnx$/, 'json'), 'utf8').catch(() => undefined)
  const read = await readImageModel({ name: model, bytes, ...(contract !== undefined && { contract }) })
  if ('contract' in read) return { ...read, sha256: await sha256Of(bytes) }
  throw new Error(`${path} needs a contract, denoiser.json, beside it: see ${MODELS}/README.md.`)
}

async function fileOf(model: string): Promise<string> {
  const folders = [join(MODELS, model), model]
  const path = folders
    .map((folder) => join(folder, 'denoiser.onnx'))
    .find((candidate) => existsSync(candidate))
  if (path) return path
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
