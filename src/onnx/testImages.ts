/**
 * Smooth random images for verifying a denoiser that nobody gave images for: a few waves of low frequency and an edge,
 *
 *     x = tanh(b + Σ_k a_k cos(2π (f_k · r + φ_k)) + s sign(n · r - c)),    r in [0, 1]²
 *
 * with the colours of the channels close to each other, as in photographs.
 */
import { DOMAIN, RandomStream } from '../math/philox'
import type { ImageShape } from '../operators/types'

const WAVES = 6
/** Random numbers a channel. */
const DRAWS = 4 * WAVES + 8

/** [count, channels, height, width] in [-1, 1]; the same for the same seed. */
export function smoothImages(
  { channels, height, width }: ImageShape,
  count: number,
  seed: number,
): Float32Array {
  const images = new Float32Array(count * channels * height * width)
  const random = new RandomStream(seed, 0)
  const shared = new Float64Array(DRAWS)
  const own = new Float64Array(DRAWS)
  let at = 0
  for (let image = 0; image < count; image++) {
    random.fillUniforms(shared, 0, DRAWS, image, 0, DOMAIN.observationNoise)
    for (let channel = 0; channel < channels; channel++) {
      random.fillUniforms(own, 0, DRAWS, image, channel + 1, DOMAIN.observationNoise)
      const amplitude = (k: number) => (shared[4 * k]! - 0.5 + 0.4 * (own[4 * k]! - 0.5)) * (2 / (k + 1))
      const bias = shared[DRAWS - 1]! - 0.5
      const angle = 2 * Math.PI * shared[DRAWS - 2]!
      const step = 0.6 * (shared[DRAWS - 3]! - 0.5)
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const y = (row + 0.5) / height
          const x = (column + 0.5) / width
          const side = Math.cos(angle) * (x - 0.5) + Math.sin(angle) * (y - 0.5)
          let value = bias + (side > 0 ? step : -step)
          for (let k = 0; k < WAVES; k++) {
            const [, across, down, phase] = shared.subarray(4 * k, 4 * k + 4) as unknown as number[]
            const turn = (k + 1) * ((across! - 0.5) * x + (down! - 0.5) * y) + phase!
            value += amplitude(k) * Math.cos(2 * Math.PI * turn)
          }
          images[at++] = Math.tanh(value)
        }
      }
    }
  }
  return images
}
