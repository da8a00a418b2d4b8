/**
 * jax-js on WebGPU: functions under `jit`, with the derivatives written out.
 *
 *     forward    d(x_t, sigma) in one program
 *     training   loss, gradient and Adam in one program, on one flat array of weights, so that Adam is three kernels
 *     mmps       the forward pass once, then products with Jᵀ that use what it kept; both rows of A share a product
 *
 * `vjp` and `valueAndGrad` give the same numbers, but their programs put the whole network into the loops of its sums: measured
 * on lavapipe, a step of `mmps-exact` took 4 times as long with `vjp`, and its kernels 2.7 times as long to compile. SiLU' written
 * out is also finite everywhere, where `grad(silu)` is NaN below -90.
 *
 * Arrays move into operations, so what is used again is passed as `.ref`. jax-js computes what is waited for only.
 */
import {
  type Array as JaxArray,
  blockUntilReady,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  numpy as np,
  tree,
} from '@jax-js/jax'
import packageJson from '../package.json'
import { embeddingFrequencies, LAYER_NORM_EPSILON, layers } from '../../src/diffusion/mlp'
import { ddimStep } from '../../src/diffusion/samplers/ddim'
import { adapterName } from '../../src/gpu/device'
import {
  CG_ITERATIONS,
  drawnBatch,
  type Inputs,
  NEXT_SIGMA,
  OBSERVED,
  SIGMA_Y,
  STEP_SIGMA,
  training,
} from '../cases'
import { CHECKED_STEPS, type Bound, type CaseName, type Peer, trainingResult } from '../peer'

/** Resolves when the device has computed an array. Error: what the device reported meanwhile. */
type Waited = (array: JaxArray) => Promise<void>

export async function open(gpu: GPU): Promise<Peer> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter || !(await init('webgpu')).includes('webgpu'))
    throw new Error('jax-js found no WebGPU adapter.')
  defaultDevice('webgpu')
  const device = getWebGPUDevice()
  let failure: string | undefined
  const listener = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault()
    failure ??= event.error.message
  }
  device.addEventListener('uncapturederror', listener)
  const waited: Waited = async (array) => {
    await blockUntilReady(array)
    await device.queue.onSubmittedWorkDone()
    // jax-js prints what the device reports, and goes on
    const message = failure
    failure = undefined
    if (message !== undefined) throw new Error(`jax-js: the device reports "${message}".`)
  }
  return {
    name: `jax-js ${packageJson.devDependencies['@jax-js/jax']}`,
    adapter: adapterName(adapter.info),
    bind: async (name, inputs) =>
      name === 'training' ? bindTraining(inputs, waited) : bindEvaluation(name, inputs, waited),
    // the library keeps its device for good
    destroy: () => device.removeEventListener('uncapturederror', listener),
  }
}

const put = (values: Float32Array, shape: number[]): JaxArray =>
  np.array(values as Float32Array<ArrayBuffer>, { shape })

/** W [inputs, outputs] and b [outputs] of each layer, frequencies of the embedding [1, embedding / 2]. */
type Network = { W: JaxArray[]; b: JaxArray[]; frequencies: JaxArray }

function frequenciesOf({ network: { embedding } }: Inputs): JaxArray {
  return put(Float32Array.from(embeddingFrequencies(embedding)), [1, embedding / 2])
}

function upload(inputs: Inputs): Network {
  const { network, weights } = inputs
  const all = layers(network)
  return {
    W: all.map((layer) =>
      put(weights.slice(layer.weightOffset, layer.biasOffset), [layer.inputs, layer.outputs]),
    ),
    b: all.map(({ biasOffset, outputs }) => put(weights.slice(biasOffset, biasOffset + outputs), [outputs])),
    frequencies: frequenciesOf(inputs),
  }
}

// The functions from here to `bindEvaluation` are traced by `jit`, where a reference more costs nothing.

/** Along the last axis, which stays with length 1. */
const mean = (x: JaxArray): JaxArray => np.mean(x, -1, { keepdims: true })
const dot = (a: JaxArray, b: JaxArray): JaxArray => np.sum(a.ref.mul(b.ref), -1, { keepdims: true })
/** Column r of [batch, columns] as [batch, 1]. */
const column = (v: JaxArray, r: number): JaxArray => v.ref.slice([], [r, r + 1])

/** emb(log sigma), sigma [batch, 1] → [batch, embedding]. */
function embed(sigma: JaxArray, frequencies: JaxArray): JaxArray {
  const angles = np.log(sigma.ref).mul(frequencies.ref)
  return np.concatenate([np.sin(angles.ref), np.cos(angles)], 1)
}

/** c_skip, c_in and c_out, shaped as sigma. */
function scales(sigma: JaxArray): { skip: JaxArray; input: JaxArray; out: JaxArray } {
  const square = np.square(sigma.ref).add(1)
  const input = np.reciprocal(np.sqrt(square.ref))
  return { skip: np.reciprocal(square), input, out: sigma.ref.mul(input.ref) }
}

/** What a hidden layer's derivative needs: its output o, SiLU' over the standard deviation. */
type Kept = { o: JaxArray; slope: JaxArray }

/** LayerNorm(SiLU(z)). */
function activate(z: JaxArray): Kept {
  const gate = np.reciprocal(np.exp(np.negative(z.ref)).add(1))
  const activated = z.ref.mul(gate.ref)
  const centred = activated.ref.sub(mean(activated.ref))
  const scale = np.reciprocal(np.sqrt(mean(np.square(centred.ref)).add(LAYER_NORM_EPSILON)))
  const slope = gate.ref.add(activated.mul(np.negative(gate).add(1)))
  return { o: centred.mul(scale.ref), slope: slope.mul(scale) }
}

/** h of the first layer's output. */
function forward({ W, b }: Network, first: JaxArray): { h: JaxArray; kept: Kept[] } {
  const kept: Kept[] = []
  let z = first
  for (let l = 1; l < W.length; l++) {
    const layer = activate(z)
    kept.push(layer)
    z = np.dot(layer.o.ref, W[l]!.ref).add(b[l]!.ref)
  }
  return { h: z, kept }
}

/** Cotangent of a layer's output → of the output of the layer below; LayerNorm's derivative is symmetric. */
function pullBack(W: JaxArray, { o, slope }: Kept, cotangent: JaxArray): JaxArray {
  const g = np.dot(cotangent, W.ref.transpose())
  return g.ref
    .sub(mean(g.ref))
    .sub(o.ref.mul(mean(g.ref.mul(o.ref))))
    .mul(slope.ref)
}

/** d(x, sigma), each sample with its own sigma. */
function denoise(network: Network, x: JaxArray, sigma: JaxArray): JaxArray {
  const { skip, input, out } = scales(sigma)
  const inputs = np.concatenate([x.ref.mul(input), embed(sigma, network.frequencies)], 1)
  const { h } = forward(network, np.dot(inputs, network.W[0]!.ref).add(network.b[0]!.ref))
  return x.ref.mul(skip).add(h.mul(out))
}

/** x̂ = d(x, sigma) with what its derivative needs. */
type Linearization = { xHat: JaxArray; kept: Kept[] }

/** sigma [1, 1] for all samples: the embedding's share of the first layer is one row, its bias. */
function linearize(network: Network, x: JaxArray, sigma: JaxArray): Linearization {
  const features = x.shape[1]!
  const { W, b, frequencies } = network
  const { skip, input, out } = scales(sigma)
  const bias = np.dot(embed(sigma, frequencies), W[0]!.ref.slice([features], [])).add(b[0]!.ref)
  const first = np.dot(x.ref.mul(input), W[0]!.ref.slice([0, features], [])).add(bias)
  const { h, kept } = forward(network, first)
  return { xHat: x.ref.mul(skip).add(h.mul(out)), kept }
}

/** sigma² Jᵀ v, v [..., batch, features]. */
function scaledVjp({ W }: Network, kept: readonly Kept[], sigma: JaxArray, v: JaxArray): JaxArray {
  const features = v.shape.at(-1)!
  const { skip, input, out } = scales(sigma)
  const variance = np.square(sigma.ref)
  let cotangent = v.ref.mul(out.mul(variance.ref))
  for (let l = W.length - 1; l > 0; l--) cotangent = pullBack(W[l]!, kept[l - 1]!, cotangent)
  const product = np.dot(cotangent, W[0]!.ref.slice([0, features], []).transpose())
  return v.ref.mul(skip.mul(variance)).add(product.mul(input))
}

/** A u [batch, OBSERVED] and Aᵀ v [batch, features], with A [batch, OBSERVED, features]. */
const measure = (A: JaxArray, u: JaxArray): JaxArray => np.sum(A.ref.mul(np.expandDims(u.ref, 1)), 2)
const adjoint = (A: JaxArray, v: JaxArray): JaxArray => np.sum(A.ref.mul(np.expandDims(v.ref, 2)), 1)

/** x ← a x + b (x̂ + V Aᵀ v), the correction V Aᵀ v given. */
function ddim(x: JaxArray, xHat: JaxArray, correction: JaxArray): JaxArray {
  const { a, b } = ddimStep(STEP_SIGMA, NEXT_SIGMA, 0)
  return x.ref.mul(a).add(xHat.ref.add(correction).mul(b))
}

/** V Aᵀ v of the exact v: the VJPs of A's two rows give the system, Cramer's rule solves it. */
function exactCorrection(products: JaxArray, A: JaxArray, residual: JaxArray): JaxArray {
  const [first, second] = [products.ref.slice(0), products.ref.slice(1)]
  const [left, right] = [measure(A, first), measure(A, second)]
  const m00 = column(left, 0).add(SIGMA_Y ** 2)
  const m11 = column(right, 1).add(SIGMA_Y ** 2)
  const [m10, m01] = [column(left, 1), column(right, 0)]
  const [r0, r1] = [column(residual, 0), column(residual, 1)]
  const scale = np.reciprocal(m00.ref.mul(m11.ref).sub(m01.ref.mul(m10.ref)))
  const v0 = m11.mul(r0.ref).sub(m01.mul(r1.ref)).mul(scale.ref)
  const v1 = m00.mul(r1).sub(m10.mul(r0)).mul(scale)
  return first.mul(v0).add(second.mul(v1))
}

/** CG's iterate v, residual r, direction p and ⟨r, r⟩. */
type Iterate = { v: JaxArray; r: JaxArray; p: JaxArray; square: JaxArray }

/** a/b, and 0 where b is not positive: such a sample keeps its iterate. */
function ratio(a: JaxArray, b: JaxArray): JaxArray {
  const positive = b.ref.greater(0)
  return np.where(positive.ref, a.ref.div(np.where(positive, b.ref, 1)), 0)
}

/** One iteration, given sigma² Jᵀ Aᵀ p. */
function iterate({ v, r, p, square }: Iterate, A: JaxArray, product: JaxArray): Iterate {
  const mp = p.ref.mul(SIGMA_Y ** 2).add(measure(A, product))
  const alpha = ratio(square, dot(p, mp))
  const residual = r.ref.sub(alpha.ref.mul(mp))
  const next = dot(residual, residual)
  return {
    v: v.ref.add(alpha.mul(p.ref)),
    p: residual.ref.add(ratio(next, square).mul(p.ref)),
    r: residual,
    square: next,
  }
}

/** A step of a case: its arguments on the device, and the programs that it runs. */
interface Step {
  call(): JaxArray
  readonly owned: readonly { dispose(): void }[]
}

function forwardStep(inputs: Inputs): Step {
  const { batch, network: shape } = inputs
  const network = upload(inputs)
  const x = put(inputs.xT, [batch, shape.features])
  const sigma = put(inputs.sigma, [batch, 1])
  const program = jit(denoise)
  return {
    call: () => program(tree.ref(network), x.ref, sigma.ref),
    owned: [x, sigma, program, { dispose: () => tree.dispose(network) }],
  }
}

function mmpsStep(name: 'mmps-cg' | 'mmps-exact', inputs: Inputs): Step {
  const { batch, network: shape } = inputs
  const network = upload(inputs)
  const x = put(inputs.stepX, [batch, shape.features])
  const A = put(inputs.A, [batch, OBSERVED, shape.features])
  const y = put(inputs.y, [batch, OBSERVED])
  const sigma = put(Float32Array.of(STEP_SIGMA), [1, 1])
  const linearized = jit(linearize)
  const exact = jit(
    (network: Network, at: Linearization, x: JaxArray, A: JaxArray, y: JaxArray, sigma: JaxArray) => {
      const products = scaledVjp(network, at.kept, sigma, A.ref.transpose([1, 0, 2]))
      return ddim(x, at.xHat, exactCorrection(products, A, y.ref.sub(measure(A, at.xHat))))
    },
  )
  const begin = jit((xHat: JaxArray, A: JaxArray, y: JaxArray): Iterate => {
    const r = y.ref.sub(measure(A, xHat))
    return { v: np.zerosLike(r.ref), p: r.ref, square: dot(r, r), r }
  })
  const product = jit((network: Network, kept: Kept[], sigma: JaxArray, A: JaxArray, v: JaxArray) =>
    scaledVjp(network, kept, sigma, adjoint(A, v)),
  )
  const iteration = jit(iterate)
  const end = jit(ddim)
  const callExact = (): JaxArray => {
    const at = linearized(tree.ref(network), x.ref, sigma.ref)
    return exact(tree.ref(network), at, x.ref, A.ref, y.ref, sigma.ref)
  }
  const callCg = (): JaxArray => {
    const { xHat, kept } = linearized(tree.ref(network), x.ref, sigma.ref)
    const vaTranspose = (v: JaxArray): JaxArray =>
      product(tree.ref(network), tree.ref(kept), sigma.ref, A.ref, v)
    let state = begin(xHat.ref, A.ref, y.ref)
    for (let k = 0; k < CG_ITERATIONS; k++) state = iteration(state, A.ref, vaTranspose(state.p.ref))
    const { v, ...rest } = state
    const correction = vaTranspose(v)
    tree.dispose([rest, kept])
    return end(x.ref, xHat, correction)
  }
  return {
    call: name === 'mmps-exact' ? callExact : callCg,
    owned: [
      x,
      A,
      y,
      sigma,
      linearized,
      exact,
      begin,
      product,
      iteration,
      end,
      { dispose: () => tree.dispose(network) },
    ],
  }
}

/** Two runs in flight: the next one is encoded while the device computes. */
async function repeat(repetitions: number, call: () => JaxArray, waited: Waited): Promise<void> {
  let before: Promise<void> = Promise.resolve()
  for (let i = 0; i < repetitions; i++) {
    const result = call()
    const done = waited(result).finally(() => result.dispose())
    // a failure is met where the run is waited for
    done.catch(() => undefined)
    await before
    before = done
  }
  await before
}

function bindEvaluation(name: Exclude<CaseName, 'training'>, inputs: Inputs, waited: Waited): Bound {
  const { call, owned } = name === 'forward' ? forwardStep(inputs) : mmpsStep(name, inputs)
  return {
    run: (repetitions) => repeat(repetitions, call, waited),
    async result() {
      const result = call()
      await waited(result)
      return (await result.data()) as Float32Array
    },
    dispose() {
      for (const each of owned) each.dispose()
    },
  }
}

/** Weights and Adam's moments, flat in the canonical order. */
type State = { w: JaxArray; m: JaxArray; v: JaxArray }
/** x, z [batch, features], sigma [batch, 1]. */
type Batch = { x: JaxArray; z: JaxArray; sigma: JaxArray }

/** Loss and its gradient, flat; traced. Written with λ_t c_out² = 1, so that nothing cancels at a small sigma. */
function lossGradient(
  { network: shape }: Inputs,
  w: JaxArray,
  frequencies: JaxArray,
  { x, z, sigma }: Batch,
): { loss: JaxArray; gradient: JaxArray } {
  const all = layers(shape)
  const network: Network = {
    W: all.map(({ inputs, outputs, weightOffset, biasOffset }) =>
      w.ref.slice([weightOffset, biasOffset]).reshape([inputs, outputs]),
    ),
    b: all.map(({ outputs, biasOffset }) => w.ref.slice([biasOffset, biasOffset + outputs])),
    frequencies,
  }
  const { W, b } = network
  const { input, out } = scales(sigma)
  const xT = x.ref.add(z.ref.mul(sigma.ref))
  const inputs = np.concatenate([xT.mul(input.ref), embed(sigma, frequencies)], 1)
  const { h, kept } = forward(network, np.dot(inputs.ref, W[0]!.ref).add(b[0]!.ref))
  const error = h.sub(x.ref.mul(out).sub(z.ref.mul(input)))
  let cotangent = error.ref.mul(2 / error.size)
  const gradients: JaxArray[] = []
  for (let l = W.length - 1; l >= 0; l--) {
    const below = l > 0 ? kept[l - 1]!.o : inputs
    gradients.unshift(np.dot(below.ref.transpose(), cotangent.ref).reshape([-1]), np.sum(cotangent.ref, 0))
    if (l > 0) cotangent = pullBack(W[l]!, kept[l - 1]!, cotangent)
  }
  return { loss: np.mean(np.square(error)), gradient: np.concatenate(gradients) }
}

/** Clipping and Adam; traced. `corrections`: the rate over 1 - β1^k, 1/√(1 - β2^k). */
function update({ w, m, v }: State, gradient: JaxArray, corrections: JaxArray): State {
  const { beta1, beta2, epsilon } = training.adam
  const norm = np.sqrt(np.sum(np.square(gradient.ref)))
  const clipped = gradient.ref.mul(np.minimum(np.reciprocal(norm).mul(training.clipNorm), 1))
  const first = m.ref.mul(beta1).add(clipped.ref.mul(1 - beta1))
  const second = v.ref.mul(beta2).add(np.square(clipped).mul(1 - beta2))
  const denominator = np.sqrt(second.ref).mul(corrections.ref.slice(1)).add(epsilon)
  return { w: w.ref.sub(first.ref.mul(corrections.ref.slice(0)).div(denominator)), m: first, v: second }
}

/** Training on batches that were drawn before, CHECKED_STEPS of them in turn. */
function bindTraining(inputs: Inputs, waited: Waited): Bound {
  const { batch, network } = inputs
  const { adam, learningRate } = training
  const frequencies = frequenciesOf(inputs)
  const batches = Array.from({ length: CHECKED_STEPS }, (_, k): Batch => {
    const { x, z, sigma } = drawnBatch(inputs, k)
    const shape = [batch, network.features]
    return { x: put(x, shape), z: put(z, shape), sigma: put(sigma, [batch, 1]) }
  })
  const step = jit((state: State, corrections: JaxArray, frequencies: JaxArray, batch: Batch) => {
    const { loss, gradient } = lossGradient(inputs, state.w, frequencies, batch)
    return { loss, state: update(state, gradient, corrections) }
  })
  const fresh = (): State => {
    const shape = [inputs.weights.length]
    return { w: put(inputs.weights, shape), m: np.zeros(shape), v: np.zeros(shape) }
  }
  let state = fresh()
  let steps = 0
  /** One step; the loss before it. */
  const advance = (): JaxArray => {
    const batch = batches[steps % batches.length]!
    steps++
    const corrections = put(
      Float32Array.of(learningRate / (1 - adam.beta1 ** steps), 1 / Math.sqrt(1 - adam.beta2 ** steps)),
      [2],
    )
    // the old state moves into the step, and what its loss waits for is the whole step
    const result = step(state, corrections, frequencies.ref, tree.ref(batch))
    state = result.state
    return result.loss
  }
  return {
    run: (repetitions) => repeat(repetitions, advance, waited),
    async result() {
      tree.dispose(state)
      state = fresh()
      steps = 0
      const losses: number[] = []
      for (let k = 0; k < CHECKED_STEPS; k++) {
        const loss = advance()
        await waited(loss)
        losses.push((await loss.data())[0]!)
      }
      return trainingResult(losses, await state.w.ref.data())
    },
    dispose() {
      tree.dispose([state, batches, frequencies])
      step.dispose()
    },
  }
}
