/**
 * The curves on which a prior's components lie, in the plane and in space, within [-2, 2].
 *
 * The random curve is the paper's (method.md): x_j(z) = Σ_k a_jk k^-α sin(2π (k b_jk z + c_jk)) with z ~ U(0, 1), scaled to
 * [-2, 2] in each coordinate. The components of all others have even distances along the curve. A new shape is one
 * line here.
 */
import { DOMAIN, RandomStream, unit } from '../../math/philox'
import type { Mixture } from '../../diffusion/types'
import { createCurve, type DrawnStroke } from '../manifold/dataset'
import type { MixtureSettings } from './settings'
import { placeAlong, strokePolyline, trace, type Placed, type Polyline } from './strokes'

/** Terms of the random curve in each coordinate (method.md). */
const HARMONICS = 10

const { cos, sin, PI } = Math

/** Strokes of a fixed shape in R^2 or R^3. */
type Strokes = (features: number) => Polyline[]

const fixedShapes: Readonly<Record<'spiral' | 'ring' | 'moons' | 'letters', Strokes>> = {
  // Two and a half turns outwards; in space they climb.
  spiral: (n) => [
    trace(n, (t) => {
      const [radius, angle] = [0.2 + 1.75 * t, 5 * PI * t]
      return [radius * cos(angle), radius * sin(angle), 3 * t - 1.5]
    }),
  ],
  // In space a trefoil knot: no plane holds it.
  ring: (n) =>
    n === 2
      ? [trace(2, (t) => [1.7 * cos(2 * PI * t), 1.7 * sin(2 * PI * t)])]
      : [
          trace(3, (t) => {
            const angle = 2 * PI * t
            const radius = 0.62 * (2 + cos(3 * angle))
            return [radius * cos(2 * angle), radius * sin(2 * angle), 1.2 * sin(3 * angle)]
          }),
        ],
  // In space the second moon stands upright, and each passes through the other's opening.
  moons: (n) => [
    trace(n, (t) => [1.25 * (cos(PI * t) - 0.5), 1.25 * (sin(PI * t) - 0.25), 0]),
    trace(n, (t) => {
      const depth = 1.25 * (0.25 - sin(PI * t))
      return n === 2 ? [1.25 * (0.5 - cos(PI * t)), depth] : [1.25 * (0.5 - cos(PI * t)), 0, depth]
    }),
  ],
  letters: (n) =>
    letterStrokes.map((stroke) =>
      n === 2 ? Float64Array.from(stroke.flat()) : waved(stroke, 0.6, (2 * PI) / 3),
    ),
}

/** Means along the chosen curve in order; `breaks` are the indices where a new stroke begins. */
export interface PlacedMixture {
  readonly mixture: Mixture
  readonly breaks: readonly number[]
}

/**
 * The mixture of the settings' shape, with neighbours on the curve in consecutive rows. The same settings and strokes give
 * the same mixture.
 * Errors: RangeError for a drawn shape without strokes in R^n, and for `learned`, whose curve is that of its run.
 */
export function createMixture(settings: MixtureSettings, strokes: readonly DrawnStroke[]): PlacedMixture {
  const { features, thickness } = settings
  const { points, breaks } = place(settings, strokes)
  return { mixture: { features, means: points, thickness }, breaks }
}

function place(settings: MixtureSettings, strokes: readonly DrawnStroke[]): Placed {
  const { shape, features, components } = settings
  switch (shape) {
    case 'random':
      return { points: randomCurve(settings, randomLatents(settings.seed, components).sort()), breaks: [] }
    case 'drawn': {
      const polylines = strokes.flatMap((stroke) => strokePolyline(stroke, features) ?? [])
      if (polylines.length === 0) {
        throw new RangeError(`Nothing is drawn in R^${features} yet: draw a curve, or choose another shape.`)
      }
      return placeAlong(polylines, features, components)
    }
    case 'learned':
      throw new RangeError('A learned prior has the curve of its run, not a shape of its own.')
    default:
      return placeAlong(fixedShapes[shape](features), features, components)
  }
}

/** z ~ U(0, 1) of the components on a random curve, [components]; more components keep those of fewer. */
export function randomLatents(seed: number, components: number): Float64Array {
  const random = new RandomStream(seed, 0)
  return Float64Array.from({ length: components }, (_, k) => unit(random.block(k, 0, 0, DOMAIN.latents)[0]!))
}

/** Points of the random curve of a seed at latents z [count] → [count, features]. */
export function randomCurve(
  { seed, features, smoothness }: Pick<MixtureSettings, 'seed' | 'features' | 'smoothness'>,
  z: Float64Array,
): Float64Array {
  return createCurve({ seed, features, harmonics: HARMONICS, smoothness }, [])(z)
}

type Vertex = readonly [number, number]

/** A half ellipse or a whole one, from angle `from` to `to`. */
function arc([x, y]: Vertex, [width, height]: Vertex, from: number, to: number): Vertex[] {
  return Array.from({ length: 65 }, (_, k) => {
    const angle = from + ((to - from) * k) / 64
    return [x + width * cos(angle), y + height * sin(angle)]
  })
}

/** The word DiEM, 3.8 wide and 1.6 high. */
const letterStrokes: readonly (readonly Vertex[])[] = [
  [[-1.9, -0.8], [-1.9, 0.8], ...arc([-1.6, 0], [0.55, 0.8], PI / 2, -PI / 2), [-1.9, -0.8]],
  arc([-0.68, 0.62], [0.06, 0.06], 0, 2 * PI),
  [
    [-0.68, 0.3],
    [-0.68, -0.8],
  ],
  [
    [0.45, 0.8],
    [-0.3, 0.8],
    [-0.3, -0.8],
    [0.45, -0.8],
  ],
  [
    [-0.3, 0],
    [0.3, 0],
  ],
  [
    [0.8, -0.8],
    [0.8, 0.8],
    [1.35, -0.3],
    [1.9, 0.8],
    [1.9, -0.8],
  ],
]

/** A stroke of the plane on the wave x_3 = height sin(frequency x_1), divided finely enough to follow it. */
function waved(stroke: readonly Vertex[], height: number, frequency: number): Polyline {
  const vertices: number[] = []
  for (let k = 1; k < stroke.length; k++) {
    const [[x0, y0], [x1, y1]] = [stroke[k - 1]!, stroke[k]!]
    const pieces = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / 0.01))
    for (let piece = k === 1 ? 0 : 1; piece <= pieces; piece++) {
      const x = x0 + ((x1 - x0) * piece) / pieces
      vertices.push(x, y0 + ((y1 - y0) * piece) / pieces, height * sin(frequency * x))
    }
  }
  return Float64Array.from(vertices)
}
