/** What a panel of Figure 1 shows of the store's state, as content of a scatter plot. */
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import { probeCovariances } from '../../experiments/mixture/probe'
import { measurement } from '../../experiments/mixture/scene'
import type { MixtureSettings } from '../../experiments/mixture/settings'
import type { CovarianceName } from '../../diffusion/types'
import type { PanelName, PanelResult, PosteriorLab, Scene } from '../../store/posteriorTypes'
import {
  planeProjection,
  reachAt,
  spaceProjection,
  type Projection,
  type View,
} from '../plots/scatterGeometry'
import type { ScatterPixels } from '../plots/scatterPoints'
import type { ScatterContent, ScatterProbe } from '../plots/scatterTypes'
import type { Colours } from '../theme'
import type { Camera } from './camera'

/** What is on the canvas. */
export interface Plane {
  readonly projection: Projection
  readonly view: View
  readonly reach: number
  readonly pixels: ScatterPixels
}

/** Samples of the frame shown, [count, features], and their sigma_t: 0 at x_0. */
export interface ShownFrame {
  readonly frame: number
  readonly sigma: number
  readonly samples: Float32Array
}

/** The frame of a result that is shown; null where there is none, or it belongs to a space of another dimension. */
export function shownFrame(
  { scene, frame }: Pick<PosteriorLab, 'scene' | 'frame'>,
  result: PanelResult | null,
): ShownFrame | null {
  if (!scene || !result || result.features !== scene.features) return null
  const last = result.sigmas.length
  const shown = Math.max(0, Math.min(last, frame))
  const size = result.count * result.features
  return {
    frame: shown,
    sigma: shown === last ? 0 : result.sigmas[shown]!,
    samples: result.frames.subarray(shown * size, (shown + 1) * size),
  }
}

/** The settings of the scene in view, if its constraint can be moved: not where the learned prior brings its own pairs. */
export function movableSettings({
  scene,
  settings,
}: Pick<PosteriorLab, 'scene' | 'settings'>): MixtureSettings | null {
  if (!scene || scene.features > 3) return null
  const { features } = scene
  if (settings.features === features && (features === 3 || settings.observed === 1)) return settings
  return { ...settings, features, observed: features === 2 ? 1 : settings.observed }
}

export function projectionOf(features: number, { azimuth, elevation, coordinates }: Camera): Projection {
  if (features === 2) return planeProjection()
  const shown = coordinates.every((coordinate) => coordinate < features) ? coordinates : ([0, 1, 2] as const)
  return spaceProjection(features, shown, azimuth, elevation)
}

/** The probed sample's moments; null at x_0, where nothing is left to estimate. */
export interface ProbeReading {
  readonly sigma: number
  /** x_t, [features]. */
  readonly point: Float32Array
  /** Its x_t in the frames before, and now, [frames, features]. */
  readonly path: Float32Array
  readonly moments: ReturnType<typeof probeCovariances> | null
}

/** Reads the probe of a panel; the last reading is kept, so that asking again is free. */
export function createProbeReader(
  panel: PanelName,
): (state: Pick<PosteriorLab, 'scene' | 'frame' | 'probe' | 'panels'>) => ProbeReading | null {
  let key: readonly unknown[] = []
  let reading: ProbeReading | null = null
  return ({ scene, frame, probe, panels }) => {
    const { result } = panels[panel]
    const next = [scene, frame, result, probe]
    if (next.some((part, k) => part !== key[k])) {
      key = next
      reading = probe?.panel === panel ? readProbe(scene, frame, result, probe.index) : null
    }
    return reading
  }
}

/** Frames before the one shown whose x_t are joined by the path: those from further back are far out. */
const PATH_FRAMES = 8

function readProbe(
  scene: Scene | null,
  frame: number,
  result: PanelResult | null,
  index: number,
): ProbeReading | null {
  const shown = shownFrame({ scene, frame }, result)
  if (!scene || !shown || !result || index >= result.count) return null
  const { features, count, frames } = result
  const first = Math.max(0, shown.frame - PATH_FRAMES)
  const path = new Float32Array((shown.frame - first + 1) * features)
  for (let k = first; k <= shown.frame; k += 1) {
    const start = (k * count + index) * features
    path.set(frames.subarray(start, start + features), (k - first) * features)
  }
  const point = path.subarray(path.length - features)
  if (!point.every(Number.isFinite)) return null
  const moments = shown.sigma > 0 ? probeCovariances(scene, point, shown.sigma) : null
  return { sigma: shown.sigma, point, path, moments }
}

/** Approximations of V[x | x_t] in the order of their legend. */
export const covarianceOrder: readonly CovarianceName[] = [
  'tweedie',
  'gaussian',
  'tmpd',
  'pigdm',
  'identity',
  'zero',
]

/** Everything but the zoom, which moves on its own. */
export function planeContent(
  state: PosteriorLab,
  panel: PanelName,
  camera: Camera,
  colours: Colours,
  probe: ProbeReading | null,
): Omit<ScatterContent, 'reach'> & { readonly targetReach: number } {
  const { scene, panels } = state
  const { result } = panels[panel]
  const shown = shownFrame(state, result)
  const movable = movableSettings(state)
  const sigma = shown?.sigma ?? null
  return {
    projection: projectionOf(scene?.features ?? state.settings.features, camera),
    targetReach: reachAt(sigma ?? 0),
    curve: scene,
    exact: scene && { points: scene.exact, noise: scene.noise, sigma: sigma ?? 0 },
    samples: shown?.samples ?? null,
    constraint: movable && {
      A: measurement(movable),
      y: [movable.y1, movable.y2].slice(0, movable.observed),
      sigmaY: movable.sigmaY,
    },
    probe:
      probe && scatterProbe(probe, colours, result && methodDefinitions[result.method.method].covariance),
    sigma,
  }
}

function scatterProbe(
  { point, path, moments }: ProbeReading,
  colours: Colours,
  used: CovarianceName | null | undefined,
): ScatterProbe {
  return {
    point,
    path,
    gaussians: moments && {
      mean: moments.mean,
      ellipses: [
        { covariance: moments.truth, colour: colours.truth, width: 5 },
        // The method's own is on top.
        ...covarianceOrder
          .toSorted((one, other) => Number(one === used) - Number(other === used))
          .map((name) => ({
            covariance: moments.approximations[name],
            colour: colours.covariances[name],
            width: name === used ? 2.5 : 1.25,
          })),
      ],
    },
  }
}
