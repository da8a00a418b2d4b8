/** Whole networks that PyTorch exported, with PyTorch's own numbers (export/reference_networks.py, export/bundled_reference.py). */
import { readFileSync } from 'node:fs'
import { type Comparison, prepareReference } from '../../src/cli/verifyReference'
import { readSafetensors, type SafetensorsFile } from '../../src/math/safetensors'
import type { Graph } from '../../src/onnx/graph'
import { readModel } from '../../src/onnx/model'
import type { OrtRuntime } from '../../src/onnx/session/runtime'

const FIXTURES = 'test/fixtures/onnx'
const BUNDLED = ['fashion-32', 'photo-64']

export const NETWORKS = ['unet-diffusers', 'unet-guided', 'dit', ...BUNDLED] as const

export interface Network {
  readonly graph: Graph
  readonly reference: SafetensorsFile
}

export function readNetwork(name: string): Network {
  const model = BUNDLED.includes(name) ? `public/models/${name}/denoiser.onnx` : `${FIXTURES}/${name}.onnx`
  return {
    graph: readModel(readFileSync(model)),
    reference: readSafetensors(readFileSync(`${FIXTURES}/${name}.safetensors`)),
  }
}

/** Errors of output, VJP and JVP, relative in norm, as `npm run verify -- --reference` finds them. */
export function compareNetwork(
  { graph, reference }: Network,
  runtime: OrtRuntime,
  bound: number,
): Promise<Comparison> {
  return prepareReference(graph, reference, {}).compare(runtime, bound)
}
