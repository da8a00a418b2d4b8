/**
 * A "network" whose answer is known: pixels are N(mean, deviation²) in the model's own units, and it gives the exact
 * prediction of its kind from its own input and noise level. Whatever the convention, the denoiser must be
 * E[x | x_t] = m + s²/(s² + sigma²) (x_t - m), with J = s²/(s² + sigma²) I.
 */
import { createBuilder } from '../../src/onnx/builder'
import type { DenoiserContract } from '../../src/onnx/contract'
import { GraphDraft } from '../../src/onnx/draft'
import type { FloatType, Graph } from '../../src/onnx/graph'
import { timestepSigmas } from '../../src/onnx/timesteps'

export interface GaussianOptions {
  readonly contract: DenoiserContract
  /** Of a pixel, in the model's units. */
  readonly mean: number
  readonly deviation: number
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly type?: FloatType
}

export function gaussianModel({
  contract,
  mean,
  deviation,
  batch,
  height,
  width,
  type = 'float32',
}: GaussianOptions): Graph {
  const { predicts, takes, process, image, output } = contract
  const draft = new GraphDraft(17)
  const build = createBuilder(draft)
  const z = draft.addInput('image', { type, shape: [batch, image.channels, height, width] })
  const whole = takes.kind === 'timestep'
  const noise = draft.addInput('noise', { type: whole ? 'int64' : type, shape: [batch] })
  const number = (value: number) => build.constant(type, [1], [value])

  let s: string
  if (takes.kind === 'sigma') s = noise
  else if (takes.kind === 'log-sigma') s = build.node('Exp', [build.div(noise, number(takes.scale))])
  else {
    const sigmas = timestepSigmas(takes.alphas)
    s = build.node('Gather', [build.constant(type, [sigmas.length], sigmas), noise])
  }
  s = build.node('Reshape', [s, build.integers([-1, 1, 1, 1])])
  const square = build.mul(s, s)
  const root = build.node('Sqrt', [build.add(square, number(1))])
  const p = process === 'vp' ? build.mul(z, root) : z
  const gain = build.div(number(deviation ** 2), build.add(square, number(deviation ** 2)))
  const clean = build.add(number(mean), build.mul(gain, build.sub(p, number(mean))))
  const epsilon = build.div(build.sub(p, clean), s)
  const score = build.div(build.neg(epsilon), s)
  const prediction = {
    x0: () => clean,
    epsilon: () => epsilon,
    v: () => build.div(build.sub(epsilon, build.mul(s, clean)), root),
    score: () => (process === 'vp' ? build.mul(score, root) : score),
  }[predicts]()
  // a learned variance beside the prediction
  const value = output.channels ? build.concat([prediction, build.neg(prediction)], 1) : prediction
  return draft.finish('gaussian', [{ name: 'prediction', value }])
}
