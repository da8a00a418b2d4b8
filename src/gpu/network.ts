/**
 * Layout of the denoiser's parameters on the GPU, and of what its backward pass leaves for the weight gradient.
 *
 * One weights buffer: first the parameters, then copies of W transposed that the backward pass reads.
 *
 *     parameters of layer l   (inputs + 1) rows of outputStride floats: W, then the bias as the last row
 *     transposed of layer l   `outputs` rows of transposedStride floats: row j, column k holds W[k][j],
 *                             k < transposedInputs (all inputs, but of layer 0 only the x part: the
 *                             embedding needs no derivative)
 *
 * Strides are multiples of 4, so that rows are whole vec4s; the padding is zero and stays zero, because its
 * gradient is zero. Parameters, gradients and Adam's moments all have this layout; only the weights buffer
 * continues with the transposed part.
 *
 * The loss kernel leaves, for a capacity of B batch elements,
 *
 *     activations  layer l at B · activationOffset: [B, inputStride], the layer's input h, then a one for the
 *                  bias at column `inputs`, then zeros
 *     deltas       layer l at B · deltaOffset: [B, outputStride], the derivative of the loss by the layer's output
 *
 * so the gradient of layer l in the layout above is the first inputs + 1 rows of activationsᵀ deltas.
 */
import { layers, parameterCount } from '../diffusion/mlp'
import type { NetworkShape } from '../diffusion/types'

/** Sizes and places of one Linear layer on the GPU; offsets and strides in floats. */
export interface GpuLayer {
  readonly inputs: number
  readonly outputs: number
  /** Outputs rounded up to a multiple of 4: row length of the parameters and of the deltas. */
  readonly outputStride: number
  /** Inputs + 1 rounded up to a multiple of 4: row length of the activations. */
  readonly inputStride: number
  /** First element of W, [inputs + 1, outputStride]. */
  readonly parameterOffset: number
  /** Columns of the transposed copy in use. */
  readonly transposedInputs: number
  readonly transposedStride: number
  /** First element of the transposed copy in the weights buffer, [outputs, transposedStride]. */
  readonly transposedOffset: number
  /** Times the batch capacity: first element of the layer in the activations buffer. */
  readonly activationOffset: number
  /** Times the batch capacity: first element of the layer in the deltas buffer. */
  readonly deltaOffset: number
}

export interface GpuLayout {
  readonly layers: readonly GpuLayer[]
  /** Floats of parameters, padding included: length of gradients and Adam's moments. */
  readonly parameterCount: number
  /** Floats of the weights buffer: parameters, then the transposed copies. */
  readonly weightCount: number
  /** Floats of activations per batch element. */
  readonly activationStride: number
  /** Floats of deltas per batch element. */
  readonly deltaStride: number
}

/** x rounded up to a multiple of 4. */
export const multipleOf4 = (x: number): number => (x + 3) & ~3

export function gpuLayout(shape: NetworkShape): GpuLayout {
  const sizes = layers(shape)
  const parameterTotal = sizes.reduce(
    (sum, { inputs, outputs }) => sum + (inputs + 1) * multipleOf4(outputs),
    0,
  )
  let parameterOffset = 0
  let transposedOffset = parameterTotal
  let activationOffset = 0
  let deltaOffset = 0
  const result = sizes.map(({ inputs, outputs }, l): GpuLayer => {
    const transposedInputs = l === 0 ? shape.features : inputs
    const layer: GpuLayer = {
      inputs,
      outputs,
      outputStride: multipleOf4(outputs),
      inputStride: multipleOf4(inputs + 1),
      parameterOffset,
      transposedInputs,
      transposedStride: multipleOf4(transposedInputs),
      transposedOffset,
      activationOffset,
      deltaOffset,
    }
    parameterOffset += (inputs + 1) * layer.outputStride
    transposedOffset += outputs * layer.transposedStride
    activationOffset += layer.inputStride
    deltaOffset += layer.outputStride
    return layer
  })
  return {
    layers: result,
    parameterCount: parameterTotal,
    weightCount: transposedOffset,
    activationStride: activationOffset,
    deltaStride: deltaOffset,
  }
}

/** Canonical weights → the GPU's weights buffer [weightCount], transposed copies included. */
export function packWeights(shape: NetworkShape, canonical: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const layout = gpuLayout(shape)
  const packed = new Float32Array(layout.weightCount)
  layers(shape).forEach(({ inputs, outputs, weightOffset }, l) => {
    const layer = layout.layers[l]!
    // the bias follows W in both layouts, so it is one more row
    for (let k = 0; k <= inputs; k++) {
      for (let j = 0; j < outputs; j++) {
        const value = canonical[weightOffset + k * outputs + j]!
        packed[layer.parameterOffset + k * layer.outputStride + j] = value
        if (k < layer.transposedInputs)
          packed[layer.transposedOffset + j * layer.transposedStride + k] = value
      }
    }
  })
  return packed
}

/** Parameters in the GPU's layout (weights, gradients or moments) → canonical order. */
export function unpackWeights(shape: NetworkShape, packed: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const layout = gpuLayout(shape)
  const canonical = new Float32Array(parameterCount(shape))
  layers(shape).forEach(({ inputs, outputs, weightOffset }, l) => {
    const { parameterOffset, outputStride } = layout.layers[l]!
    for (let k = 0; k <= inputs; k++) {
      for (let j = 0; j < outputs; j++) {
        canonical[weightOffset + k * outputs + j] = packed[parameterOffset + k * outputStride + j]!
      }
    }
  })
  return canonical
}
