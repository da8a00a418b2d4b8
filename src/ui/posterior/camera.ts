/**
 * Where one looks from in R^3, the same for both panels, and which three coordinates are shown where a learned prior
 * has more. Angles are degrees: azimuth in the plane of the first two coordinates, elevation above it.
 */
import { createStore } from 'zustand/vanilla'
import { wrapDegrees } from '../plots/scatterGeometry'

export interface Camera {
  readonly azimuth: number
  readonly elevation: number
  /** Coordinates shown, from 0; only the first `min(n, 3)` are used. */
  readonly coordinates: readonly [number, number, number]
}

const START = { azimuth: -58, elevation: 22 } as const
/** Straight down, the first two axes keep their sense of rotation; past it they would turn over. */
const STEEPEST = 89

export const camera = createStore<Camera>(() => ({ ...START, coordinates: [0, 1, 2] }))

/** Turns the view by degrees; azimuth wraps, elevation stops above and below. */
export function orbit(azimuth: number, elevation: number): void {
  const now = camera.getState()
  camera.setState({
    azimuth: wrapDegrees(now.azimuth + azimuth),
    elevation: Math.max(-STEEPEST, Math.min(STEEPEST, now.elevation + elevation)),
  })
}

export function resetCamera(): void {
  camera.setState(START)
}

/** Shows coordinate `value` on axis `axis`; a coordinate shown on another axis changes places with it. */
export function showCoordinate(axis: 0 | 1 | 2, value: number): void {
  const coordinates = [...camera.getState().coordinates] as [number, number, number]
  const other = coordinates.indexOf(value)
  if (other >= 0) coordinates[other] = coordinates[axis]
  coordinates[axis] = value
  camera.setState({ coordinates })
}
