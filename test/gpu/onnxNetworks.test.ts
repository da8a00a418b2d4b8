/**
 * Whole networks on ONNX Runtime's WebGPU provider against PyTorch's output, VJP and JVP.
 *
 * Errors relative in norm: 1e-7 to 1.3e-6 were seen, `npm run verify` allows 1e-3.
 */
import { expect, test } from 'vitest'
import { nodeWebGpuRuntime } from '../../src/onnx/session/nodeRuntimes'
import { compareNetwork, NETWORKS, readNetwork } from '../onnx/networks'
import { gpu, openTestDevice } from './adapter'

const runtime = await nodeWebGpuRuntime(gpu, await openTestDevice())

/** Compiling a network's shaders for the first time takes up to 30 seconds of processors that others may use too. */
const LONGEST = 300_000

test.each(NETWORKS)(
  '%s has PyTorch’s output, VJP and JVP, with every node on the GPU',
  async (name) => {
    const { errors, onCpu } = await compareNetwork(readNetwork(name), runtime, 1e-3)
    expect(Object.keys(errors)).toEqual(['output', 'vjp', 'jvp'])
    for (const error of Object.values(errors)) expect(error).toBeLessThan(1e-5)
    expect(onCpu).toEqual([])
  },
  LONGEST,
)
