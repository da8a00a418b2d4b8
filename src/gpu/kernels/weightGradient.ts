/**
 * Weight gradients of all layers in one dispatch, as partial sums over splits of the batch.
 * Kernel: shaders/weight_gradient.wgsl; twin: the MLP's loss gradient in src/diffusion.
 */
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

/** Threads in flight that keep a large GPU busy; more splits only cost memory traffic. */
const targetThreads = 32768
/** Fewer batch elements than this in a split do not pay for its partial sums. */
const leastShare = 64

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
    private readonly tiles: number,
  ) {}

  static async create(device: GPUDevice, shape: NetworkShape): Promise<WeightGradientKernel> {
    const layout = gpuLayout(shape)
    const tileColumns = layout.layers.map(({ outputStride }) => Math.ceil(outputStride / 8))
    const firstTile: number[] = []
    let tiles = 0
    layout.layers.forEach(({ inputs }, l) => {
      firstTile.push(tiles)
      tiles += Math.ceil((inputs + 1) / 8) * tileColumns[l]!
    })
    const constants = {
      LAYERS: layout.layers.length,
      PARAMETERS: layout.parameterCount,
      TILES: tiles,
      ROWS: perLayer(layout, ({ inputs }) => inputs + 1),
      INPUT_STRIDE: perLayer(layout, ({ inputStride }) => inputStride),
      OUTPUT_STRIDE: perLayer(layout, ({ outputStride }) => outputStride),
      PARAMETER_OFFSET: perLayer(layout, ({ parameterOffset }) => parameterOffset),
      ACTIVATION_OFFSET: perLayer(layout, ({ activationOffset }) => activationOffset),
      DELTA_OFFSET: perLayer(layout, ({ deltaOffset }) => deltaOffset),
      FIRST_TILE: perLayer(layout, (layer) => firstTile[layout.layers.indexOf(layer)]!),
      TILE_COLUMNS: perLayer(layout, (layer) => tileColumns[layout.layers.indexOf(layer)]!),
    }
    const code = composeShader(constants, [source])
    const kernel = await createComputeKernel(device, {
      label: 'weight gradient',
      code,
      entryPoint: 'weight_gradient',
    })
    return new WeightGradientKernel(kernel, tiles)
  }

  /** Splits for a batch: depends on sizes alone, so that results repeat to the bit. */
  splits(batch: number): number {
    const wanted = Math.min(Math.ceil(batch / leastShare), Math.floor(targetThreads / this.tiles), 64)
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
    return boundDispatch(scope, this.kernel, resources, [Math.ceil(this.tiles / 64), splits])
  }
}
