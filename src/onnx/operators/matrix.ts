/**
 * Matrix products: MatMul (NumPy's, with broadcast batches), Gemm, and Einsum (einsum.ts).
 *
 *   MatMul  Y = A B                 Ā = Ȳ Bᵀ,  B̄ = Aᵀ Ȳ, summed over broadcast batches
 *   Gemm    Y = α A' B' + β C       A' is A or Aᵀ, B' is B or Bᵀ
 */
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { elementCount } from '../tensor'
import { einsum } from './einsum'
import { broadcastShape, broadcastStrides } from './broadcast'
import { pick, stridedOffsets } from './strided'

/** a [m, k] · b [k, n] at offsets, added to y [m, n]; `steps` are the strides of a's and b's two dimensions. */
function multiplyInto(
  y: Float64Array,
  [a, aAt, aRow, aColumn]: readonly [Float64Array, number, number, number],
  [b, bAt, bRow, bColumn]: readonly [Float64Array, number, number, number],
  [m, k, n]: readonly [number, number, number],
  yAt = 0,
): void {
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const entry = a[aAt + i * aRow + l * aColumn]!
      for (let j = 0; j < n; j++) y[yAt + i * n + j]! += entry * b[bAt + l * bRow + j * bColumn]!
    }
}

interface Product {
  /** Shapes with at least two dimensions: a vector on the left is a row, on the right a column. */
  readonly a: readonly number[]
  readonly b: readonly number[]
  readonly batch: readonly number[]
  readonly m: number
  readonly k: number
  readonly n: number
  /** Of the node's output, and with both matrix dimensions. */
  readonly output: readonly number[]
  readonly full: readonly number[]
}

function productOf(node: NodeView): Product {
  const [left, right] = [node.typeOf(0).shape, node.typeOf(1).shape]
  if (left.length === 0 || right.length === 0) throw node.error('a scalar cannot be multiplied as a matrix')
  const a = left.length === 1 ? [1, left[0]!] : left
  const b = right.length === 1 ? [right[0]!, 1] : right
  const [m, k, n] = [a.at(-2)!, a.at(-1)!, b.at(-1)!]
  if (b.at(-2) !== k)
    throw node.error(
      `[${left.join(', ')}] times [${right.join(', ')}]: the inner sizes ${k} and ${b.at(-2)} differ`,
    )
  const batch = broadcastShape(node, a.slice(0, -2), b.slice(0, -2))
  const output = [...batch, ...(left.length === 1 ? [] : [m]), ...(right.length === 1 ? [] : [n])]
  return { a, b, batch, m, k, n, output, full: [...batch, m, n] }
}

function evaluateProduct(node: NodeView, a: Values, b: Values): Values {
  const product = productOf(node)
  const { batch, m, k, n, output } = product
  const starts = (shape: readonly number[], size: number) =>
    stridedOffsets(
      batch,
      broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * size),
    )
  const [aStarts, bStarts] = [starts(product.a, m * k), starts(product.b, k * n)]
  const data = new Float64Array(aStarts.length * m * n)
  aStarts.forEach((aAt, i) => {
    multiplyInto(data, [a.data, aAt, k, 1], [b.data, bStarts[i]!, n, 1], [m, k, n], i * m * n)
  })
  return { type: a.type, shape: output, data }
}

/** The last two dimensions exchanged. */
function turned(build: Builder, x: string): string {
  const rank = build.typeOf(x).shape.length
  const order = Array.from({ length: rank }, (_, axis) => axis)
  return build.transpose(x, [...order.slice(0, -2), rank - 1, rank - 2])
}

/** B̄ of a matrix B that every batch shares: one product of all rows, instead of one each that are then summed. */
function sharedGradient(build: Builder, a: string, yBar: string, { k, n }: Product): string {
  const rows = (x: string, columns: number) =>
    build.reshape(x, [elementCount(build.typeOf(x).shape.slice(0, -1)), columns])
  return build.node('MatMul', [turned(build, rows(a, k)), rows(yBar, n)])
}

const matMul: OperatorRule = {
  infer: (node) => [{ type: node.typeOf(0).type, shape: productOf(node).output }],
  evaluate: (node, [a, b]) => [evaluateProduct(node, a!, b!)],
  vjp(node, [cotangent], build, wanted) {
    if (!cotangent) return []
    const product = productOf(node)
    const yBar = build.reshape(cotangent, product.full)
    const a = build.reshape(node.inputs[0]!, product.a)
    const b = build.reshape(node.inputs[1]!, product.b)
    const byA = () => build.sumTo(build.node('MatMul', [yBar, turned(build, b)]), product.a)
    const byB = () =>
      product.b.length === 2 && product.a.length === product.full.length
        ? sharedGradient(build, a, yBar, product)
        : build.sumTo(build.node('MatMul', [turned(build, a), yBar]), product.b)
    return [
      wanted[0] ? build.reshape(byA(), node.typeOf(0).shape) : undefined,
      wanted[1] ? build.reshape(byB(), node.typeOf(1).shape) : undefined,
    ]
  },
  jvp(node, [da, db], build) {
    const [a, b] = node.inputs as [string, string]
    return [build.sum(da && build.node('MatMul', [da, b]), db && build.node('MatMul', [a, db]))]
  },
}

interface GemmProduct {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly transA: boolean
  readonly transB: boolean
  readonly alpha: number
  readonly beta: number
}

function gemmOf(node: NodeView): GemmProduct {
  const [a, b] = [node.typeOf(0).shape, node.typeOf(1).shape]
  if (a.length !== 2 || b.length !== 2)
    throw node.error(`it multiplies matrices, but has inputs [${a.join(', ')}] and [${b.join(', ')}]`)
  const [transA, transB] = [node.int('transA', 0) !== 0, node.int('transB', 0) !== 0]
  const [m, k] = transA ? [a[1]!, a[0]!] : [a[0]!, a[1]!]
  const [inner, n] = transB ? [b[1]!, b[0]!] : [b[0]!, b[1]!]
  if (inner !== k) throw node.error(`the inner sizes ${k} and ${inner} of its matrices differ`)
  if (node.inputs[2] !== undefined) {
    const bias = node.typeOf(2).shape
    const fits = bias.length <= 2 && broadcastShape(node, bias, [m, n]).join() === [m, n].join()
    if (!fits) throw node.error(`C of shape [${bias.join(', ')}] does not broadcast to [${m}, ${n}]`)
  }
  return { m, k, n, transA, transB, alpha: node.float('alpha', 1), beta: node.float('beta', 1) }
}

function gemmType(node: NodeView): ValueType {
  const { m, n } = gemmOf(node)
  return { type: node.typeOf(0).type, shape: [m, n] }
}

function evaluateGemm(node: NodeView, a: Values, b: Values, c: Values | undefined): Values {
  const { m, k, n, transA, transB, alpha, beta } = gemmOf(node)
  const data = new Float64Array(m * n)
  multiplyInto(
    data,
    [a.data, 0, ...(transA ? ([1, m] as const) : ([k, 1] as const))],
    [b.data, 0, ...(transB ? ([1, k] as const) : ([n, 1] as const))],
    [m, k, n],
  )
  const bias = c && pick(c.data, stridedOffsets([m, n], broadcastStrides(c.shape, [m, n])))
  return {
    type: a.type,
    shape: [m, n],
    data: data.map((value, i) => alpha * value + (bias ? beta * bias[i]! : 0)),
  }
}

/** α · a or aᵀ times b or bᵀ. */
function writeGemm(
  build: Builder,
  alpha: number,
  [a, transA]: readonly [string, boolean],
  [b, transB]: readonly [string, boolean],
): string {
  return build.node('Gemm', [a, b], {
    alpha: { float: alpha },
    transA: transA ? 1 : 0,
    transB: transB ? 1 : 0,
  })
}

function scaled(build: Builder, x: string, factor: number): string {
  return factor === 1 ? x : build.mul(x, build.scalar(factor, x))
}

const gemm: OperatorRule = {
  infer: (node) => [gemmType(node)],
  evaluate: (node, [a, b, c]) => [evaluateGemm(node, a!, b!, c)],
  vjp(node, [yBar], build, wanted) {
    if (!yBar) return []
    const { transA, transB, alpha, beta } = gemmOf(node)
    const [a, b] = node.inputs as [string, string]
    const byA = () =>
      transA
        ? writeGemm(build, alpha, [b, transB], [yBar, true])
        : writeGemm(build, alpha, [yBar, false], [b, !transB])
    const byB = () =>
      transB
        ? writeGemm(build, alpha, [yBar, true], [a, transA])
        : writeGemm(build, alpha, [a, !transA], [yBar, false])
    return [
      wanted[0] ? byA() : undefined,
      wanted[1] ? byB() : undefined,
      wanted[2] ? scaled(build, build.sumTo(yBar, node.typeOf(2).shape), beta) : undefined,
    ]
  },
  jvp(node, [da, db, dc], build) {
    const { transA, transB, alpha, beta } = gemmOf(node)
    const [a, b] = node.inputs as [string, string]
    const byA = da && writeGemm(build, alpha, [da, transA], [b, transB])
    const byB = db && writeGemm(build, alpha, [a, transA], [db, transB])
    const byC = dc && build.expand(scaled(build, dc, beta), node.outputType(0).shape)
    return [build.sum(build.sum(byA, byB), byC)]
  },
}

export const rules: OperatorRules = { MatMul: matMul, Gemm: gemm, Einsum: einsum }
