import { describe, expect, it } from 'vitest'
import { createBuilder } from '../../../src/onnx/builder'
import { GraphDraft } from '../../../src/onnx/draft'
import type { AttributeValues, Builder } from '../../../src/onnx/rule'
import { checkRule, floats, integers, random } from '../checkRule'
import { checkBlock } from './checkFunction'
import type { FunctionCheck } from './checkFunction'

const list = (values: readonly number[]) => integers([values.length], values)

/** A draft with one input that is not known. */
function fold(write: (build: Builder, x: string) => string, shape: readonly number[] = [2, 3, 4, 6]) {
  const draft = new GraphDraft(17)
  const build = createBuilder(draft)
  const name = write(build, draft.addInput('x', { type: 'float32', shape }))
  return { draft, values: build.constantOf(name), type: draft.typeOf(name) }
}

describe('operators on shapes', () => {
  it('know sizes whatever the data', async () => {
    const expected: readonly (readonly [AttributeValues, readonly number[]])[] = [
      [{}, [2, 3, 5]],
      [{ start: 1 }, [3, 5]],
      [{ start: -2, end: -1 }, [3]],
      [{ end: 9 }, [2, 3, 5]],
      [{ start: 2, end: 1 }, []],
    ]
    const { values } = fold((build, x) => build.node('Size', [x]), [2, 3, 5])
    expect([...values!.data]).toEqual([30])
    for (const [attributes, sizes] of expected) {
      const { values } = fold((build, x) => build.node('Shape', [x], attributes), [2, 3, 5])
      expect([...values!.data]).toEqual(sizes)
    }
  })

  it('EyeLike has ones on one diagonal', async () => {
    for (const k of [0, 2, -1]) await checkRule('EyeLike', { inputs: [random([3, 4])], attributes: { k } })
  })
})

describe('Expand and Tile', () => {
  it('repeat, and sum in their adjoints', async () => {
    for (const target of [[2, 4, 3], [5, 2, 4, 3], [1], [3]]) {
      await checkRule('Expand', { inputs: [random([2, 1, 3]), list(target)], constants: [1] })
    }
    for (const repeats of [
      [1, 1, 1],
      [2, 1, 3],
      [3, 2, 1],
    ]) {
      await checkRule('Tile', { inputs: [random([2, 3, 2]), list(repeats)], constants: [1] })
    }
  })

  it('refuse a shape that does not fit', async () => {
    const check = { inputs: [random([2, 3]), list([2, 4])], constants: [1] }
    await expect(checkRule('Expand', check)).rejects.toThrow('[2, 3] and [2, 4] do not fit each other')
  })
})

describe('Concat and Split', () => {
  it('join and part along any axis', async () => {
    for (const axis of [1, -1]) {
      const inputs = [2, 1, 4].map((size, i) => random([2, 3, 3].with(axis, size), i + 1))
      await checkRule('Concat', { inputs, attributes: { axis } })
      await checkRule('Concat', { inputs, attributes: { axis }, wanted: [2] })
    }
    await checkRule('Split', { inputs: [random([2, 6])], attributes: { axis: 1 }, outputs: 3 })
    const uneven = [random([7, 2]), list([1, 4, 2])]
    await checkRule('Split', { inputs: uneven, constants: [1], outputs: 3 })
    const attributes = { axis: -1, num_outputs: 3 }
    await checkRule('Split', { inputs: [random([2, 8])], attributes, outputs: 3, opset: 18 })
  })

  it('refuse parts that do not fit', async () => {
    const inputs = [random([2, 3]), random([3, 3])]
    await expect(checkRule('Concat', { inputs, attributes: { axis: 1 } })).rejects.toThrow(
      'differ in more than dimension 1',
    )
    await expect(
      checkRule('Split', { inputs: [random([2, 7])], attributes: { axis: 1 }, outputs: 3 }),
    ).rejects.toThrow('do not part into 3 equal outputs')
  })
})

describe('selection', () => {
  it('Where sums over what was broadcast', async () => {
    const condition = { type: 'bool', shape: [3, 1], data: Float64Array.of(1, 0, 1) } as const
    await checkRule('Where', { inputs: [condition, random([2, 1, 4]), random([3, 4], 2)] })
    await checkRule('Where', { inputs: [condition, random([], 3), random([2, 3, 4], 2)], wanted: [1] })
    await checkRule('Where', { inputs: [condition, random([4], 3), random([2, 3, 4], 2)], wanted: [1] })
  })

  it('TopK orders entries, and has no derivative', async () => {
    const inputs = [floats([2, 4], [1, 3, 3, 2, 0, -1, 5, -1]), list([3])]
    for (const attributes of [{ largest: 1 }, { largest: 0 }]) {
      for (const output of [0, 1]) {
        const define: FunctionCheck['define'] = (build, names) =>
          build.nodes('TopK', names, 2, attributes)[output]!
        await checkBlock({ inputs, constants: [1], wanted: [], define })
      }
    }
    await expect(checkRule('TopK', { inputs, constants: [1], outputs: 2 })).rejects.toThrow(
      'No derivative is known',
    )
  })
})

describe("PyTorch's integer arithmetic on shapes", () => {
  it('Shape → Gather → Mul → Unsqueeze → Concat → Reshape leaves the Reshape', () => {
    const { draft, type } = fold((build, x) => {
      const size = (i: number) =>
        build.node('Gather', [build.node('Shape', [x]), build.constant('int64', [], [i])], { axis: 0 })
      const one = (value: string) => build.node('Unsqueeze', [value, build.integers([0])])
      const rows = build.mul(size(0), size(1))
      return build.node('Reshape', [x, build.concat([one(rows), one(size(-1)), build.integers([-1])], 0)])
    })
    expect(type.shape).toEqual([6, 6, 4])
    expect(draft.nodes.map((node) => node.op)).toEqual(['Reshape'])
  })

  it('expand of -1, as torch.expand writes it, is known', () => {
    const { values } = fold((build, x) => {
      const wanted = build.integers([-1, 5, 4, 6])
      const isKept = build.node('Equal', [wanted, build.integers([-1, -1, -1, -1])])
      const ones = build.node('ConstantOfShape', [build.integers([4])], {
        value: { tensor: { type: 'int64', shape: [1], bytes: new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]) } },
      })
      const kept = build.node('Shape', [x], { end: 1 })
      return build.node('Where', [isKept, build.mul(ones, kept), wanted])
    })
    expect([...values!.data]).toEqual([2, 5, 4, 6])
  })

  it('Slice of a shape, Range and NonZero are known', () => {
    const { values } = fold((build, x) => {
      const [height] = build.nodes(
        'Split',
        [build.slice(build.node('Shape', [x]), [2], [Infinity], [0])],
        2,
        { axis: 0 },
      )
      const scalar = build.node('Squeeze', [height, build.integers([0])])
      const range = build.node('Range', [
        build.constant('int64', [], [0]),
        scalar,
        build.constant('int64', [], [1]),
      ])
      return build.node('NonZero', [range])
    })
    expect(values?.shape).toEqual([1, 3])
    expect([...values!.data]).toEqual([1, 2, 3])
  })

  it('a causal mask by Trilu, ConstantOfShape and Where is known', () => {
    const { values } = fold((build, x) => {
      const square = build.concat(
        [build.slice(build.node('Shape', [x]), [1], [2], [0]), build.integers([3])],
        0,
      )
      const ones = build.node('ConstantOfShape', [square], {
        value: { tensor: { type: 'float32', shape: [1], bytes: new Uint8Array([0, 0, 128, 63]) } },
      })
      const lower = build.cast(build.node('Trilu', [ones], { upper: 0 }), 'bool')
      return build.node('Where', [lower, build.scalar(0, ones), build.scalar(-Infinity, ones)])
    })
    const hidden = -Infinity
    expect([...values!.data]).toEqual([0, hidden, hidden, 0, 0, hidden, 0, 0, 0])
  })
})
