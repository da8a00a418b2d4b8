/** Models in the image lab's worker: from this site with progress and the Cache API, or from a visitor's files. */
import {
  createDenoiser,
  readImageModel,
  verifyImageModel,
  warmUp,
  type ImageModel,
} from '../../experiments/images/models'
import { ContractError } from '../../onnx/contract'
import { OnnxError } from '../../onnx/graph'
import { readModel as readOnnx } from '../../onnx/model'
import { fetchContract, fetchModel } from '../../onnx/modelStore'
import { wasmRuntime } from '../../onnx/session/browserRuntime'
import type { ModelSource } from './messages'
import { familiarImages, shownImage } from './verifiedImages'
import type { ModelProgress, OpenModel, ReadModel } from './modelKeeper'
import { nearestSide } from './modelSides'

/** Images for the verification are no larger: its numbers do not depend on it, its time does. */
const VERIFIED_SIDE = 64
/** More is no model that a browser can run. */
const MOST_BYTES = 2 ** 31

/** Errors: DownloadError, ContractError, OnnxError, the signal's reason. */
export async function readModel(
  source: ModelSource,
  onProgress: ModelProgress,
  signal: AbortSignal,
): Promise<ReadModel | OpenModel> {
  return source.kind === 'bundled'
    ? await readBundled(source, onProgress, signal)
    : await readFiles(source.files, onProgress)
}

async function readBundled(
  { onnxUrl, contractUrl, pictureUrls }: Extract<ModelSource, { kind: 'bundled' }>,
  onProgress: ModelProgress,
  signal: AbortSignal,
): Promise<ReadModel> {
  const contract = await fetchContract(contractUrl, signal)
  onProgress({ status: 'downloading', contract, label: 'Downloading' })
  const { bytes } = await fetchModel(onnxUrl, contract, {
    signal,
    onProgress: (loaded, total) =>
      onProgress({
        label: `Downloading ${megabytes(loaded)}${total ? ` of ${megabytes(total)}` : ''} MB`,
        fraction: total ? loaded / total : undefined,
      }),
  })
  onProgress({ status: 'building', label: 'Reading the model' })
  return usable({ graph: readOnnx(bytes), contract }, pictureUrls)
}

async function readFiles(files: readonly File[], onProgress: ModelProgress): Promise<ReadModel | OpenModel> {
  onProgress({ status: 'building', label: 'Reading the files' })
  const { onnx, json, others } = sortFiles(files)
  const total = files.reduce((sum, { size }) => sum + size, 0)
  if (total > MOST_BYTES) {
    throw new OnnxError(
      `The files have ${megabytes(total)} MB, more than the ${megabytes(MOST_BYTES)} MB that a browser can run. Export a smaller model, or its weights as float16.`,
    )
  }
  const external = new Map<string, Uint8Array>()
  for (const file of others) external.set(file.name, new Uint8Array(await file.arrayBuffer()))
  const read = await readImageModel({
    name: onnx.name,
    bytes: new Uint8Array(await onnx.arrayBuffer()),
    ...(json && { contract: await json.text() }),
    external,
  })
  if ('contract' in read) return usable(read)
  const { graph, partial } = read
  return { partial, complete: (contract) => Promise.resolve(usable({ graph, contract })) }
}

/** Errors: OnnxError, ContractError where it is not one model. */
function sortFiles(files: readonly File[]) {
  const ends = (file: File, ...endings: string[]) =>
    endings.some((ending) => file.name.toLowerCase().endsWith(ending))
  const models = files.filter((file) => ends(file, '.onnx'))
  const contracts = files.filter((file) => ends(file, '.json'))
  const rest = files.filter((file) => !models.includes(file) && !contracts.includes(file))
  if (models.length > 1) {
    throw new OnnxError(
      `There are ${models.length} ONNX files: ${models.map(({ name }) => name).join(', ')}. Open one at a time.`,
    )
  }
  if (contracts.length > 1) {
    throw new ContractError(
      `There are ${contracts.length} contracts: ${contracts.map(({ name }) => name).join(', ')}. Open one.`,
    )
  }
  // A file by another name may be one all the same; what it is, its reader says.
  const onnx = models[0] ?? rest[0]
  if (!onnx) throw new OnnxError('There is a contract, but no ONNX file: open both together.')
  return { onnx, json: contracts[0], others: rest.filter((file) => file !== onnx) }
}

/** @param pictureUrls of pictures like the model's training images */
function usable(model: ImageModel, pictureUrls: readonly string[] = []): ReadModel {
  return {
    contract: model.contract,
    build: async (device, side, batch, onLabel) => {
      // On the CPU nothing is compiled.
      const compiles = device.space.kind === 'webgpu'
      const say = (label: string) =>
        onLabel(compiles && label.startsWith('Building') ? `${label}, compiling its shaders` : label)
      const denoiser = createDenoiser(model, device, side, batch, say)
      try {
        if (compiles) await warmUp(denoiser, model.contract)
      } catch (error) {
        await denoiser.release()
        throw error
      }
      return denoiser
    },
    verify: async (device, side, onProgress, signal, shown) => {
      const reference = device.space.kind === 'webgpu' ? await wasmRuntime() : undefined
      const small = nearestSide(model.contract, Math.min(side, VERIFIED_SIDE))
      const shape = { channels: model.contract.image.channels, height: small, width: small }
      const images =
        pictureUrls.length > 0
          ? await familiarImages(pictureUrls, shape, signal)
          : shown && shownImage(shown, shape)
      return await verifyImageModel(model, device, small, reference, { images, signal, onProgress })
    },
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
