/**
 * jax-js on WebGPU: each case is one function under `jit`, with `vjp` and `valueAndGrad` inside.
 *
 * Arrays move into operations, so what is used again is passed as `.ref`; under `jit` that costs nothing. jax-js computes what
 * is waited for only, hence every result is waited for at the end of a run. `grad(silu)` of the library is NaN below -90, so the
 * exponential is clamped.
 */
import {
  type Array as JaxArray,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  numpy as np,
  valueAndGrad,
  vjp,
} from '@jax-js/jax'
import packageJson from '../package.json'
import { embeddingFrequencies, layers } from '../../src/diffusion/mlp'
import { ddimStep } from '../../src/diffusion/samplers/ddim'
import { adapterName } from '../../src/gpu/device'
import { drawnBatch, type Inputs, NEXT_SIGMA, OBSERVED, SIGMA_Y, STEP_SIGMA, training } from '../cases'
import { CG_ITERATIONS, CHECKED_STEPS, type Bound, type CaseName, type Peer, trainingResult } from '../peer'

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
  /** jax-js prints what the device reports, and goes on. */
  const waited = async (arrays: readonly JaxArray[]): Promise<void> => {
    // the asynchronous way (`blockUntilReady`) never ends on Dawn in Node for programs of many kernels
    for (const { ref } of arrays) ref.gpuBufferSync()
    await device.queue.onSubmittedWorkDone()
    const message = failure
    failure = undefined
    if (message !== undefined) throw new Error(`jax-js: the device reports "${message}".`)
  }
  return {
    name: `jax-js ${packageJson.devDependencies['@jax-js/jax']}`,
    adapter: adapterName(adapter.info),
    async bind(name, inputs) {
      if (name.startsWith('mmps') && COMPILES_FOREVER.test(adapterName(adapter.info))) {
        throw new Error('jax-js: the VJP by x did not compile within two minutes on this software driver.')
      }
      return name === 'training' ? bindTraining(inputs, waited) : bindEvaluation(name, inputs, waited)
    },
    // the library keeps its device for good
    destroy: () => device.removeEventListener('uncapturederror', listener),
  }
}

/** Adapters whose compiler did not come to an end with the kernels of `mmps-*` (measured: lavapipe, 64 samples, width 32). */
const COMPILES_FOREVER = /llvmpipe|swiftshader/i

type Waited = (arrays: readonly JaxArray[]) => Promise<void>

const matrix = (values: Float32Array, rows: number): JaxArray =>
  np.array(values as Float32Array<ArrayBuffer>, { shape: [rows, values.length / rows] })

/** W and b of each layer. */
function parameterArrays({ network, weights }: Inputs): JaxArray[] {
  return layers(network).flatMap(({ inputs, outputs, weightOffset, biasOffset }) => [
    matrix(weights.slice(weightOffset, biasOffset), inputs),
    np.array(weights.slice(biasOffset, biasOffset + outputs), { shape: [outputs] }),
  ])
}

const frequenciesOf = ({ network }: Inputs): JaxArray =>
  matrix(Float32Array.from(embeddingFrequencies(network.embedding)), 1)

// The functions below are traced: they leave their arguments alone.

/** Mean over features, [batch, 1]. */
const meanRows = (x: JaxArray): JaxArray => np.mean(x, 1, { keepdims: true })
/** a·b over features, [batch, 1]. */
const dotRows = (a: JaxArray, b: JaxArray): JaxArray => np.sum(a.ref.mul(b.ref), 1, { keepdims: true })

/** h of the network's inputs [batch, features + embedding]. */
function network(parameters: readonly JaxArray[], inputs: JaxArray): JaxArray {
  let h = inputs
  for (let l = 0; l < parameters.length; l += 2) {
    h = np.matmul(h, parameters[l]!.ref).add(parameters[l + 1]!.ref)
    if (l + 2 === parameters.length) return h
    const gate = np.reciprocal(np.exp(np.negative(np.maximum(h.ref, -80))).add(1))
    const activated = h.mul(gate)
    const centred = activated.ref.sub(meanRows(activated))
    const variance = meanRows(np.square(centred.ref))
    h = centred.mul(np.reciprocal(np.sqrt(variance.add(1e-5))))
  }
  return h
}

/** emb(log sigma), [batch, embedding]; sigma [batch, 1]. */
function embed(sigma: JaxArray, frequencies: JaxArray): JaxArray {
  const angles = np.log(sigma.ref).mul(frequencies.ref)
  return np.concatenate([np.sin(angles.ref), np.cos(angles)], 1)
}

/** d(x, sigma) with the embedding of sigma made before; sigma [batch, 1] or [1, 1]. */
function denoise(
  parameters: readonly JaxArray[],
  x: JaxArray,
  sigma: JaxArray,
  embedding: JaxArray,
): JaxArray {
  const square = np.square(sigma.ref).add(1)
  const scale = np.reciprocal(np.sqrt(square.ref))
  const h = network(parameters, np.concatenate([x.ref.mul(scale.ref), embedding.ref], 1))
  return x.ref.div(square).add(h.mul(sigma.ref.mul(scale)))
}

function bindEvaluation(name: CaseName, inputs: Inputs, waited: Waited): Bound {
  const { batch } = inputs
  const parameters = parameterArrays(inputs)
  const frequencies = frequenciesOf(inputs)
  const rest =
    name === 'forward'
      ? [matrix(inputs.xT, batch), matrix(inputs.sigma, batch)]
      : [matrix(inputs.stepX, batch), ...rowsOf(inputs), matrix(inputs.y, batch)]
  const evaluate = name === 'forward' ? compiledForward() : compiledStep(name, batch)
  return {
    async run(repetitions) {
      for (let i = 0; i < repetitions; i++) {
        const result = evaluate(parameters, frequencies, rest)
        // an array that is dropped is never computed, and its memory is free after that
        await waited([result])
        result.dispose()
      }
    },
    async result() {
      const result = evaluate(parameters, frequencies, rest)
      await waited([result])
      return (await result.data()) as Float32Array
    },
    dispose() {
      for (const array of [...parameters, frequencies, ...rest]) array.dispose()
    },
  }
}

/** Leaves its arguments alone. */
type Evaluate = (parameters: JaxArray[], frequencies: JaxArray, rest: JaxArray[]) => JaxArray

const kept = (arrays: readonly JaxArray[]): JaxArray[] => arrays.map(({ ref }) => ref)

function compiledForward(): Evaluate {
  const forward = jit((parameters: JaxArray[], frequencies: JaxArray, x: JaxArray, sigma: JaxArray) =>
    denoise(parameters, x, sigma, embed(sigma, frequencies)),
  )
  return (parameters, frequencies, [x, sigma]) =>
    forward(kept(parameters), frequencies.ref, x!.ref, sigma!.ref)
}

/** The rows of A, [batch, features] each. */
function rowsOf({ A, batch, network }: Inputs): JaxArray[] {
  const { features } = network
  return Array.from({ length: OBSERVED }, (_, r) => {
    const row = Float32Array.from({ length: batch * features }, (_, i) => {
      return A[(Math.floor(i / features) * OBSERVED + r) * features + (i % features)]!
    })
    return matrix(row, batch)
  })
}

/** A v, [batch, OBSERVED]. */
const measure = (rows: readonly JaxArray[], v: JaxArray): JaxArray =>
  np.concatenate(
    rows.map((row) => dotRows(row, v)),
    1,
  )

/** Column r, [batch, 1]. */
const column = (v: JaxArray, r: number): JaxArray => v.ref.slice([], [r, r + 1])

/** Aᵀ v, [batch, features]. */
const pullBack = (rows: readonly JaxArray[], v: JaxArray): JaxArray =>
  rows[0]!.ref.mul(column(v, 0)).add(rows[1]!.ref.mul(column(v, 1)))

/** v of (sigma_y² I + A V Aᵀ) v = residual, times V Aᵀ; va: the rows V A_jᵀ. */
function exactCorrection(rows: readonly JaxArray[], va: readonly JaxArray[], residual: JaxArray): JaxArray {
  const entry = (i: number, j: number): JaxArray => dotRows(rows[i]!, va[j]!)
  const m00 = entry(0, 0).add(SIGMA_Y ** 2)
  const m11 = entry(1, 1).add(SIGMA_Y ** 2)
  const [m01, m10] = [entry(0, 1), entry(1, 0)]
  const scale = np.reciprocal(m00.ref.mul(m11.ref).sub(m01.ref.mul(m10.ref)))
  const [r0, r1] = [column(residual, 0), column(residual, 1)]
  const v0 = m11.ref.mul(r0.ref).sub(m01.ref.mul(r1.ref)).mul(scale.ref)
  const v1 = m00.ref.mul(r1.ref).sub(m10.ref.mul(r0.ref)).mul(scale.ref)
  return va[0]!.ref.mul(v0).add(va[1]!.ref.mul(v1))
}

/** a/b, and 0 where the residual is zero already. */
const ratio = (a: JaxArray, b: JaxArray): JaxArray =>
  np.where(b.ref.greater(0), a.ref.div(np.maximum(b.ref, 1e-38)), 0)

/** An iteration of CG; `pulled` is sigma² Jᵀ Aᵀ p. Iterates v, r, p. */
function cgIteration(rows: readonly JaxArray[], iterates: readonly JaxArray[], pulled: JaxArray): JaxArray[] {
  const [v, r, p] = iterates as [JaxArray, JaxArray, JaxArray]
  const product = p.ref.mul(SIGMA_Y ** 2).add(measure(rows, pulled))
  const norm = dotRows(r, r)
  const alpha = ratio(norm, dotRows(p, product))
  const nextR = r.ref.sub(alpha.ref.mul(product.ref))
  const nextP = nextR.ref.add(ratio(dotRows(nextR, nextR), norm).mul(p.ref))
  return [v.ref.add(alpha.ref.mul(p.ref)), nextR, nextP]
}

/**
 * A DDIM step with MMPS; `rest` is x, the rows of A, y. The denoiser and what lies between the VJPs are compiled each for
 * itself: in one piece, jax-js compiles for minutes and computes what several results share once for each of them.
 */
function compiledStep(name: CaseName, batch: number): Evaluate {
  const { a, b } = ddimStep(STEP_SIGMA, NEXT_SIGMA, 0)
  const denoiser = jit((parameters: JaxArray[], frequencies: JaxArray, x: JaxArray) => {
    const sigma = np.full([1, 1], STEP_SIGMA)
    return denoise(parameters, x, sigma, np.tile(embed(sigma, frequencies), [batch, 1]))
  })
  const residualOf = jit((rows: JaxArray[], y: JaxArray, xHat: JaxArray) => y.ref.sub(measure(rows, xHat)))
  const scaled = jit((v: JaxArray) => v.mul(STEP_SIGMA ** 2))
  const pull = jit((rows: JaxArray[], v: JaxArray) => pullBack(rows, v))
  const iterate = jit((rows: JaxArray[], iterates: JaxArray[], pulled: JaxArray) =>
    cgIteration(rows, iterates, pulled),
  )
  const exact = jit((rows: JaxArray[], va: JaxArray[], residual: JaxArray) =>
    exactCorrection(rows, va, residual),
  )
  const finish = jit((x: JaxArray, xHat: JaxArray, correction: JaxArray) =>
    x.ref.mul(a).add(xHat.ref.add(correction.ref).mul(b)),
  )
  return (parameters, frequencies, [x, first, second, y]) => {
    const rows = (): JaxArray[] => kept([first!, second!])
    const [xHat, transposed] = vjp(
      (point: JaxArray) => denoiser(kept(parameters), frequencies.ref, point),
      [x!.ref],
    )
    const scaledVjp = (v: JaxArray): JaxArray => scaled(transposed(v)[0])
    const residual = residualOf(rows(), y!.ref, xHat.ref)
    let correction: JaxArray
    if (name === 'mmps-exact') {
      correction = exact(rows(), rows().map(scaledVjp), residual)
    } else {
      let iterates = [np.zerosLike(residual.ref), residual.ref, residual]
      for (let k = 0; k < CG_ITERATIONS; k++) {
        iterates = iterate(rows(), iterates, scaledVjp(pull(rows(), iterates[2]!.ref)))
      }
      const [v, ...others] = iterates
      for (const array of others) array.dispose()
      correction = scaledVjp(pull(rows(), v!))
    }
    transposed.dispose()
    return finish(x!.ref, xHat, correction)
  }
}

/** Training on batches that were drawn before, CHECKED_STEPS of them in turn. */
function bindTraining(inputs: Inputs, waited: Waited): Bound {
  const { batch } = inputs
  const { adam, clipNorm, learningRate } = training
  const frequencies = frequenciesOf(inputs)
  const batches = Array.from({ length: CHECKED_STEPS }, (_, k) => {
    const { x, z, sigma } = drawnBatch(inputs, k)
    return [x, z, sigma].map((values) => matrix(values, batch))
  })
  const step = jit(
    (
      parameters: JaxArray[],
      first: JaxArray[],
      second: JaxArray[],
      corrections: JaxArray[],
      frequencies: JaxArray,
      data: JaxArray[],
    ): { loss: JaxArray; parameters: JaxArray[]; first: JaxArray[]; second: JaxArray[] } => {
      const [x, z, sigma] = data as [JaxArray, JaxArray, JaxArray]
      const xT = x.ref.add(z.ref.mul(sigma.ref))
      const embedding = embed(sigma, frequencies)
      const weight = np.reciprocal(np.square(sigma.ref)).add(1)
      const loss = (parameters: JaxArray[]): JaxArray =>
        np.mean(np.square(denoise(parameters, xT, sigma, embedding).sub(x.ref)).mul(weight.ref))
      const [value, gradients] = valueAndGrad(loss)(parameters.map(({ ref }) => ref))
      const square = gradients.map((gradient) => np.sum(np.square(gradient.ref))).reduce((a, b) => a.add(b))
      const scale = np.minimum(np.reciprocal(np.sqrt(square)).mul(clipNorm), 1)
      const clipped = gradients.map((gradient) => gradient.ref.mul(scale.ref))
      const m = first.map((old, i) => old.ref.mul(adam.beta1).add(clipped[i]!.ref.mul(1 - adam.beta1)))
      const v = second.map((old, i) =>
        old.ref.mul(adam.beta2).add(np.square(clipped[i]!.ref).mul(1 - adam.beta2)),
      )
      const [rate, correction] = corrections as [JaxArray, JaxArray]
      const next = parameters.map((old, i) => {
        const denominator = np.sqrt(v[i]!.ref).mul(correction.ref).add(adam.epsilon)
        return old.ref.sub(m[i]!.ref.mul(rate.ref).div(denominator))
      })
      return { loss: value, parameters: next, first: m, second: v }
    },
  )
  let parameters: JaxArray[] = []
  let first: JaxArray[] = []
  let second: JaxArray[] = []
  let steps = 0
  const free = (): void => [...parameters, ...first, ...second].forEach((array) => array.dispose())
  const restart = (): void => {
    free()
    parameters = parameterArrays(inputs)
    first = parameters.map(({ shape }) => np.zeros(shape))
    second = parameters.map(({ shape }) => np.zeros(shape))
    steps = 0
  }
  restart()
  /** One step; the loss before it. The old arrays move into it. */
  const advance = (): JaxArray => {
    const data = batches[steps % batches.length]!.map(({ ref }) => ref)
    steps++
    const corrections = [learningRate / (1 - adam.beta1 ** steps), 1 / Math.sqrt(1 - adam.beta2 ** steps)]
    const result = step(
      parameters,
      first,
      second,
      corrections.map((value) => np.array(new Float32Array([value]), { shape: [1] })),
      frequencies.ref,
      data,
    )
    ;({ parameters, first, second } = result)
    return result.loss
  }
  return {
    async run(repetitions) {
      for (let i = 0; i < repetitions; i++) {
        const loss = advance()
        await waited([loss, ...parameters, ...first, ...second])
        loss.dispose()
      }
    },
    async result() {
      restart()
      const losses: number[] = []
      for (let k = 0; k < CHECKED_STEPS; k++) {
        const loss = advance()
        await waited([loss])
        losses.push(((await loss.data()) as Float32Array)[0]!)
      }
      await waited(parameters)
      const flat: number[] = []
      for (const { ref } of parameters) for (const value of await ref.data()) flat.push(value)
      return trainingResult(losses, flat)
    },
    dispose() {
      free()
      for (const array of [frequencies, ...batches.flat()]) array.dispose()
      step.dispose()
    },
  }
}
