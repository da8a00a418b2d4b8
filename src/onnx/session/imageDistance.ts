/**
 * A network that compares two images, such as LPIPS: two inputs [1, 3, height, width] over [-1, 1], one number out.
 *
 * Which images come first does not matter to LPIPS; here the restored one does. Gray images are given as three equal planes.
 */
import type { ImageShape } from '../../operators/types'
import { OnnxError } from '../graph'
import { readModel } from '../model'
import type { OrtRuntime } from './runtime'

const COLOURS = 3

export interface ImageDistance {
  /** Of one image and its reference, [channels, height, width]. */
  measure(image: Float32Array, reference: Float32Array, shape: ImageShape): Promise<number>
  release(): Promise<void>
}

/** Errors: OnnxError where the file is no such network, and what ONNX Runtime reports. */
export async function loadImageDistance(bytes: Uint8Array, runtime: OrtRuntime): Promise<ImageDistance> {
  const { inputs, outputs } = readModel(bytes)
  const [first, second] = inputs
  const [output] = outputs
  if (inputs.length !== 2 || !first || !second || !output) {
    throw new OnnxError(
      `A network that compares images has two inputs, this one has ${inputs.length}: export LPIPS with forward(image, reference).`,
    )
  }
  const session = await runtime.session(bytes, 'the network that compares images')
  return {
    async measure(image, reference, shape) {
      const feeds = {
        [first.name]: colourTensor(runtime, image, shape),
        [second.name]: colourTensor(runtime, reference, shape),
      }
      const { [output.name]: result } = await session.run(feeds, [output.name])
      const [value, ...others] = result!.data as Float32Array
      if (value === undefined || others.length > 0) {
        throw new OnnxError(`The network that compares images gives ${result!.size} numbers, not one.`)
      }
      return value
    },
    release: () => session.release(),
  }
}

function colourTensor(runtime: OrtRuntime, image: Float32Array, { channels, height, width }: ImageShape) {
  if (channels !== 1 && channels !== COLOURS) {
    throw new RangeError(`Images of ${channels} channels cannot be compared: 1 (gray) or 3 (RGB) can.`)
  }
  const data = Float32Array.from({ length: COLOURS * height * width }, (_, i) => image[i % image.length]!)
  return runtime.tensor({ type: 'float32', shape: [1, COLOURS, height, width] }, new Uint8Array(data.buffer))
}
