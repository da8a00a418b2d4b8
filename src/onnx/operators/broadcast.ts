/** Shapes and values under ONNX's (NumPy's) broadcasting: dimensions align at the end, length 1 repeats. */
import type { ElementType, Values } from '../graph'
import type { NodeView } from '../rule'
import { elementCount } from '../tensor'
import { stridedOffsets, stridesOf } from './strided'

/** The shape that all of these broadcast to. Errors: OnnxError where there is none. */
export function broadcastShape(node: NodeView, ...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  const out = Array.from({ length: rank }, () => 1)
  for (const shape of shapes) {
    shape.forEach((size, i) => {
      const at = i + rank - shape.length
      if (out[at] === 1) out[at] = size
      else if (size !== 1 && size !== out[at]) {
        const all = shapes.map((each) => `[${each.join(', ')}]`).join(' and ')
        throw node.error(`the shapes ${all} do not fit each other. Check the size of the input.`)
      }
    })
  }
  return out
}

/** Strides that read an array of `shape` as one of `target`, repeating dimensions of size 1 or missing in front. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const strides = stridesOf(shape)
  const missing = target.length - shape.length
  return target.map((_, i) => (i < missing || shape[i - missing] === 1 ? 0 : strides[i - missing]!))
}

/** f of broadcast values, element by element. */
export function mapBroadcast(
  node: NodeView,
  type: ElementType,
  inputs: readonly Values[],
  f: (...numbers: number[]) => number,
): Values {
  const shape = broadcastShape(node, ...inputs.map((values) => values.shape))
  const offsets = inputs.map((values) => stridedOffsets(shape, broadcastStrides(values.shape, shape)))
  const data = new Float64Array(elementCount(shape))
  const numbers = inputs.map(() => 0)
  for (let i = 0; i < data.length; i++) {
    for (let k = 0; k < inputs.length; k++) numbers[k] = inputs[k]!.data[offsets[k]![i]!]!
    data[i] = f(...numbers)
  }
  return { type, shape, data }
}
