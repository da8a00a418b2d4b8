/** The files that a run is written to and read from. The worker loads them after it has opened its run. */
import { writeCsv } from '../math/csv'
import { writeNpy } from '../math/npy'
import { readObservations } from '../experiments/manifold/observationsFile'
import type { OpenRun, Request } from './messages'

export { readRun, writeRun } from '../experiments/manifold/runFile'

export function writeSamples(
  samples: Float32Array,
  features: number,
  format: 'csv' | 'npy',
): Uint8Array<ArrayBuffer> {
  if (format === 'npy') return writeNpy({ shape: [samples.length / features, features], data: samples })
  const header = Array.from({ length: features }, (_, j) => `x${j + 1}`)
  return new TextEncoder().encode(writeCsv(header, samples))
}

/** The run that learns from a file's observations. Errors: what is wrong with the file. */
export function runFromData({
  name,
  bytes,
  settings,
  preset,
}: Extract<Request, { type: 'readData' }>): OpenRun {
  const pairs = readObservations(name, bytes, settings)
  const { features, observed, count } = pairs
  return {
    preset,
    settings: { ...settings, features, observed, observations: count },
    origin: { kind: 'file', name, observations: { ...pairs, sigmaY: settings.sigmaY } },
  }
}
