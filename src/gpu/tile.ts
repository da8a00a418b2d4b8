/**
 * How a workgroup shares the work of the network kernels: samples a workgroup owns, registers a thread holds,
 * and the constants that shaders/shared/network.wgsl is built with.
 */
import { DeviceLimitError } from '../diffusion/backend'
import type { NetworkShape } from '../diffusion/types'
import type { ShaderConstant } from './compile'
import { gpuLayout, multipleOf4 } from './network'

export interface Tile {
  /** Samples a workgroup owns. */
  readonly samples: number
  /** Groups of four samples a thread keeps in registers, for `vectors` × 4 neurons each. */
  readonly quads: number
  /** Groups of four neurons a thread keeps. */
  readonly vectors: number
  /** Threads in a workgroup. */
  readonly threads: number
  /** Rows of workgroup memory, `samples` floats each. */
  readonly rows: number
}

export type TileLimits = Pick<
  GPUSupportedLimits,
  'maxComputeWorkgroupStorageSize' | 'maxComputeInvocationsPerWorkgroup'
>

/** Most samples and quads that pay: more registers a thread would spill. */
const PREFERRED_SAMPLES = 16
const PREFERRED_QUADS = 2
const PREFERRED_VECTORS = 2

function rowsOf({ features, embedding, hidden }: NetworkShape): number {
  const record = 4 * (Math.floor(features / 4) + 1)
  return Math.max(hidden, features + embedding + record)
}

function threadsOf({ hidden }: NetworkShape, samples: number, quads: number, vectors: number): number {
  return Math.max(samples, (hidden * samples) / (16 * quads * vectors))
}

/** The largest tile within the limits, or undefined. */
function fittingTile(shape: NetworkShape, limits: TileLimits): Tile | undefined {
  const rows = rowsOf(shape)
  for (let samples = PREFERRED_SAMPLES; samples >= 4; samples /= 2) {
    const quads = Math.min(PREFERRED_QUADS, samples / 4)
    const vectors = (shape.hidden / 4) % PREFERRED_VECTORS === 0 ? PREFERRED_VECTORS : 1
    const threads = threadsOf(shape, samples, quads, vectors)
    const fits =
      rows * samples * 4 <= limits.maxComputeWorkgroupStorageSize &&
      threads <= limits.maxComputeInvocationsPerWorkgroup
    if (fits) return { samples, quads, vectors, threads, rows }
  }
  return undefined
}

/** Errors: RangeError for a shape the kernels do not cover, DeviceLimitError for one that the device cannot hold. */
export function chooseTile(shape: NetworkShape, limits: TileLimits): Tile {
  const { features, embedding, hidden, hiddenLayers } = shape
  if (!Number.isInteger(features) || features < 1 || features > 8) {
    throw new RangeError(`The GPU kernels take 1 to 8 features, not ${features}.`)
  }
  if (!Number.isInteger(embedding) || embedding < 2 || embedding % 2 !== 0) {
    throw new RangeError(`The embedding must be an even number from 2 on, not ${embedding}.`)
  }
  if (!Number.isInteger(hidden) || hidden < 4 || hidden % 4 !== 0) {
    throw new RangeError(`The hidden width must be a multiple of 4, not ${hidden}.`)
  }
  if (!Number.isInteger(hiddenLayers) || hiddenLayers < 1) {
    throw new RangeError(`The network needs at least one hidden layer, not ${hiddenLayers}.`)
  }
  const tile = fittingTile(shape, limits)
  if (tile) return tile
  let largest = hidden - 4
  while (largest > 0 && !fittingTile({ ...shape, hidden: largest }, limits)) largest -= 4
  const hint =
    largest > 0
      ? `choose a hidden width of at most ${largest}`
      : `choose an embedding smaller than ${embedding}`
  throw new DeviceLimitError(
    `A network with hidden width ${hidden} and embedding ${embedding} does not fit this device's workgroup ` +
      `memory (${limits.maxComputeWorkgroupStorageSize} bytes, ${limits.maxComputeInvocationsPerWorkgroup} threads): ${hint}.`,
  )
}

/** Constants of shaders/shared/network.wgsl; places in the weights are in vec4s. */
export function networkConstants(shape: NetworkShape, tile: Tile): Record<string, ShaderConstant> {
  const { features, embedding, hidden, hiddenLayers } = shape
  const { layers } = gpuLayout(shape)
  const last = layers[hiddenLayers]!
  const second = layers[1]!
  const narrow = multipleOf4(features) / 4
  const quadsInTile = tile.samples / 4
  return {
    FEATURES: features,
    EMBEDDING: embedding,
    HIDDEN: hidden,
    LAYERS: hiddenLayers,
    INPUTS: features + embedding,
    TILE: tile.samples,
    QUADS: tile.quads,
    VECTORS: tile.vectors,
    ROWS: tile.rows,
    THREADS: tile.threads,
    // both stages of a reduction then sum about as many values
    PARTS: Math.max(1, Math.round(Math.sqrt(hidden / (4 * tile.vectors)))),
    NARROW: narrow,
    // as many as there are threads for, and rows of the tile for their results
    NARROW_PARTS: Math.max(
      1,
      Math.min(
        16,
        Math.floor(tile.threads / (narrow * quadsInTile)),
        Math.floor(tile.rows / (4 * narrow)),
        hidden,
      ),
    ),
    SECOND: second.parameterOffset / 4,
    FINAL: last.parameterOffset / 4,
    FIRST_TRANSPOSED: layers[0]!.transposedOffset / 4,
    SECOND_TRANSPOSED: second.transposedOffset / 4,
    FINAL_TRANSPOSED: last.transposedOffset / 4,
  }
}
