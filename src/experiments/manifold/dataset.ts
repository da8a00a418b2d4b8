/**
 * Data of the manifold experiment (paper section 5.1): latents on a curve in R^n, each seen once as y = A x + n
 * through its own random A, whose rows are uniform on the unit sphere.
 *
 * The curve is random (method.md), drawn by hand in coordinate planes, or unknown: the pairs come from a file.
 */
import { coordinateRange, curvePoints, scaleToBox, type CurveCoefficients } from '../../math/curve'
import { DOMAIN, RandomStream, unit } from '../../math/philox'
import { type Pieces, atOnce } from '../../diffusion/jobControl'
import type { Observations } from '../../diffusion/types'
import type { ManifoldSettings } from './settings'

/** A stroke drawn in the plane of coordinates (i, j), resampled by arc length, within [-2, 2]. */
export interface DrawnStroke {
  readonly plane: readonly [number, number]
  readonly points: readonly (readonly [number, number])[]
}

/** Where the data comes from. */
export type DataOrigin =
  | { readonly kind: 'random' }
  | { readonly kind: 'drawn'; readonly strokes: readonly DrawnStroke[] }
  | { readonly kind: 'file'; readonly name: string; readonly observations: Observations }

export interface Dataset {
  readonly observations: Observations
  /** Latents that made the observations, [count, features]; undefined for data from a file. */
  readonly latents?: Float32Array
  /** Fresh draws of the true distribution, [count, features]; undefined for data from a file. */
  drawTruth?(count: number, stream: number): Float32Array
}

/** A parametric curve: z [count] in [0, 1] → [count, features]. */
export type Curve = (z: Float64Array) => Float64Array

/** What makes a random curve. */
export type CurveSettings = Pick<ManifoldSettings, 'seed' | 'features' | 'harmonics' | 'smoothness'>

/** Observations of a piece of work: some milliseconds. */
const piece = 2048

/** Builds the dataset of a run; the same settings and origin give the same data. */
export function createDataset(settings: ManifoldSettings, origin: DataOrigin): Dataset {
  return atOnce(datasetPieces(settings, origin))
}

/** As `createDataset`, in pieces, as a million observations take seconds: yields the observations done. */
export function* datasetPieces(settings: ManifoldSettings, origin: DataOrigin): Pieces<Dataset> {
  if (origin.kind === 'file') return { observations: { ...origin.observations, sigmaY: settings.sigmaY } }
  const curve = createCurve(settings, origin.kind === 'drawn' ? origin.strokes : [])
  const { seed, features, observed, observations: count, sigmaY } = settings
  const random = new RandomStream(seed, 0)
  const latents = new Float32Array(count * features)
  const A = new Float32Array(count * observed * features)
  const y = new Float32Array(count * observed)
  const direction = new Float64Array(features)
  const noise = new Float64Array(observed)
  for (let i = 0; i < count; i++) {
    if (i % piece === 0) {
      yield i
      const z = drawLatents(random, i, Math.min(i + piece, count), DOMAIN.latents)
      latents.set(curve(z), i * features)
    }
    random.fillNormals(noise, 0, observed, i, 0, DOMAIN.observationNoise)
    for (let r = 0; r < observed; r++) {
      random.fillNormals(direction, 0, features, i, r, DOMAIN.matrices)
      const norm = Math.hypot(...direction)
      let value = sigmaY * noise[r]!
      for (let j = 0; j < features; j++) {
        const entry = Math.fround(direction[j]! / norm)
        A[(i * observed + r) * features + j] = entry
        value += entry * latents[i * features + j]!
      }
      y[i * observed + r] = value
    }
  }
  return {
    observations: { count, features, observed, A, y, sigmaY },
    latents,
    drawTruth: (drawCount, stream) =>
      Float32Array.from(curve(drawLatents(new RandomStream(seed, stream), 0, drawCount, DOMAIN.metric))),
  }
}

/** z of the points begin … end - 1. */
function drawLatents(random: RandomStream, begin: number, end: number, domain: number): Float64Array {
  const z = new Float64Array(end - begin)
  for (let i = begin; i < end; i++) z[i - begin] = unit(random.block(i, 0, 0, domain)[0]!)
  return z
}

/** The random curve, scaled to [-2, 2] in each coordinate, with drawn coordinates in place of its own. */
export function createCurve(settings: CurveSettings, strokes: readonly DrawnStroke[]): Curve {
  const { seed, features, harmonics, smoothness } = settings
  const random = new RandomStream(seed, 0)
  const uniforms = (which: number) => {
    const values = new Float64Array(features * harmonics)
    for (let j = 0; j < features; j++) {
      random.fillUniforms(values, j * harmonics, harmonics, j, which, DOMAIN.curve)
    }
    return values
  }
  const coefficients: CurveCoefficients = {
    features,
    harmonics,
    a: uniforms(0),
    b: uniforms(1),
    c: uniforms(2),
  }
  // The scale comes from a grid fine enough for the highest harmonic, so that it does not depend on the draws.
  const grid = Float64Array.from({ length: 8192 }, (_, i) => (i + 0.5) / 8192)
  const range = coordinateRange(curvePoints(coefficients, grid, smoothness), features)
  return (z) => {
    const points = scaleToBox(curvePoints(coefficients, z, smoothness), range, 2)
    for (let i = 0; i < z.length; i++) {
      for (const { plane, points: stroke } of strokes) {
        const [first, second] = strokeAt(stroke, z[i]!)
        if (plane[0] < features) points[i * features + plane[0]] = first
        if (plane[1] < features) points[i * features + plane[1]] = second
      }
    }
    return points
  }
}

function strokeAt(stroke: DrawnStroke['points'], z: number): readonly [number, number] {
  const place = z * (stroke.length - 1)
  const index = Math.min(Math.floor(place), stroke.length - 2)
  const [from, to] = [stroke[index]!, stroke[index + 1]!]
  const weight = place - index
  return [from[0] + weight * (to[0] - from[0]), from[1] + weight * (to[1] - from[1])]
}
