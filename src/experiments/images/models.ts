/**
 * An ONNX model as the image lab uses it: read from its bytes, built for a side and a number of samples where they fit into
 * memory, and verified.
 */
import { DeviceLimitError } from '../../diffusion/backend'
import { nextTask } from '../../diffusion/jobControl'
import type { VectorSpace } from '../../linalg/vectorSpace'
import { DOMAIN } from '../../math/philox'
import { parseContract, type DenoiserContract, type PartialContract } from '../../onnx/contract'
import type { Graph } from '../../onnx/graph'
import { completeContract, inferContract } from '../../onnx/inferContract'
import { readModel } from '../../onnx/model'
import { checkModel, sha256Of } from '../../onnx/modelStore'
import { createOnnxDenoiser, type OnnxDenoiser } from '../../onnx/session/denoiser'
import type { OrtRuntime } from '../../onnx/session/runtime'
import { verifyDenoiser, type VerificationReport } from '../../onnx/verify'
import { createCpuVectors } from '../../linalg/cpuVectors'
import { sizeOf } from '../../operators/types'

/** Where a model computes. */
export interface ModelDevice {
  readonly space: VectorSpace
  readonly runtime: OrtRuntime
  /** Bytes that all of a denoiser may take. */
  readonly limits: { readonly all: number }
}

export interface ImageModel {
  readonly graph: Graph
  readonly contract: DenoiserContract
}

/** Files of one model: one `.onnx`, perhaps its contract, perhaps external data. */
export interface ModelFiles {
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Text of `denoiser.json`. */
  readonly contract?: string
  /** By file name. */
  readonly external?: ReadonlyMap<string, Uint8Array>
}

/**
 * Reads a model; without a contract, what the file says of itself and what has to be asked.
 * Errors: OnnxError, ContractError.
 */
export async function readImageModel({
  name,
  bytes,
  contract,
  external,
}: ModelFiles): Promise<ImageModel | { readonly graph: Graph; readonly partial: PartialContract }> {
  const given = contract === undefined ? undefined : parseContract(contract)
  const graph = readModel(bytes, external)
  if (given) {
    await checkModel(bytes, given)
    return { graph, contract: given }
  }
  // A page that is not served securely has no checksums; the model is usable all the same.
  const sha256 = await sha256Of(bytes).catch(() => undefined)
  const partial = inferContract(graph, { name, bytes: bytes.byteLength, sha256 })
  return partial.questions.length > 0
    ? { graph, partial }
    : { graph, contract: completeContract(partial, {}) }
}

/** Vectors of a sampler, its method and its solver, beside the network's own memory: some dozens of images. */
const VECTORS_PER_SAMPLE = 40
/** The largest activations live beside the residuals while a pass runs. */
const RUNNING_SHARE = 1.5

/**
 * A denoiser for images of side × side pixels.
 * Errors: OnnxError, ContractError; DeviceLimitError where it cannot fit, with the largest batch that does.
 */
export function createDenoiser(
  { graph, contract }: ImageModel,
  { space, runtime, limits }: ModelDevice,
  side: number,
  batch: number,
  onStage: (label: string) => void,
  derivatives: readonly ('vjp' | 'jvp')[] = ['vjp'],
): OnnxDenoiser {
  const shape = { channels: contract.image.channels, height: side, width: side }
  const denoiser = createOnnxDenoiser({
    graph,
    contract,
    shape,
    batch,
    space,
    runtime,
    derivatives,
    onStage,
  })
  const imageBytes = 4 * shape.channels * side * side
  const each = (RUNNING_SHARE * denoiser.facts.residualBytes) / batch + VECTORS_PER_SAMPLE * imageBytes
  const needed = each * batch + weightBytes(graph)
  if (needed <= limits.all) return denoiser
  const largest = Math.max(0, Math.floor((limits.all - weightBytes(graph)) / each))
  void denoiser.release()
  const gigabytes = (value: number) => (value / 1e9).toFixed(1)
  throw new DeviceLimitError(
    `${batch} samples of ${side} × ${side} pixels need about ${gigabytes(needed)} GB, more than the ${gigabytes(limits.all)} GB that can be counted on here. ` +
      (largest > 0 ? `At this side, at most ${largest} fit.` : 'Not even one fits: take a smaller side.'),
  )
}

/**
 * Runs one forward and one VJP, so that sessions are built and shaders compiled before they are waited for.
 * Errors: those of the denoiser.
 */
export async function warmUp(
  denoiser: OnnxDenoiser,
  { sigmaMin, sigmaMax }: DenoiserContract,
): Promise<void> {
  const { space, batch, shape } = denoiser
  const size = sizeOf(shape)
  const [x, out] = [space.vector('warm-up x', batch, size), space.vector('warm-up out', batch, size)]
  try {
    const { vjp } = await denoiser.linearize(x, Math.sqrt(sigmaMin * sigmaMax))
    await vjp(x, out)
    await space.finished()
  } finally {
    space.release(x, out)
  }
}

/** Clean images to verify a model with. */
export interface VerifiedImages {
  /** [count, channels, side, side] in [-1, 1]. */
  readonly pixels: Float32Array
  /** Whether they are like the model's training images. */
  readonly familiar: boolean
}

export interface VerifyControl {
  /** Else smooth synthetic ones, which no model was trained on. */
  readonly images?: VerifiedImages | undefined
  readonly signal?: AbortSignal
  onProgress?(label: string, fraction: number | undefined): void
}

/**
 * Verifies a model at one image of side × side pixels; on WebGPU its numbers are compared with `reference`'s.
 * Errors: as `createDenoiser`, those of ONNX Runtime, the signal's reason.
 */
export async function verifyImageModel(
  model: ImageModel,
  device: ModelDevice,
  side: number,
  reference: OrtRuntime | undefined,
  { images, signal, onProgress }: VerifyControl = {},
): Promise<VerificationReport> {
  const { sigmaMin, sigmaMax } = model.contract
  const both = ['vjp', 'jvp'] as const
  const say = (label: string) => onProgress?.(label, undefined)
  const denoiser = createDenoiser(model, device, side, 1, say, both)
  let other: OnnxDenoiser | undefined
  try {
    if (reference) {
      const cpu = { space: createCpuVectors(), runtime: reference, limits: device.limits }
      other = createDenoiser(model, cpu, side, 1, say, ['vjp'])
    }
    signal?.throwIfAborted()
    return await verifyDenoiser(denoiser, {
      seed: DOMAIN.verification,
      sigmaMin,
      sigmaMax,
      ...(images && { images: images.pixels, familiar: images.familiar }),
      ...(other && { reference: other }),
      ...(signal && { signal }),
      // A run on the CPU holds its thread: a worker hears here that the verification is to end.
      ready: nextTask,
      onProgress: (fraction, label) => onProgress?.(label, fraction),
    })
  } finally {
    await denoiser.release()
    await other?.release()
  }
}

function weightBytes({ initializers }: Graph): number {
  let sum = 0
  for (const { bytes } of initializers.values()) sum += bytes.byteLength
  return sum
}
