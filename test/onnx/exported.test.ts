/**
 * Networks that PyTorch and diffusers exported (export/fixtures), against PyTorch's own output, VJP and JVP in float32.
 *
 * The norms' relative error may be 1e-4, what `npm run verify` asks of any model on the WASM provider.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readSafetensors } from '../../src/math/safetensors'
import { splitModel } from '../../src/onnx/differentiate'
import type { Graph, Values } from '../../src/onnx/graph'
import { readModel } from '../../src/onnx/model'
import { specialize } from '../../src/onnx/simplify'
import { distance, runOnnx } from './checkRule'

const FOLDER = new URL('../fixtures/onnx/', import.meta.url)

function open(name: string) {
  const { tensors } = readSafetensors(readFileSync(new URL(`${name}.safetensors`, FOLDER)))
  const reference = Object.fromEntries(
    [...tensors].map(([key, { dtype, shape, data }]): [string, Values] => [
      key,
      { type: dtype === 'I64' ? 'int64' : 'float32', shape, data: Float64Array.from(data, Number) },
    ]),
  )
  return { graph: readModel(readFileSync(new URL(`${name}.onnx`, FOLDER))), reference }
}

describe.each(['unet-diffusers', 'unet-guided', 'dit'])('%s', (name) => {
  const { graph, reference } = open(name)
  const typed = specialize(graph, reference)
  const [input, output] = [graph.inputs[0]?.name as string, graph.outputs[0]?.name as string]
  const split = splitModel(typed, { input, output, derivatives: ['vjp', 'jvp'] })
  const relative = (found: Values | undefined, key: string) =>
    distance(found?.data ?? [], reference[key]?.data ?? []) // norms are above 1

  it('has PyTorch’s output, VJP and JVP', async () => {
    const held = await runOnnx(split.forward, reference)
    const vjp = await runOnnx(split.vjp as Graph, { ...held, cotangent: reference.v as Values })
    const jvp = await runOnnx(split.jvp as Graph, { ...held, tangent: reference.u as Values })
    expect(relative(held[output], 'output')).toBeLessThan(1e-4)
    expect(relative(vjp.result, 'vjp')).toBeLessThan(1e-4)
    expect(relative(jvp.result, 'jvp')).toBeLessThan(1e-4)
  })

  it('keeps no shape arithmetic, and derivatives as short as the network', () => {
    const shapes = ['Shape', 'Gather', 'ConstantOfShape', 'Constant', 'Identity', 'Unsqueeze', 'Squeeze']
    expect(typed.graph.nodes.filter(({ op }) => shapes.includes(op)).map(({ op }) => op)).toEqual([])
    const sizes = [split.forward, split.vjp, split.jvp].map((each) => each?.nodes.length ?? 0)
    expect(sizes[1]).toBeLessThan(1.5 * typed.graph.nodes.length)
    expect(sizes[2]).toBeLessThan(1.5 * typed.graph.nodes.length)
  })
})
