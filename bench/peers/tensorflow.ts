/**
 * TensorFlow.js on its WebGPU backend, with automatic differentiation (`tf.grad`, `tf.grads`): the library has no VJP that
 * keeps the forward pass, so each product with Jᵀ evaluates the network again, as any program written with it does.
 *
 * Each case is one function of tensors that stay on the device; `tidy` frees what it made. Waiting means reading one number.
 */
import * as tf from '@tensorflow/tfjs'
import * as webgpu from '@tensorflow/tfjs-backend-webgpu'
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

type Matrix = tf.Tensor2D

export async function open(gpu: GPU): Promise<Peer> {
  // the module registered its backend if `navigator.gpu` was there when it was loaded; this does it in any case
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) throw new Error('TensorFlow.js found no adapter.')
  const { limits } = adapter
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    },
  })
  let failure: string | undefined
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault()
    failure ??= event.error.message
  })
  /** The backend does not pass on what the device reports. */
  const check = (): void => {
    const message = failure
    failure = undefined
    if (message !== undefined) throw new Error(`TensorFlow.js: the device reports "${message}".`)
  }
  const name = `diem-bench-${++opened}`
  tf.registerBackend(name, () => new webgpu.WebGPUBackend(device, adapter.info))
  for (const kernel of tf.getKernelsForBackend('webgpu')) tf.registerKernel({ ...kernel, backendName: name })
  await tf.setBackend(name)
  return {
    name: `TensorFlow.js ${tf.version.tfjs}`,
    adapter: adapterName(adapter.info),
    bind: async (name, inputs) => bind(name, inputs, check),
    destroy() {
      tf.removeBackend(name)
      device.destroy()
    },
  }
}

let opened = 0

/** W and b of each layer. */
function parameterTensors({ network, weights }: Inputs): tf.Tensor[] {
  return layers(network).flatMap(({ inputs, outputs, weightOffset, biasOffset }) => [
    tf.tensor2d(weights.slice(weightOffset, biasOffset), [inputs, outputs]),
    tf.tensor1d(weights.slice(biasOffset, biasOffset + outputs)),
  ])
}

/** h of the network's inputs [batch, features + embedding]. */
function network(parameters: readonly tf.Tensor[], inputs: Matrix): Matrix {
  let h = inputs
  for (let l = 0; l < parameters.length; l += 2) {
    h = tf.fused.matMul({ a: h, b: parameters[l] as Matrix, bias: parameters[l + 1]! }) as Matrix
    if (l + 2 === parameters.length) return h
    const activated = tf.mul(h, tf.sigmoid(h))
    const centred = tf.sub(activated, tf.mean(activated, 1, true))
    const variance = tf.mean(tf.square(centred), 1, true)
    h = tf.mul(centred, tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON)))
  }
  return h
}

/** emb(log sigma), [batch, embedding]; sigma [batch, 1]. */
function embed(sigma: Matrix, frequencies: Matrix): Matrix {
  const angles = tf.mul(tf.log(sigma), frequencies)
  return tf.concat([tf.sin(angles), tf.cos(angles)], 1) as Matrix
}

/** d(x, sigma), with the embedding of sigma made before; sigma [batch, 1] or [1, 1]. */
function denoise(parameters: readonly tf.Tensor[], x: Matrix, sigma: Matrix, embedding: Matrix): Matrix {
  const square = tf.add(tf.square(sigma), 1)
  const scale = tf.rsqrt(square)
  const h = network(parameters, tf.concat([tf.mul(x, scale), embedding], 1) as Matrix)
  return tf.add(tf.div(x, square), tf.mul(h, tf.mul(sigma, scale)))
}

/** Sums over features, [batch, 1]. */
const dotRows = (a: Matrix, b: Matrix): Matrix => tf.sum(tf.mul(a, b), 1, true)

function bind(name: CaseName, inputs: Inputs, check: () => void): Bound {
  const before = new Set<tf.Tensor>()
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    before.add(tensor)
    return tensor
  }
  const frequencies = keep(
    tf.tensor2d(Float32Array.from(embeddingFrequencies(inputs.network.embedding)), [
      1,
      inputs.network.embedding / 2,
    ]),
  )
  const waited = async (last: tf.Tensor): Promise<void> => {
    const probe = tf.tidy(() => tf.slice(tf.reshape(last, [-1]), [0], [1]))
    await probe.data()
    probe.dispose()
    check()
  }
  const dispose = (): void => before.forEach((tensor) => tensor.dispose())
  if (name === 'training') {
    const cases = bindTraining(inputs, frequencies, keep)
    return {
      async run(repetitions) {
        for (let i = 0; i < repetitions; i++) cases.step().dispose()
        await waited(cases.parameters()[0]!)
      },
      async result() {
        cases.restart()
        const losses: number[] = []
        for (let k = 0; k < CHECKED_STEPS; k++) {
          const loss = cases.step()
          losses.push((await loss.data())[0]!)
          loss.dispose()
        }
        const flat = tf.tidy(() => tf.concat(cases.parameters().map((tensor) => tf.reshape(tensor, [-1]))))
        const weights = (await flat.data()) as Float32Array
        flat.dispose()
        check()
        return trainingResult(losses, weights)
      },
      dispose() {
        cases.dispose()
        dispose()
      },
    }
  }
  const parameters = parameterTensors(inputs).map(keep)
  const evaluate =
    name === 'forward'
      ? bindForward(inputs, parameters, frequencies, keep)
      : bindStep(name, inputs, parameters, frequencies, keep)
  return {
    async run(repetitions) {
      let last: tf.Tensor | undefined
      for (let i = 0; i < repetitions; i++) {
        last?.dispose()
        last = tf.tidy(evaluate)
      }
      if (last) await waited(last)
      last?.dispose()
    },
    async result() {
      const tensor = tf.tidy(evaluate)
      const data = (await tensor.data()) as Float32Array
      tensor.dispose()
      check()
      return data
    },
    dispose,
  }
}

type Keep = <T extends tf.Tensor>(tensor: T) => T

function bindForward(
  inputs: Inputs,
  parameters: readonly tf.Tensor[],
  frequencies: Matrix,
  keep: Keep,
): () => Matrix {
  const { batch, network } = inputs
  const x = keep(tf.tensor2d(inputs.xT, [batch, network.features]))
  const sigma = keep(tf.tensor2d(inputs.sigma, [batch, 1]))
  return () => denoise(parameters, x, sigma, embed(sigma, frequencies))
}

/** A DDIM step with MMPS. Rows of A are matrices of their own, so that no operation needs three axes. */
function bindStep(
  name: CaseName,
  inputs: Inputs,
  parameters: readonly tf.Tensor[],
  frequencies: Matrix,
  keep: Keep,
): () => Matrix {
  const { batch, network, A, y } = inputs
  const { features } = network
  const x = keep(tf.tensor2d(inputs.stepX, [batch, features]))
  const sigma = keep(tf.tensor2d([STEP_SIGMA], [1, 1]))
  const rows = Array.from({ length: OBSERVED }, (_, r) =>
    keep(
      tf.tensor2d(
        Float32Array.from({ length: batch * features }, (_, i) => {
          return A[(Math.floor(i / features) * OBSERVED + r) * features + (i % features)]!
        }),
        [batch, features],
      ),
    ),
  )
  const observed = keep(tf.tensor2d(y, [batch, OBSERVED]))
  const { a, b } = ddimStep(STEP_SIGMA, NEXT_SIGMA, 0)
  const square = STEP_SIGMA ** 2
  const variance = SIGMA_Y ** 2
  return () => {
    const embedding = tf.tile(embed(sigma, frequencies), [batch, 1])
    const d = (point: Matrix): Matrix => denoise(parameters, point, sigma, embedding)
    const vjp = tf.grad(d as (point: tf.Tensor) => tf.Tensor)
    const xHat = d(x)
    const measured = (v: Matrix): Matrix =>
      tf.concat(
        rows.map((row) => dotRows(row, v)),
        1,
      ) as Matrix
    const column = (v: Matrix, r: number): Matrix => tf.slice(v, [0, r], [batch, 1])
    const pulled = (v: Matrix): Matrix =>
      tf.add(tf.mul(rows[0]!, column(v, 0)), tf.mul(rows[1]!, column(v, 1)))
    const residual = tf.sub(observed, measured(xHat)) as Matrix
    let correction: Matrix
    if (name === 'mmps-exact') {
      const va = rows.map((row) => tf.mul(vjp(x, row), square) as Matrix)
      const entry = (i: number, j: number): Matrix => dotRows(rows[i]!, va[j]!)
      const m00 = tf.add(entry(0, 0), variance)
      const m11 = tf.add(entry(1, 1), variance)
      const [m01, m10] = [entry(0, 1), entry(1, 0)]
      const determinant = tf.sub(tf.mul(m00, m11), tf.mul(m01, m10))
      const [r0, r1] = [column(residual, 0), column(residual, 1)]
      const v0 = tf.div(tf.sub(tf.mul(m11, r0), tf.mul(m01, r1)), determinant)
      const v1 = tf.div(tf.sub(tf.mul(m00, r1), tf.mul(m10, r0)), determinant)
      correction = tf.add(tf.mul(va[0]!, v0), tf.mul(va[1]!, v1))
    } else {
      let v: Matrix = tf.zerosLike(residual)
      let r: Matrix = residual
      let p: Matrix = residual
      let norm = dotRows(r, r)
      for (let k = 0; k < CG_ITERATIONS; k++) {
        const product: Matrix = tf.add(
          tf.mul(p, variance),
          tf.mul(measured(vjp(x, pulled(p)) as Matrix), square),
        )
        // where the residual is zero already, nothing is added
        const alpha: Matrix = tf.divNoNan(norm, dotRows(p, product))
        v = tf.add(v, tf.mul(alpha, p))
        r = tf.sub(r, tf.mul(alpha, product))
        const next = dotRows(r, r)
        p = tf.add(r, tf.mul(tf.divNoNan(next, norm), p))
        norm = next
      }
      correction = tf.mul(vjp(x, pulled(v)), square) as Matrix
    }
    return tf.add(tf.mul(x, a), tf.mul(tf.add(xHat, correction), b))
  }
}

/** Training on batches that were drawn before, CHECKED_STEPS of them in turn. */
function bindTraining(inputs: Inputs, frequencies: Matrix, keep: Keep) {
  const { batch, network: shape } = inputs
  const { features } = shape
  const batches = Array.from({ length: CHECKED_STEPS }, (_, k) => {
    const { x, z, sigma } = drawnBatch(inputs, k)
    return {
      x: keep(tf.tensor2d(x, [batch, features])),
      z: keep(tf.tensor2d(z, [batch, features])),
      sigma: keep(tf.tensor2d(sigma, [batch, 1])),
    }
  })
  const { adam, clipNorm, learningRate } = training
  let parameters: tf.Tensor[] = []
  let first: tf.Tensor[] = []
  let second: tf.Tensor[] = []
  let steps = 0
  const free = (): void => tf.dispose([parameters, first, second])
  const restart = (): void => {
    free()
    parameters = parameterTensors(inputs)
    first = parameters.map((tensor) => tf.zerosLike(tensor))
    second = parameters.map((tensor) => tf.zerosLike(tensor))
    steps = 0
  }
  restart()
  return {
    parameters: () => parameters,
    restart,
    dispose: free,
    /** One step; the loss before it. */
    step(): tf.Scalar {
      const { x, z, sigma } = batches[steps % batches.length]!
      steps++
      const old = [...parameters, ...first, ...second]
      const result = tf.tidy(() => {
        const xT: Matrix = tf.add(x, tf.mul(z, sigma))
        const embedding = embed(sigma, frequencies)
        const weight = tf.add(tf.reciprocal(tf.square(sigma)), 1)
        const loss = (...weights: tf.Tensor[]): tf.Scalar =>
          tf.mean(tf.mul(weight, tf.squaredDifference(denoise(weights, xT, sigma, embedding), x)))
        const { value, grads } = tf.valueAndGrads(loss)(parameters)
        const norm = tf.sqrt(tf.sum(tf.stack(grads.map((gradient) => tf.sum(tf.square(gradient))))))
        const scale = tf.minimum(tf.div(clipNorm, norm), 1)
        const clipped = grads.map((gradient) => tf.mul(gradient, scale))
        const m = first.map((old, i) => tf.add(tf.mul(old, adam.beta1), tf.mul(clipped[i]!, 1 - adam.beta1)))
        const v = second.map((old, i) =>
          tf.add(tf.mul(old, adam.beta2), tf.mul(tf.square(clipped[i]!), 1 - adam.beta2)),
        )
        const rate = learningRate / (1 - adam.beta1 ** steps)
        const correction = 1 / Math.sqrt(1 - adam.beta2 ** steps)
        const next = parameters.map((old, i) =>
          tf.sub(old, tf.div(tf.mul(m[i]!, rate), tf.add(tf.mul(tf.sqrt(v[i]!), correction), adam.epsilon))),
        )
        return { value, m, v, next }
      })
      tf.dispose(old)
      parameters = result.next
      first = result.m
      second = result.v
      return result.value as tf.Scalar
    },
  }
}
