import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MlpDenoiser } from '../../src/diffusion/mlpDenoiser'
import { parameterCount } from '../../src/diffusion/mlp'
import { writeRun } from '../../src/experiments/manifold/runFile'
import { networkShape, presets } from '../../src/experiments/manifold/settings'
import { readSafetensors, writeSafetensors } from '../../src/math/safetensors'

const python = process.env['DIEM_PYTHON'] ?? 'python3'
const hasTorch = spawnSync(python, ['-c', 'import torch, safetensors.torch']).status === 0

describe('export/load_run.py', () => {
  it.skipIf(!hasTorch)(
    'gives the same denoiser in PyTorch as in the page (needs torch; DIEM_PYTHON names it)',
    () => {
      const settings = { ...presets.tiny, hidden: 24, embedding: 10, features: 4 }
      const shape = networkShape(settings)
      const weights = Float32Array.from(
        { length: parameterCount(shape) },
        (_, i) => 0.4 * Math.sin(1 + 7 * i),
      )
      const samples = Float32Array.from({ length: 4 * settings.observations }, (_, i) => Math.cos(i))
      const numbers = {
        divergence: 1,
        kept: 1,
        consistency: 1,
        seconds: 1,
        loss: 1,
        losses: Float32Array.of(1),
      }
      const record = { ...numbers, iteration: 0, steps: 1, weights, samples }
      const state = { records: [record], weights: null, losses: new Float32Array(0), seconds: 0, steps: 1 }
      const folder = mkdtempSync(join(tmpdir(), 'diem-torch-'))
      const [run, input, output] = ['run', 'input', 'output'].map((name) =>
        join(folder, `${name}.safetensors`),
      )
      writeFileSync(run!, writeRun({ settings, preset: 'tiny', origin: { kind: 'random' }, state }))
      const xT = Float64Array.from({ length: 12 }, (_, i) => Math.sin(3 * i))
      const sigma = Float64Array.of(0.001, 0.7, 10)
      writeFileSync(
        input!,
        writeSafetensors([
          ['x_t', { shape: [3, 4], data: xT }],
          ['sigma', { shape: [3], data: sigma }],
        ]),
      )
      const program = `
import sys; sys.path.insert(0, ${JSON.stringify(join(import.meta.dirname, '../../export'))})
from load_run import load_denoiser
from safetensors.torch import load_file, save_file
denoiser, settings = load_denoiser(${JSON.stringify(run)})
assert settings["hidden"] == 24
given = load_file(${JSON.stringify(input)})
save_file({"x": denoiser.double()(given["x_t"], given["sigma"]).detach()}, ${JSON.stringify(output)})`
      execFileSync(python, ['-c', program])
      const actual = readSafetensors(readFileSync(output!)).tensors.get('x')!.data as Float64Array
      const expected = new MlpDenoiser(shape, Float64Array.from(weights)).denoise(xT, sigma)
      expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 5))
    },
  )
})
