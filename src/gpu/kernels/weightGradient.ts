/**
 * Weight gradients of all layers in one dispatch, as partial sums over splits of the batch.
 *
 * Kernels: shaders/weight_gradient.wgsl, and shaders/broadcast_weight_gradient.wgsl for software drivers, which load lane by
 * lane; twin: the MLP's loss gradient in src/diffusion.
 */
import broadcastSource from '../../../shaders/broadcast_weight_gradient.wgsl?raw'
import partsSource from '../../../shaders/shared/weight_gradient_parts.wgsl?raw'
import source from '../../../shaders/weight_gradient.wgsl?raw'
import type { NetworkShape } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'
import { type GpuLayer, type GpuLayout, gpuLayout } from '../network'

/** A WGSL array with one number of each layer. */
export function perLayer(layout: GpuLayout, value: (layer: GpuLayer) => number): string {
  return `array<u32, ${layout.layers.length}>(${layout.layers.map((layer) => `${value(layer)}u`).join(', ')})`
}

/** How the gradient is cut into tiles: rows × columns of weights, threads in a workgroup, and when splits pay. */
interface Tiling {
  readonly rows: number
  readonly columns: number
  /** The bias as a row of the tiles, or beside them. */
  readonly biasRow: boolean
  /** Tiles of a workgroup. */
  readonly together: number
  /** Tiles × splits in flight that keep the device busy; more splits only cost memory traffic. */
  readonly inFlight: number
  /** Fewer batch elements than this in a split do not pay for its partial sums. */
  readonly leastShare: number
}

/** A thread a tile. */
const threadTiling: Tiling = {
  rows: 8,
  columns: 8,
  biasRow: true,
  together: 64,
  inFlight: 32768,
  leastShare: 64,
}

/** Lanes of a subgroup that the broadcasting kernel is written for: AVX2's eight floats. */
const width = 8

/** A subgroup a tile; a processor has cores for fewer of them. */
const subgroupTiling: Tiling = {
  rows: 4 * width,
  columns: 4 * width,
  biasRow: false,
  together: 1,
  inFlight: 1024,
  leastShare: 256,
}

/** Whether subgroups have eight lanes, always: no GPU's have (Intel's have 8 to 32), but those of Mesa's lavapipe. */
export function broadcastsPay(device: GPUDevice): boolean {
  if (!device.features.has('subgroups')) return false
  // browsers had subgroups before devices told of their adapter
  const info = device.adapterInfo as GPUAdapterInfo | undefined
  return info?.subgroupMinSize === width && info.subgroupMaxSize === width
}

export interface WeightGradientBuffers {
  /** As src/gpu/network.ts lays them out for `capacity` batch elements. */
  readonly activations: GPUBuffer
  readonly deltas: GPUBuffer
  /** [splits, parameterCount], written. */
  readonly partials: GPUBuffer
}

export class WeightGradientKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    private readonly tiling: Tiling,
    private readonly tiles: number,
  ) {}

  static async create(
    device: GPUDevice,
    shape: NetworkShape,
    broadcasts = broadcastsPay(device),
  ): Promise<WeightGradientKernel> {
    const tiling = broadcasts ? subgroupTiling : threadTiling
    const layout = gpuLayout(shape)
    const rows = ({ inputs }: GpuLayer): number => (tiling.biasRow ? inputs + 1 : inputs)
    const tileColumns = layout.layers.map(({ outputStride }) => Math.ceil(outputStride / tiling.columns))
    const firstTile: number[] = []
    let tiles = 0
    layout.layers.forEach((layer, l) => {
      firstTile.push(tiles)
      tiles += Math.ceil(rows(layer) / tiling.rows) * tileColumns[l]!
    })
    const constants = {
      ...(broadcasts ? { WIDTH: width } : { TILES: tiles }),
      LAYERS: layout.layers.length,
      PARAMETERS: layout.parameterCount,
      ROWS: perLayer(layout, rows),
      INPUT_STRIDE: perLayer(layout, ({ inputStride }) => inputStride),
      OUTPUT_STRIDE: perLayer(layout, ({ outputStride }) => outputStride),
      PARAMETER_OFFSET: perLayer(layout, ({ parameterOffset }) => parameterOffset),
      ACTIVATION_OFFSET: perLayer(layout, ({ activationOffset }) => activationOffset),
      DELTA_OFFSET: perLayer(layout, ({ deltaOffset }) => deltaOffset),
      FIRST_TILE: perLayer(layout, (layer) => firstTile[layout.layers.indexOf(layer)]!),
      TILE_COLUMNS: perLayer(layout, (layer) => tileColumns[layout.layers.indexOf(layer)]!),
    }
    const code = broadcasts
      ? `enable subgroups;\n${composeShader(constants, [partsSource, broadcastSource])}`
      : composeShader(constants, [partsSource, source])
    const kernel = await createComputeKernel(device, {
      label: 'weight gradient',
      code,
      entryPoint: 'weight_gradient',
    })
    return new WeightGradientKernel(kernel, tiling, tiles)
  }

  /** Splits for a batch: depends on sizes alone, so that results repeat to the bit. */
  splits(batch: number): number {
    const { leastShare, inFlight } = this.tiling
    const wanted = Math.min(Math.ceil(batch / leastShare), Math.floor(inFlight / this.tiles), 64)
    return Math.max(1, wanted)
  }

  /** `accumulate`: adds to what earlier chunks of the same batch left in the partial sums. */
  bind(
    scope: BufferScope,
    buffers: WeightGradientBuffers,
    sizes: { capacity: number; count: number; splits: number; accumulate: boolean },
  ): Encode {
    const { capacity, count, splits, accumulate } = sizes
    const parameters = scope.uniform('weight gradient parameters', [
      capacity,
      count,
      splits,
      accumulate ? 1 : 0,
    ])
    const resources = [parameters, buffers.activations, buffers.deltas, buffers.partials]
    return boundDispatch(scope, this.kernel, resources, [
      Math.ceil(this.tiles / this.tiling.together),
      splits,
    ])
  }
}
