/**
 * The MLP denoiser in float64, with its derivatives: the twin of the shaders denoiser_*.wgsl and denoising_loss.
 *
 *     d(x_t, t) = c_skip x_t + c_out h(c_in x_t, emb(log sigma_t))
 *     c_skip = 1/(sigma² + 1)   c_out = sigma/√(sigma² + 1)   c_in = 1/√(sigma² + 1)
 *     h: (Linear → SiLU → LayerNorm) × hiddenLayers → Linear
 *     loss = mean over the batch of λ_t mean over features of (d(x + sigma_t z, t) - x)²,  λ_t = 1/sigma_t² + 1
 *
 * Source: Karras et al., "Elucidating the design space of diffusion-based generative models", NeurIPS 2022
 * (preconditioning with sigma_data = 1); Rozet et al. 2024, appendix on the manifold experiment (network).
 */
import { addTransposedProduct, multiplyTransposed, transpose } from '../math/matrix'
import { embeddingFrequencies, LAYER_NORM_EPSILON, layers, parameterCount, type Layer } from './mlp'
import type { Denoiser, Linearization, NetworkShape, Schedule } from './types'

/** What the forward pass leaves behind for derivatives. */
interface Activations {
  readonly batch: number
  /** Input of each layer, [batch, inputs]; from the second on, the LayerNorm outputs. */
  readonly inputs: readonly Float64Array[]
  /** SiLU'(z) of each hidden layer, [batch, hidden]. */
  readonly slopes: readonly Float64Array[]
  /** 1/√(variance + ε) of each hidden layer's LayerNorm, [batch]. */
  readonly scales: readonly Float64Array[]
  /** Output h of the network, [batch, features]. */
  readonly output: Float64Array
}

/** emb(log sigma), [batch, embedding]: sin(f_k log sigma) for k < embedding/2, then cos. */
export function embedNoise(sigma: Float64Array, embedding: number): Float64Array {
  const out = new Float64Array(sigma.length * embedding)
  writeEmbedding(out, sigma, embeddingFrequencies(embedding), embedding, 0)
  return out
}

function writeEmbedding(
  out: Float64Array,
  sigma: Float64Array,
  frequencies: Float64Array,
  stride: number,
  offset: number,
): void {
  const half = frequencies.length
  for (let i = 0; i < sigma.length; i++) {
    const row = i * stride + offset
    if (i > 0 && sigma[i] === sigma[i - 1]) {
      // A sampler gives the whole batch one noise level.
      out.copyWithin(row, row - stride, row - stride + 2 * half)
      continue
    }
    const c = Math.log(sigma[i]!)
    for (let k = 0; k < half; k++) {
      out[row + k] = Math.sin(frequencies[k]! * c)
      out[row + half + k] = Math.cos(frequencies[k]! * c)
    }
  }
}

export class MlpDenoiser implements Denoiser {
  readonly features: number
  private readonly layers: readonly Layer[]
  private readonly frequencies: Float64Array
  /** Views of W [inputs, outputs] in `weights`. */
  private readonly matrices: readonly Float64Array[]
  /** Copies Wᵀ [outputs, inputs], along whose rows the forward pass reads. */
  private readonly transposed: readonly Float64Array[]

  /**
   * weights: canonical layout (mlp.ts). A Float64Array is kept, not copied: call `refresh` after changing it.
   * Error: RangeError where its length does not match the shape.
   */
  constructor(
    readonly shape: NetworkShape,
    readonly weights: Float64Array,
  ) {
    if (weights.length !== parameterCount(shape)) {
      throw new RangeError(`The network has ${parameterCount(shape)} weights, got ${weights.length}.`)
    }
    this.features = shape.features
    this.layers = layers(shape)
    this.frequencies = embeddingFrequencies(shape.embedding)
    this.matrices = this.layers.map((layer) => weights.subarray(layer.weightOffset, layer.biasOffset))
    this.transposed = this.matrices.map((matrix) => new Float64Array(matrix.length))
    this.refresh()
  }

  /** Takes up changes made to `weights`. */
  refresh(): void {
    this.layers.forEach(({ inputs, outputs }, l) => {
      this.transposed[l]!.set(transpose(this.matrices[l]!, inputs, outputs))
    })
  }

  denoise(xT: Float64Array, sigma: Float64Array): Float64Array {
    return this.precondition(xT, sigma, this.forward(xT, sigma).output)
  }

  linearize(xT: Float64Array, sigma: Float64Array): Linearization {
    const activations = this.forward(xT, sigma)
    return {
      xHat: this.precondition(xT, sigma, activations.output),
      vjp: (v) => this.vjp(activations, sigma, v),
      jvp: (u) => this.jvp(activations, sigma, u),
    }
  }

  /**
   * Adds `weight` · Σ_i λ_i mean_features (d(x_i + sigma_i z_i) - x_i)² over the given samples to the loss, which
   * is returned, and its gradient to `gradient` (canonical layout). x, z [batch, features], sigma [batch].
   */
  addLossGradient(
    gradient: Float64Array,
    x: Float64Array,
    z: Float64Array,
    sigma: Float64Array,
    weight: number,
  ): number {
    const { features } = this
    const xT = new Float64Array(x.length)
    for (let i = 0; i < x.length; i++) xT[i] = x[i]! + sigma[Math.floor(i / features)]! * z[i]!
    const activations = this.forward(xT, sigma)
    const residual = this.precondition(xT, sigma, activations.output)
    let loss = 0
    for (let b = 0; b < sigma.length; b++) {
      const s = sigma[b]!
      const lambda = (weight * (1 / (s * s) + 1)) / features
      const cOut = s / Math.sqrt(s * s + 1)
      for (let i = b * features; i < (b + 1) * features; i++) {
        const difference = residual[i]! - x[i]!
        loss += lambda * difference * difference
        residual[i] = 2 * lambda * cOut * difference
      }
    }
    this.backpropagate(activations, residual, gradient)
    return loss
  }

  private forward(xT: Float64Array, sigma: Float64Array): Activations {
    const { features, layers: all } = this
    const batch = sigma.length
    if (xT.length !== batch * features) {
      throw new RangeError(`xT has ${xT.length} values for ${batch} noise levels and ${features} features.`)
    }
    const width = all[0]!.inputs
    const first = new Float64Array(batch * width)
    writeEmbedding(first, sigma, this.frequencies, width, features)
    for (let b = 0; b < batch; b++) {
      const cIn = 1 / Math.sqrt(sigma[b]! ** 2 + 1)
      for (let j = 0; j < features; j++) first[b * width + j] = cIn * xT[b * features + j]!
    }
    const inputs = [first]
    const slopes: Float64Array[] = []
    const scales: Float64Array[] = []
    let output = first
    all.forEach(({ inputs: inner, outputs, biasOffset }, l) => {
      const z = new Float64Array(batch * outputs)
      multiplyTransposed(z, output, this.transposed[l]!, batch, inner, outputs)
      const last = l === all.length - 1
      const slope = new Float64Array(last ? 0 : z.length)
      const scale = new Float64Array(last ? 0 : batch)
      for (let b = 0; b < batch; b++) {
        for (let j = 0; j < outputs; j++) z[b * outputs + j]! += this.weights[biasOffset + j]!
        if (!last) scale[b] = activate(z, slope, b * outputs, outputs)
      }
      output = z
      if (last) return
      inputs.push(z)
      slopes.push(slope)
      scales.push(scale)
    })
    return { batch, inputs, slopes, scales, output }
  }

  private precondition(xT: Float64Array, sigma: Float64Array, output: Float64Array): Float64Array {
    const { features } = this
    const xHat = new Float64Array(xT.length)
    for (let b = 0; b < sigma.length; b++) {
      const s = sigma[b]!
      const cSkip = 1 / (s * s + 1)
      const cOut = s / Math.sqrt(s * s + 1)
      for (let i = b * features; i < (b + 1) * features; i++) xHat[i] = cSkip * xT[i]! + cOut * output[i]!
    }
    return xHat
  }

  /** Jᵀ v = c_skip v + c_in c_out (∂h/∂input)ᵀ v, since c_in c_out = sigma c_skip. */
  private vjp(activations: Activations, sigma: Float64Array, v: Float64Array): Float64Array {
    const { features } = this
    const width = this.layers[0]!.inputs
    const input = this.backpropagate(activations, v)
    const out = new Float64Array(v.length)
    for (let b = 0; b < sigma.length; b++) {
      const cSkip = 1 / (sigma[b]! ** 2 + 1)
      for (let j = 0; j < features; j++) {
        const i = b * features + j
        out[i] = cSkip * (v[i]! + sigma[b]! * input[b * width + j]!)
      }
    }
    return out
  }

  private jvp(activations: Activations, sigma: Float64Array, u: Float64Array): Float64Array {
    const { features, layers: all } = this
    const { batch, inputs, slopes, scales } = activations
    const width = all[0]!.inputs
    let tangent = new Float64Array(batch * width)
    for (let b = 0; b < batch; b++) {
      for (let j = 0; j < features; j++) tangent[b * width + j] = u[b * features + j]!
    }
    all.forEach(({ inputs: inner, outputs }, l) => {
      const next = new Float64Array(batch * outputs)
      multiplyTransposed(next, tangent, this.transposed[l]!, batch, inner, outputs)
      tangent = next
      if (l === all.length - 1) return
      const slope = slopes[l]!
      for (let i = 0; i < next.length; i++) next[i]! *= slope[i]!
      normalizeDerivative(next, inputs[l + 1]!, scales[l]!, outputs)
    })
    const out = new Float64Array(u.length)
    for (let i = 0; i < u.length; i++) {
      const s = sigma[Math.floor(i / features)]!
      out[i] = (u[i]! + s * tangent[i]!) / (s * s + 1)
    }
    return out
  }

  /**
   * Cotangent of the network's output [batch, features] → cotangent of its input [batch, inputs]; where
   * `gradient` is given, adds the gradient of the weights to it instead and returns an empty array.
   */
  private backpropagate(
    { batch, inputs, slopes, scales }: Activations,
    cotangent: Float64Array,
    gradient?: Float64Array,
  ): Float64Array {
    for (let l = this.layers.length - 1; l >= 0; l--) {
      const { inputs: inner, outputs, weightOffset, biasOffset } = this.layers[l]!
      if (gradient) {
        addTransposedProduct(gradient, weightOffset, inputs[l]!, cotangent, batch, inner, outputs)
        for (let b = 0; b < batch; b++) {
          for (let j = 0; j < outputs; j++) gradient[biasOffset + j]! += cotangent[b * outputs + j]!
        }
        if (l === 0) return new Float64Array(0)
      }
      const below = new Float64Array(batch * inner)
      multiplyTransposed(below, cotangent, this.matrices[l]!, batch, outputs, inner)
      if (l > 0) {
        normalizeDerivative(below, inputs[l]!, scales[l - 1]!, inner)
        const slope = slopes[l - 1]!
        for (let i = 0; i < below.length; i++) below[i]! *= slope[i]!
      }
      cotangent = below
    }
    return cotangent
  }
}

/** SiLU then LayerNorm of one row, in place; writes SiLU' to `slope`, returns 1/√(variance + ε). */
function activate(z: Float64Array, slope: Float64Array, offset: number, length: number): number {
  let sum = 0
  for (let i = offset; i < offset + length; i++) {
    const value = z[i]!
    const sigmoid = 1 / (1 + Math.exp(-value))
    slope[i] = sigmoid * (1 + value * (1 - sigmoid))
    z[i] = value * sigmoid
    sum += z[i]!
  }
  const center = sum / length
  let variance = 0
  for (let i = offset; i < offset + length; i++) {
    const value = z[i]! - center
    z[i] = value
    variance += value * value
  }
  const scale = 1 / Math.sqrt(variance / length + LAYER_NORM_EPSILON)
  for (let i = offset; i < offset + length; i++) z[i]! *= scale
  return scale
}

/** LayerNorm's derivative, which is symmetric: g ← scale (g - mean(g) - o mean(o g)), o the normalised row. */
function normalizeDerivative(g: Float64Array, o: Float64Array, scales: Float64Array, length: number): void {
  for (let b = 0; b < scales.length; b++) {
    const offset = b * length
    let sum = 0
    let projection = 0
    for (let i = offset; i < offset + length; i++) {
      sum += g[i]!
      projection += g[i]! * o[i]!
    }
    sum /= length
    projection /= length
    const scale = scales[b]!
    for (let i = offset; i < offset + length; i++) g[i] = scale * (g[i]! - sum - o[i]! * projection)
  }
}

/**
 * Mean weighted denoising loss of a batch and its gradient. x, z [batch, features], t [batch] → gradient in the
 * canonical layout.
 */
export function denoisingLossGradient(
  denoiser: MlpDenoiser,
  schedule: Schedule,
  x: Float64Array,
  z: Float64Array,
  t: Float64Array,
): { loss: number; gradient: Float64Array } {
  const gradient = new Float64Array(denoiser.weights.length)
  const sigma = t.map((time) => schedule.sigma(time))
  const loss = denoiser.addLossGradient(gradient, x, z, sigma, 1 / t.length)
  return { loss, gradient }
}
