/**
 * The golden data: float64 results of the authors' formulas, computed outside this project.
 * Folder: GOLDEN_DIR, by default test/fixtures/golden. Sizes are always taken from the files.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readSafetensors } from '../../src/math/safetensors'
import { layers, parameterCount } from '../../src/diffusion/mlp'
import type { NetworkShape } from '../../src/diffusion/types'

export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export const goldenFolder =
  process.env['GOLDEN_DIR'] ?? fileURLToPath(new URL('../fixtures/golden', import.meta.url))

/** A golden file as a map that remembers which tensors were read. */
export class GoldenFile {
  private readonly used = new Set<string>()

  constructor(
    readonly name: string,
    private readonly tensors: ReadonlyMap<string, GoldenTensor>,
  ) {}

  get(name: string): GoldenTensor {
    const tensor = this.tensors.get(name)
    if (!tensor) throw new Error(`${this.name}.safetensors has no tensor "${name}".`)
    this.used.add(name)
    return tensor
  }

  has(name: string): boolean {
    return this.tensors.has(name)
  }

  keys(): string[] {
    return [...this.tensors.keys()]
  }

  /** Names that no test has read: nothing in a golden file may be skipped silently. */
  unused(): string[] {
    return this.keys().filter((name) => !this.used.has(name))
  }
}

/** Reads `<name>.safetensors` of the golden folder; every tensor is float64. */
export function golden(name: string): GoldenFile {
  const { tensors } = readSafetensors(readFileSync(join(goldenFolder, `${name}.safetensors`)))
  const float64 = new Map<string, GoldenTensor>()
  for (const [key, { shape, data }] of tensors) {
    if (!(data instanceof Float64Array)) throw new Error(`${name}.safetensors: "${key}" is not F64.`)
    float64.set(key, { shape, data })
  }
  return new GoldenFile(name, float64)
}

/** ‖actual - expected‖ / ‖expected‖ over all elements (the norm itself where `expected` is zero). */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new Error(`Lengths ${actual.length}, ${expected.length} differ.`)
  let difference = 0
  let norm = 0
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2
    norm += expected[i]! ** 2
  }
  return Math.sqrt(norm > 0 ? difference / norm : difference)
}

/** Asserts relativeError(actual, expected) ≤ tolerance; not-a-number fails. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(relativeError(actual, expected)).toBeLessThanOrEqual(tolerance)
}

/** Network sizes of a golden file, from its `<prefix>.{layer}.weight` tensors and `denoised`, `emb`. */
export function goldenShape(file: GoldenFile): NetworkShape {
  let hiddenLayers = 0
  while (file.has(`net.${hiddenLayers + 1}.weight`)) hiddenLayers++
  return {
    features: file.get('denoised').shape[1]!,
    embedding: file.get('emb').shape[1]!,
    hidden: file.get('net.0.weight').shape[1]!,
    hiddenLayers,
  }
}

/** Canonical flat array of the tensors `<prefix>.{layer}.weight` and `.bias`. */
export function goldenParameters(file: GoldenFile, prefix: string, shape = goldenShape(file)): Float64Array {
  const flat = new Float64Array(parameterCount(shape))
  layers(shape).forEach(({ weightOffset, biasOffset }, l) => {
    flat.set(file.get(`${prefix}.${l}.weight`).data, weightOffset)
    flat.set(file.get(`${prefix}.${l}.bias`).data, biasOffset)
  })
  return flat
}

/**
 * `mmps_cg{k}` [batch, features]: plain CG's k-th iterates, and `mmps_exact` where plain CG has divided zero by zero
 * because an earlier iterate was exact (k above the number of observed rows).
 */
export function goldenCg(file: GoldenFile, k: string): Float64Array {
  const exact = file.get('mmps_exact').data
  return file.get(`mmps_cg${k}`).data.map((value, i) => (Number.isNaN(value) ? exact[i]! : value))
}
