/** Reductions, normalisations, attention, shapes and slices on ONNX Runtime's WebGPU provider. */
import { it } from 'vitest'
import { floats, integers, random } from '../onnx/checkRule'
import { type Case, openRuleChecks } from './onnxCases'

const check = await openRuleChecks()

/** Relative, in norm. */
const TOLERANCE = 1e-6

const list = (...values: readonly number[]) => integers([values.length], values)
const ones = (size: number) => floats([size], new Float64Array(size).fill(1))
const x = random([2, 3, 5], 7, 0.25, 2)
const scale = random([6], 2, 0.5, 2)
const bias = random([6], 3)
const parameters = [1, 2, 3, 4]

const REDUCTIONS: readonly Case[] = [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
].flatMap((op) => [
  { op, inputs: [x, list(1)], attributes: { keepdims: 0 } },
  { op, inputs: [x, list(0, 2)] },
])

const CASES: readonly Case[] = [
  ...REDUCTIONS,
  { op: 'ReduceLogSumExp', inputs: [floats([2, 3], [200, 201, 199.5, -300, -299, -310]), list(1)] },
  { op: 'CumSum', inputs: [x, integers([], [1])], attributes: { exclusive: 1 } },
  {
    op: 'InstanceNormalization',
    inputs: [random([2, 6, 7]), ones(6), floats([6], new Float64Array(6))],
    constants: parameters,
  },
  { op: 'InstanceNormalization', inputs: [random([2, 6, 4, 5]), scale, bias], constants: parameters },
  {
    op: 'GroupNormalization',
    inputs: [random([2, 6, 3, 5]), scale, bias],
    attributes: { num_groups: 2 },
    constants: parameters,
  },
  { op: 'LayerNormalization', inputs: [random([2, 3, 6]), scale, bias], constants: parameters },
  { op: 'LayerNormalization', inputs: [random([2, 3, 6]), scale, bias] },
  { op: 'LayerNormalization', inputs: [random([2, 3, 6]), ones(6)], constants: parameters },
  { op: 'RMSNormalization', inputs: [random([2, 3, 6]), scale], constants: parameters },
  {
    op: 'BatchNormalization',
    inputs: [random([2, 6, 3, 3]), scale, bias, bias, scale],
    constants: parameters,
  },
  { op: 'LpNormalization', inputs: [random([2, 6])], attributes: { p: 1 } },
  { op: 'MeanVarianceNormalization', inputs: [random([2, 3, 4, 5])] },
  { op: 'Softmax', inputs: [x], attributes: { axis: 1 } },
  { op: 'Softmax', inputs: [x] },
  { op: 'LogSoftmax', inputs: [x], attributes: { axis: 1 } },
  {
    op: 'Attention',
    inputs: [random([2, 4, 3, 6]), random([2, 2, 5, 6], 2), random([2, 2, 5, 3], 3)],
    attributes: { is_causal: 1 },
  },
  { op: 'Expand', inputs: [random([2, 1, 3]), list(5, 2, 4, 3)] },
  { op: 'Tile', inputs: [x, list(2, 1, 3)] },
  { op: 'Concat', inputs: [x, random([2, 1, 5]), x], attributes: { axis: 1 } },
  { op: 'Split', inputs: [x, list(1, 3, 1)], attributes: { axis: 2 }, outputs: 3 },
  { op: 'Slice', inputs: [x, list(1), list(3), list(2)] },
  { op: 'Slice', inputs: [x, list(0, -1), list(99, -99), list(1, 2), list(2, -2)] },
  { op: 'Gather', inputs: [x, list(0, 0, 2)], attributes: { axis: 1 } },
  { op: 'Gather', inputs: [x, list(4, 0, 1, 3, 2)], attributes: { axis: 2 } },
  {
    op: 'GatherElements',
    inputs: [random([3, 4]), integers([2, 3], [0, 2, -1, 1, 1, 1])],
    attributes: { axis: 1 },
  },
  { op: 'GatherND', inputs: [random([2, 3, 4]), integers([3, 2], [0, 1, 1, -1, 0, 1])] },
  {
    op: 'ScatterElements',
    inputs: [random([2, 4]), integers([2, 3], [0, 2, 3, -1, 1, 0]), random([2, 3], 9)],
    attributes: { axis: 1 },
  },
  {
    op: 'ScatterND',
    inputs: [random([3, 4, 2]), integers([2, 1], [2, 2]), random([2, 4, 2], 5)],
    attributes: { reduction: 'add' },
  },
  { op: 'Trilu', inputs: [random([2, 3, 4])] },
  {
    op: 'Where',
    inputs: [
      { type: 'bool', shape: [3, 1], data: Float64Array.of(1, 0, 1) },
      random([2, 1, 4]),
      random([3, 4], 2),
    ],
  },
]

it('reductions, normalisations, attention, shapes and slices stay on the GPU and are right to 1e-6', () =>
  check(CASES, TOLERANCE))
