/** Shapes and values under ONNX's (NumPy's) broadcasting: dimensions align at the end, length 1 repeats. */
import type { ElementType, Values } from '../graph'
import type { NodeView } from '../rule'

/** The shape that shapes broadcast to. Errors: OnnxError where they do not. */
export function broadcastShape(node: NodeView, shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1
      if (own === 1 || own === size) continue
      if (size !== 1) {
        const listed = shapes.map((each) => `[${each.join(', ')}]`).join(' and ')
        throw node.error(`the shapes ${listed} do not fit each other. Check the size of the input.`)
      }
      size = own
    }
    return size
  })
}

/** f of broadcast values, element by element. */
export function mapBroadcast(
  node: NodeView,
  type: ElementType,
  inputs: readonly Values[],
  f: (...numbers: number[]) => number,
): Values {
  const shape = broadcastShape(
    node,
    inputs.map((values) => values.shape),
  )
  const size = shape.reduce((product, length) => product * length, 1)
  const data = new Float64Array(size)
  const strides = inputs.map((values) => broadcastStrides(values.shape, shape))
  const numbers = inputs.map(() => 0)
  const index = new Int32Array(shape.length)
  const offsets = inputs.map(() => 0)
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < inputs.length; k++) numbers[k] = inputs[k]!.data[offsets[k] as number] as number
    data[i] = f(...numbers)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] as number
      const next = ((index[axis] as number) + 1) % length
      index[axis] = next
      const moved = next === 0 ? 1 - length : 1
      for (let k = 0; k < inputs.length; k++)
        offsets[k] = (offsets[k] as number) + moved * (strides[k]![axis] as number)
      if (next !== 0) break
    }
  }
  return { type, shape, data }
}

function broadcastStrides(from: readonly number[], to: readonly number[]): readonly number[] {
  const strides = to.map(() => 0)
  let stride = 1
  for (let axis = from.length - 1; axis >= 0; axis--) {
    const length = from[axis] as number
    if (length !== 1) strides[axis + to.length - from.length] = stride
    stride *= length
  }
  return strides
}
