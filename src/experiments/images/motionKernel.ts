/**
 * Kernels of motion blur: how long the camera's path stays over each pixel.
 *
 * A random path has steps of random length whose directions stay within a random angle of one line; both grow with the
 * intensity. With D the kernel's diagonal, intensity I and u ~ U(0, 1):
 *
 *     length of all steps   3/4 D (u + I² u')             a step          D (1 - I + 0.1) Beta(1, 30)
 *     largest angle         m = I π u                     its sign flips  with probability Beta(2, 20)
 *     a step's angle        ± Triangular(0, I m, m)       whole path      turned by π u
 *
 * Source: L. Borodenko, motionblur (2020), the kernels of DPS and of the paper; after Boracchi and Foi, "Modeling the
 * performance of image restoration from motion blur", IEEE Transactions on Image Processing, 2012. There the path is drawn
 * as a line and smoothed; here its points have bilinear weights.
 */
import { DOMAIN, RandomStream, betaFromUniforms, unit } from '../../math/philox'

type Point = readonly [number, number]

/** Steps shorter than this part of a pixel are added up. */
const SPACING = 1 / 8
const NUMERICAL_SLACK = 0.1

/** [size, size], sum 1, its path's mean in the centre. Intensity in 0..1: 0 is a straight line. */
export function randomMotionKernel(size: number, intensity: number, seed: number): Float32Array {
  return rasterisedPath(randomPath(size, intensity, seed), size)
}

/** [size, size], sum 1, of a polyline in -1..1, whose ends are the centres of the outer pixels, y downwards. */
export function drawnMotionKernel(size: number, points: readonly Point[]): Float32Array {
  const place = (coordinate: number) => ((Math.min(1, Math.max(-1, coordinate)) + 1) / 2) * (size - 1)
  return rasterisedPath(
    points.map(([x, y]) => [place(x), place(y)]),
    size,
  )
}

/** Vertices in pixels, pixel (0, 0) at the origin. */
function randomPath(size: number, intensity: number, seed: number): Point[] {
  const draws = new Draws(seed)
  const diagonal = Math.SQRT2 * size
  const length = 0.75 * diagonal * (draws.uniform() + intensity ** 2 * draws.uniform())
  const largest = intensity * Math.PI * draws.uniform()
  const flips = draws.beta(2, 20)
  const turn = Math.PI * draws.uniform()
  let sign = draws.uniform() < 0.5 ? -1 : 1
  let [x, y, travelled] = [0, 0, 0]
  const path: Point[] = [[0, 0]]
  while (travelled < length) {
    const step = Math.min(
      length - travelled,
      diagonal * (1 - intensity + NUMERICAL_SLACK) * draws.firstBeta(30),
    )
    if (draws.uniform() < flips) sign = -sign
    const angle = turn + sign * largest * draws.triangular(intensity)
    x += step * Math.cos(angle)
    y += step * Math.sin(angle)
    travelled += step
    path.push([x, y])
  }
  const centre = (size - 1) / 2
  const mean = (axis: 0 | 1) => path.reduce((sum, point) => sum + point[axis], 0) / path.length
  const [meanX, meanY] = [mean(0), mean(1)]
  return path.map(([px, py]) => [px - meanX + centre, py - meanY + centre])
}

/**
 * Spreads the length of a polyline over the four pixels around each of its points; what lies outside is cut off.
 * Error: RangeError where there is no point, or nothing inside.
 */
function rasterisedPath(path: readonly Point[], size: number): Float32Array {
  const kernel = new Float64Array(size * size)
  const deposit = (x: number, y: number, mass: number) => {
    const [column, row] = [Math.floor(x), Math.floor(y)]
    for (const [j, wx] of [[column, 1 - x + column] as const, [column + 1, x - column] as const]) {
      for (const [i, wy] of [[row, 1 - y + row] as const, [row + 1, y - row] as const]) {
        if (i >= 0 && i < size && j >= 0 && j < size) kernel[i * size + j]! += mass * wx * wy
      }
    }
  }
  for (let k = 1; k < path.length; k++) {
    const [[x0, y0], [x1, y1]] = [path[k - 1]!, path[k]!]
    const length = Math.hypot(x1 - x0, y1 - y0)
    const count = Math.ceil(length / SPACING)
    for (let i = 0; i < count; i++) {
      const along = (i + 0.5) / count
      deposit(x0 + along * (x1 - x0), y0 + along * (y1 - y0), length / count)
    }
  }
  let sum = kernel.reduce((total, weight) => total + weight, 0)
  if (sum === 0 && path.length > 0) {
    // A path without length: the camera stood still.
    deposit(path[0]![0], path[0]![1], 1)
    sum = kernel.reduce((total, weight) => total + weight, 0)
  }
  if (!(sum > 0))
    throw new RangeError('No part of the path lies in the kernel: draw it nearer to the centre.')
  return Float32Array.from(kernel, (weight) => weight / sum)
}

/** Random numbers of one kernel, one after the other. */
class Draws {
  private readonly random: RandomStream
  private next = 0

  constructor(seed: number) {
    this.random = new RandomStream(seed, 0)
  }

  /** In (0, 1). */
  uniform(): number {
    return unit(this.random.block(this.next++, 0, 0, DOMAIN.motionKernel)[0]!)
  }

  beta(alpha: number, beta: number): number {
    const uniforms = Float64Array.from({ length: alpha + beta - 1 }, () => this.uniform())
    return betaFromUniforms(uniforms, 0, alpha, beta)
  }

  /** Beta(1, beta), whose distribution function is 1 - (1 - x)^beta. */
  firstBeta(beta: number): number {
    return 1 - (1 - this.uniform()) ** (1 / beta)
  }

  /** Triangular on [0, 1] with its mode at `mode`. */
  triangular(mode: number): number {
    const u = this.uniform()
    return u < mode ? Math.sqrt(u * mode) : 1 - Math.sqrt((1 - u) * (1 - mode))
  }
}
