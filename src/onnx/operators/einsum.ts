/**
 * Einsum without diagonals: y[out] = Σ_{other labels} Π_i x_i[labels of i].
 *
 * The reverse rule for operand i is an Einsum too, of ȳ and the other operands to the labels of i. Products of two
 * operands are rewritten as MatMul, which the WebGPU provider computes in tiles. "..." stands for any number of dimensions,
 * the same in all terms (ONNX Runtime does not broadcast them). Source: github.com/onnx/onnx, docs/Operators.md; NumPy's einsum.
 */
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule } from '../rule'
import { elementCount } from '../tensor'
import { stridedOffsets, stridesOf } from './strided'

/** Products that may be listed; networks that are interpreted in tests have a hundredth. */
const MOST_PRODUCTS = 2 ** 26

/** A label is a letter, or "0", "1", … for a dimension of "...", counted from the last of them. */
interface Equation {
  readonly operands: readonly (readonly string[])[]
  readonly output: readonly string[]
  readonly sizes: ReadonlyMap<string, number>
}

/** Labels of one term; `rank` says how many dimensions "..." stands for. */
function labelsOf(node: NodeView, term: string, dots: (letters: number) => number): string[] {
  const match = /^([A-Za-z]*)(?:(\.\.\.)([A-Za-z]*))?$/.exec(term)
  if (!match) throw node.error(`"${term}" in its equation is not letters, with at most one "..."`)
  const [before, after] = [match[1]!.split(''), (match[3] ?? '').split('')]
  const count = match[2] ? dots(before.length + after.length) : 0
  if (count < 0)
    throw node.error(`"${term}" in its equation has more letters than its operand has dimensions`)
  const between = Array.from({ length: count }, (_, i) => `${count - 1 - i}`)
  const labels = [...before, ...between, ...after]
  if (new Set(labels).size < labels.length)
    throw node.error(`"${term}" in its equation repeats a letter (a diagonal), which is not supported`)
  return labels
}

function equationOf(node: NodeView): Equation {
  const text = node.string('equation').replaceAll(' ', '')
  const [left, right, ...more] = text.split('->') as [string, string?, ...string[]]
  const terms = left.split(',')
  if (more.length > 0 || terms.length !== node.inputs.length)
    throw node.error(`its equation "${text}" is not one for ${node.inputs.length} operands`)
  const sizes = new Map<string, number>()
  const operands = terms.map((term, i) => {
    const { shape } = node.typeOf(i)
    const labels = labelsOf(node, term, (letters) => shape.length - letters)
    if (labels.length !== shape.length)
      throw node.error(
        `"${term}" in its equation has ${labels.length} letters for ${shape.length} dimensions`,
      )
    labels.forEach((label, axis) => {
      const [size, known] = [shape[axis]!, sizes.get(label) ?? shape[axis]!]
      if (size !== known) throw node.error(`one of its equation's letters has sizes ${known} and ${size}`)
      sizes.set(label, size)
    })
    return labels
  })
  const dotted = [...sizes.keys()].filter((label) => /\d/.test(label)).sort((a, b) => Number(b) - Number(a))
  const output =
    right === undefined ? implicitOutput(operands, dotted) : labelsOf(node, right, () => dotted.length)
  for (const label of output)
    if (!sizes.has(label)) throw node.error(`"${label}" in its equation's output is in no operand`)
  return { operands, output, sizes }
}

/** Without "->": "..." and the letters that occur once, in alphabetic order. */
function implicitOutput(operands: readonly (readonly string[])[], dotted: readonly string[]): string[] {
  const letters = operands.flat().filter((label) => /[A-Za-z]/.test(label))
  const once = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label))
  return [...dotted, ...once.sort()]
}

/** Sizes of the labels. */
function shapeOf({ sizes }: Equation, labels: readonly string[]): number[] {
  return labels.map((label) => sizes.get(label)!)
}

function evaluateEinsum(node: NodeView, inputs: readonly Values[]): Values {
  const equation = equationOf(node)
  const { operands, output, sizes } = equation
  const summed = [...sizes.keys()].filter((label) => !output.includes(label))
  const space = [...output, ...summed]
  const full = shapeOf(equation, space)
  if (elementCount(full) > MOST_PRODUCTS)
    throw node.error('it is a constant that takes too much to compute. Export the model with it computed.')
  const reads = operands.map((labels, i) => {
    const strides = stridesOf(inputs[i]!.shape)
    const along = space.map((label) => (labels.includes(label) ? strides[labels.indexOf(label)]! : 0))
    return stridedOffsets(full, along)
  })
  const shape = shapeOf(equation, output)
  const data = new Float64Array(elementCount(shape))
  const terms = elementCount(shapeOf(equation, summed))
  reads[0]!.forEach((_, i) => {
    const product = reads.reduce((value, offsets, operand) => value * inputs[operand]!.data[offsets[i]!]!, 1)
    data[Math.floor(i / terms)]! += product
  })
  return { type: inputs[0]!.type, shape, data }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')

/** An Einsum node with letters for all labels. */
function writeEinsum(
  build: Builder,
  inputs: readonly string[],
  operands: readonly (readonly string[])[],
  output: readonly string[],
): string {
  const labels = [...new Set(operands.flat())]
  const term = (list: readonly string[]) => list.map((label) => LETTERS[labels.indexOf(label)]).join('')
  return build.node('Einsum', inputs, { equation: `${operands.map(term).join(',')}->${term(output)}` })
}

/** Cotangent of operand i. */
function writeGradient(node: NodeView, build: Builder, yBar: string, operand: number): string {
  const { operands, output } = equationOf(node)
  const target = node.typeOf(operand).shape
  const others = operands.flatMap((_, i) => (i === operand ? [] : [i]))
  const terms = [output, ...others.map((i) => operands[i]!)]
  const kept = operands[operand]!.filter((label) => terms.flat().includes(label))
  const inputs = [yBar, ...others.map((i) => node.inputs[i]!)]
  const gradient = writeEinsum(build, inputs, terms, kept)
  // Labels of this operand alone were summed: every entry gets the same.
  const shape = operands[operand]!.map((label, axis) => (kept.includes(label) ? target[axis]! : 1))
  return build.expand(build.reshape(gradient, shape), target)
}

/** Sums over the labels that are not in `keep`. */
function sumOut(
  build: Builder,
  x: string,
  labels: readonly string[],
  keep: readonly string[],
): { value: string; labels: readonly string[] } {
  const axes = labels.flatMap((label, axis) => (keep.includes(label) ? [] : [axis]))
  const value = axes.length > 0 ? build.reduceSum(x, axes, false) : x
  return { value, labels: labels.filter((label) => keep.includes(label)) }
}

function inOrder(build: Builder, x: string, from: readonly string[], to: readonly string[]): string {
  return build.transpose(
    x,
    to.map((label) => from.indexOf(label)),
  )
}

/** Two operands as one MatMul [batch, left, inner] · [batch, inner, right]. */
function writeProduct(node: NodeView, build: Builder, equation: Equation): string {
  const { operands, output } = equation
  const [first, second] = operands as [readonly string[], readonly string[]]
  const a = sumOut(build, node.inputs[0]!, first, [...second, ...output])
  const b = sumOut(build, node.inputs[1]!, second, [...first, ...output])
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const batch = shared.filter((label) => output.includes(label))
  const inner = shared.filter((label) => !output.includes(label))
  const left = a.labels.filter((label) => !shared.includes(label))
  const right = b.labels.filter((label) => !shared.includes(label))
  const count = (labels: readonly string[]) => elementCount(shapeOf(equation, labels))
  const lead = batch.length > 0 ? [count(batch)] : []
  const arrange = (part: typeof a, rows: readonly string[], columns: readonly string[]) =>
    build.reshape(inOrder(build, part.value, part.labels, [...batch, ...rows, ...columns]), [
      ...lead,
      count(rows),
      count(columns),
    ])
  const product = build.node('MatMul', [arrange(a, left, inner), arrange(b, inner, right)])
  const labels = [...batch, ...left, ...right]
  return inOrder(build, build.reshape(product, shapeOf(equation, labels)), labels, output)
}

export const einsum: OperatorRule = {
  infer(node) {
    const equation = equationOf(node)
    return [{ type: node.typeOf(0).type, shape: shapeOf(equation, equation.output) }]
  },
  evaluate: (node, inputs) => [evaluateEinsum(node, inputs as readonly Values[])],
  vjp: (node, [yBar], build, wanted) =>
    yBar ? wanted.map((want, i) => (want ? writeGradient(node, build, yBar, i) : undefined)) : [],
  jvp(node, tangents, build) {
    const { operands, output } = equationOf(node)
    const parts = tangents.map(
      (tangent, i) =>
        tangent && writeEinsum(build, (node.inputs as readonly string[]).with(i, tangent), operands, output),
    )
    return [parts.reduce<string | undefined>((sum, part) => build.sum(sum, part), undefined)]
  },
  rewrite(node, build) {
    const equation = equationOf(node)
    const { operands, output } = equation
    if (operands.length > 2) return undefined
    if (operands.length === 2) return [writeProduct(node, build, equation)]
    const { value, labels } = sumOut(build, node.inputs[0]!, operands[0]!, output)
    return [inOrder(build, value, labels, output)]
  },
}
