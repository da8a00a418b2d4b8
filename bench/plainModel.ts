/**
 * What a web developer would run: the model's file as it is, by ONNX Runtime, without derivatives and without our graph passes.
 */
import { readFile } from 'node:fs/promises'
import type { ImageModel } from '../src/experiments/images/models'
import type { CpuVector, Vector, VectorSpace } from '../src/linalg/vectorSpace'
import { coefficients, noiseLevels } from '../src/onnx/precondition'
import type { OrtRuntime, OrtSession } from '../src/onnx/session/runtime'
import { createTransfer, type Transfer } from '../src/onnx/session/transfer'
import { encodeTensor } from '../src/onnx/tensor'
import { type ImageShape, sizeOf } from '../src/operators/types'

/** The file of a model that comes with the page. */
export function bundledFile(name: string): string {
  return `public/models/${name}/denoiser.onnx`
}

export interface PlainModelOptions {
  readonly name: string
  readonly model: ImageModel
  readonly shape: ImageShape
  readonly batch: number
  readonly space: VectorSpace
  readonly runtime: OrtRuntime
}

export class PlainModel {
  private constructor(
    private readonly options: PlainModelOptions,
    private readonly session: OrtSession,
    private readonly transfer: Transfer,
  ) {}

  /** Errors: those of the file and of ONNX Runtime. */
  static async load(options: PlainModelOptions): Promise<PlainModel> {
    const { name, shape, batch, space, runtime } = options
    const bytes = Uint8Array.from(await readFile(bundledFile(name)))
    const session = await runtime.session(bytes, 'the original model')
    const dims = [batch, shape.channels, shape.height, shape.width]
    return new PlainModel(options, session, createTransfer(runtime, space, batch, dims))
  }

  get usesCpu(): boolean {
    return this.session.usesCpu
  }

  /** Nodes of the file. */
  get nodes(): number {
    return this.options.model.graph.nodes.length
  }

  /** out ← N(input, noise level of sigma), with everything on the device. */
  async run(input: Vector, sigma: number, out: Vector): Promise<void> {
    const { model, batch, runtime } = this.options
    const { contract, graph } = model
    const chunk = { first: 0, rows: batch }
    const { type, shape } = graph.inputs.find(({ name }) => name === contract.inputs.noise)!
    const noise = { type, shape: shape.map((size) => (typeof size === 'number' ? size : batch)) }
    const gain = (contract.range[1] - contract.range[0]) / 2
    const level = noiseLevels(contract, type)(gain * sigma)
    const count = noise.shape.reduce((product, size) => product * size, 1)
    const { bytes } = encodeTensor({ ...noise, data: new Float64Array(count).fill(level) })
    this.transfer.begin()
    const feeds = {
      [contract.inputs.x]: this.transfer.input('x', input, chunk),
      [contract.inputs.noise]: runtime.tensor(noise, bytes),
    }
    await this.transfer.run(this.session, feeds, contract.output.name, {}, out, chunk)
  }

  /**
   * d(x, sigma) by the contract's preconditioning on the host, for the comparison.
   *
   * @param x [batch, size]
   */
  async denoised(x: Float32Array, sigma: number): Promise<Float32Array> {
    const { model, shape, batch, space } = this.options
    const { range, predicts, process } = model.contract
    const gain = (range[1] - range[0]) / 2
    const { scale, shift, skip, out, offset } = coefficients(gain * sigma, range, predicts, process)
    const [input, prediction] = ['input', 'prediction'].map((label) =>
      space.vector(label, batch, sizeOf(shape)),
    ) as [Vector, Vector]
    space.write(
      input,
      x.map((value) => scale * value + shift),
    )
    await this.run(input, sigma, prediction)
    const predicted =
      space.kind === 'cpu' ? (prediction as CpuVector).data.slice() : await space.read(prediction)
    space.release(input, prediction)
    return x.map((value, i) => skip * value + out * predicted[i]! + offset)
  }

  async release(): Promise<void> {
    this.transfer.release()
    await this.session.release()
  }
}
