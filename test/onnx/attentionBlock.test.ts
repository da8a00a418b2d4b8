import { describe, it } from 'vitest'
import type { Values } from '../../src/onnx/graph'
import type { Builder } from '../../src/onnx/rule'
import { floats, random } from './checkRule'
import { checkBlock } from './operators/checkFunction'

const BATCH = 2
const TOKENS = 5
const WIDTH = 12
const HEADS = 3
const CONDITION = 4
const HIDDEN = 20

/** Inputs of the block: tokens, condition, then weights and biases. */
function blockInputs(): Values[] {
  const weight = (rows: number, columns: number, seed: number) =>
    random([rows, columns], seed, -1.5 / Math.sqrt(rows), 1.5 / Math.sqrt(rows))
  return [
    random([BATCH, TOKENS, WIDTH], 1, -1, 1.5),
    random([BATCH, CONDITION], 2),
    weight(CONDITION, 6 * WIDTH, 3),
    random([6 * WIDTH], 4, -0.5, 0.5),
    weight(WIDTH, 3 * WIDTH, 5),
    random([3 * WIDTH], 6, -0.5, 0.5),
    weight(WIDTH, WIDTH, 7),
    weight(WIDTH, HIDDEN, 8),
    weight(HIDDEN, WIDTH, 9),
    floats([WIDTH], new Float64Array(WIDTH).fill(1)),
  ]
}

/**
 * A block of a diffusion transformer (Peebles & Xie, arXiv:2212.09748, adaLN-Zero):
 * x + g₁ ∘ attention(m₁(x)), then the same with a GELU network; m(x) = LayerNorm(x) ∘ (1 + scale) + shift.
 */
function transformerBlock(build: Builder, inputs: readonly (string | undefined)[]): string {
  const [tokens, condition, toSix, sixBias, toQkv, qkvBias, fromHeads, toHidden, fromHidden, ones] =
    inputs as string[] as [string, string, string, string, string, string, string, string, string, string]
  const matMul = (a: string, b: string) => build.node('MatMul', [a, b])
  const activated = build.mul(condition, build.node('Sigmoid', [condition]))
  const six = build.node('Gemm', [activated, toSix, sixBias])
  const parts = build
    .nodes('Split', [six, build.integers(Array.from({ length: 6 }, () => WIDTH))], 6, { axis: 1 })
    .map((part) => build.node('Unsqueeze', [part, build.integers([1])])) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const modulate = (x: string, shift: string, scale: string) => {
    const normalised = build.node('LayerNormalization', [x, ones], { axis: -1, epsilon: { float: 1e-6 } })
    return build.add(build.mul(normalised, build.add(scale, build.scalar(1, scale))), shift)
  }
  const gated = (x: string, gate: string, change: string) => build.add(x, build.mul(gate, change))

  const first = modulate(tokens, parts[0], parts[1])
  const qkv = build.add(matMul(first, toQkv), qkvBias)
  // PyTorch's order: [3, batch, heads, tokens, width of a head], each taken by a Gather.
  const shape = [BATCH, TOKENS, 3, HEADS, WIDTH / HEADS]
  const apart = build.transpose(build.reshape(qkv, shape), [2, 0, 3, 1, 4])
  const [query, key, value] = [0, 1, 2].map((i) =>
    build.node('Gather', [apart, build.constant('int64', [], [i])], { axis: 0 }),
  ) as [string, string, string]
  const scaled = build.mul(query, build.scalar(Math.sqrt(HEADS / WIDTH), query))
  const scores = matMul(scaled, build.transpose(key, [0, 1, 3, 2]))
  const mixed = matMul(build.node('Softmax', [scores], { axis: -1 }), value)
  const joined = build.reshape(build.transpose(mixed, [0, 2, 1, 3]), [BATCH, TOKENS, WIDTH])
  const attended = gated(tokens, parts[2], matMul(joined, fromHeads))

  const second = modulate(attended, parts[3], parts[4])
  const hidden = matMul(second, toHidden)
  // GELU as exporters write it up to opset 19.
  const half = build.mul(hidden, build.scalar(0.5, hidden))
  const error = build.node('Erf', [build.div(hidden, build.scalar(Math.SQRT2, hidden))])
  const gelu = build.mul(half, build.add(error, build.scalar(1, error)))
  return gated(attended, parts[5], matMul(gelu, fromHidden))
}

describe('a block of a diffusion transformer', () => {
  const weights = [2, 3, 4, 5, 6, 7, 8, 9]

  it.each([17, 20])('has right derivatives by the noisy tokens in opset %i', async (opset) => {
    await checkBlock({
      inputs: blockInputs(),
      constants: [1, ...weights],
      opset,
      define: transformerBlock,
    })
  })

  it('and by the condition and every weight', async () => {
    await checkBlock({ inputs: blockInputs(), opset: 18, define: transformerBlock })
  })
})
