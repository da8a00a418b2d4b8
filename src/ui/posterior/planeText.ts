/** A panel of Figure 1 in words: where the modes are, how the samples are spread over them and how well they fit y. */
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import { exactPosterior } from '../../experiments/mixture/scene'
import type { PanelName, PosteriorLab, Scene } from '../../store/posteriorTypes'
import { formatCount, formatMeasure, formatPercent } from '../format'
import { shownFrame } from './planeContent'
import { posteriorModes, sampleShares } from './posteriorModes'
import { constraintDistance } from './sceneDrag'

/** More modes than this are counted only. */
const NAMED_MODES = 4

export function planeText(state: PosteriorLab, panel: PanelName): string {
  const { scene, panels } = state
  const { result } = panels[panel]
  if (!scene) return 'Prior, observation and samples appear when the scene is ready.'
  const shown = shownFrame(state, result)
  const posterior = exactPosterior(scene)
  const modes = posteriorModes(posterior, scene.breaks)
  const atEnd = shown?.sigma === 0
  const spread = atEnd ? sampleShares(posterior, modes, shown.samples) : null
  const parts = [
    `Scatter plot in R^${scene.features}: the prior’s curve, the set A x = y and the exact posterior p(x | y), which has ${modes.length} ${modes.length === 1 ? 'mode' : 'modes'}: ` +
      `${modes
        .slice(0, NAMED_MODES)
        .map(
          ({ centre, share }, k) =>
            `at ${pointText(centre)} ${formatPercent(share)}${spread ? ` (of the samples ${formatPercent(spread.shares[k]!)})` : ''}`,
        )
        .join(', ')}${modes.length > NAMED_MODES ? ' and smaller ones' : ''}.`,
  ]
  if (!shown || !result) return [...parts, 'No samples yet.'].join(' ')
  const { label } = methodDefinitions[result.method.method]
  parts.push(
    `${formatCount(result.count)} samples by ${label} at ${atEnd ? 'x_0' : `sigma_t = ${formatMeasure(shown.sigma)}`}.`,
  )
  if (spread) parts.push(`${formatPercent(spread.elsewhere)} of them are at no mode.`)
  parts.push(
    `${formatPercent(nearShare(scene, shown.samples))} of them fit y: within two sigma_y of A x = y.`,
  )
  if (result.lost > 0) parts.push(`${lostText(result.lost)}.`)
  return parts.join(' ')
}

/** What became of samples that cannot be drawn. */
export function lostText(lost: number): string {
  return `${formatCount(lost)} ${lost === 1 ? 'sample is' : 'samples are'} not drawn: not finite, or beyond ±100`
}

function nearShare({ A, y, sigmaY }: Scene, samples: Float32Array): number {
  const count = (samples.length * y.length) / A.length
  let near = 0
  for (let k = 0; k < count; k += 1) if (constraintDistance(A, y, samples, k) <= 2 * sigmaY) near += 1
  return near / Math.max(1, count)
}

function pointText(point: Float64Array): string {
  return `(${Array.from(point, (value) => value.toFixed(2)).join(', ')})`
}
