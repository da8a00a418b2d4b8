/**
 * Whole networks on the WASM provider against PyTorch's output, VJP and JVP.
 *
 * Errors relative in norm: 1e-7 to 1.4e-6 were seen, `npm run verify` allows 1e-4.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { splitModel } from '../../src/onnx/differentiate'
import { nodeWasmRuntime } from '../../src/onnx/session/nodeRuntimes'
import type { OrtRuntime } from '../../src/onnx/session/runtime'
import { specialize } from '../../src/onnx/simplify'
import { compareNetwork, NETWORKS, readNetwork } from './networks'

let runtime: OrtRuntime
beforeAll(async () => {
  runtime = await nodeWasmRuntime()
})

describe.each(NETWORKS)('%s', (name) => {
  const network = readNetwork(name)

  test('has PyTorch’s output, VJP and JVP', async () => {
    const { errors } = await compareNetwork(network, runtime, 1e-4)
    expect(Object.keys(errors)).toEqual(['output', 'vjp', 'jvp'])
    for (const error of Object.values(errors)) expect(error).toBeLessThan(1e-5)
  })

  test('keeps no shape arithmetic, and derivatives as short as the network', () => {
    const { graph, reference } = network
    const typed = specialize(
      graph,
      Object.fromEntries(
        graph.inputs.map((port) => [port.name, { ...port, shape: reference.tensors.get(port.name)!.shape }]),
      ),
    )
    const shapes = ['Shape', 'Gather', 'ConstantOfShape', 'Constant', 'Identity', 'Unsqueeze', 'Squeeze']
    expect(typed.graph.nodes.filter(({ op }) => shapes.includes(op)).map(({ op }) => op)).toEqual([])
    const [input, output] = [graph.inputs[0]!.name, graph.outputs[0]!.name]
    const { vjp, jvp } = splitModel(typed, { input, output, derivatives: ['vjp', 'jvp'] })
    for (const each of [vjp, jvp]) expect(each!.nodes.length).toBeLessThan(1.5 * typed.graph.nodes.length)
  })
})
