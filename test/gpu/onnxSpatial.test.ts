/** Convolutions, pooling, resizing, padding, products and rearrangements: the forms in which WebGPU providers go wrong. */
import { it } from 'vitest'
import { floats, integers, random } from '../onnx/checkRule'
import { type Case, openRuleChecks } from './onnxCases'

const check = await openRuleChecks()

/** Relative, in norm. */
const TOLERANCE = 3e-6

const list = (...values: readonly number[]) => integers([values.length], values)

/** Input, weights and a bias, all variables. */
function convolution(
  op: 'Conv' | 'ConvTranspose',
  x: readonly number[],
  w: readonly number[],
  attributes: Case['attributes'] & { readonly group?: number } = {},
): Case {
  const channels = op === 'Conv' ? w[0]! : w[1]! * (attributes.group ?? 1)
  return { op, inputs: [random(x, 1), random(w, 2), random([channels], 3)], attributes }
}

const around = [1, 1, 1, 1]

const CONVOLUTIONS: readonly Case[] = [
  convolution('Conv', [2, 3, 9, 8], [5, 3, 3, 2], {
    strides: [2, 3],
    dilations: [2, 1],
    pads: [0, 1, 2, 1],
  }),
  convolution('Conv', [1, 2, 10, 11], [3, 2, 2, 2], { strides: [4, 3], dilations: [1, 2] }),
  convolution('Conv', [1, 1, 8, 8], [32, 1, 3, 3], { pads: around }),
  convolution('Conv', [2, 4, 5, 5], [10, 2, 3, 3], { group: 2, strides: [2, 2], pads: around }),
  convolution('Conv', [1, 12, 5, 5], [12, 6, 3, 3], { group: 2, pads: around }),
  convolution('Conv', [2, 6, 5, 7], [8, 6, 3, 3], { strides: [2, 1], pads: around }),
  convolution('Conv', [1, 9, 11], [4, 9, 3], { pads: [1, 1] }),
  convolution('Conv', [2, 8, 7, 6], [8, 1, 3, 3], { group: 8, pads: around }),
  convolution('Conv', [2, 3, 7, 6], [6, 1, 3, 3], { group: 3, dilations: [2, 2], pads: [2, 2, 2, 2] }),
  convolution('Conv', [1, 2, 6, 7], [3, 2, 3, 4], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  convolution('Conv', [1, 2, 6, 7], [3, 2, 4, 3], { auto_pad: 'SAME_LOWER', strides: [2, 3] }),
  convolution('Conv', [2, 6, 9], [10, 3, 3], { group: 2, pads: [1, 1] }),
  convolution('ConvTranspose', [2, 3, 3, 4], [3, 2, 4, 3], {
    strides: [2, 3],
    pads: [1, 0, 1, 1],
    output_padding: [1, 2],
  }),
  convolution('ConvTranspose', [1, 2, 3, 4], [2, 3, 2, 3], {
    strides: [2, 1],
    dilations: [3, 2],
    pads: [0, 0, 1, 1],
    output_padding: [2, 1],
  }),
  convolution('ConvTranspose', [2, 10, 3, 4], [10, 2, 3, 3], { group: 2, strides: [2, 2], pads: around }),
  convolution('ConvTranspose', [2, 8, 3, 4], [8, 1, 3, 3], { group: 2, strides: [2, 2], pads: around }),
  convolution('ConvTranspose', [1, 2, 4, 5], [2, 3, 3, 4], { strides: [2, 1], auto_pad: 'SAME_UPPER' }),
  convolution('ConvTranspose', [2, 3, 5], [3, 2, 4], { strides: [2], pads: [1, 1] }),
]

const POOLS: readonly Case[] = (
  [
    [[2, 3, 6, 4], { kernel_shape: [2, 2], strides: [2, 2] }],
    [[2, 3, 7, 6], { kernel_shape: [3, 3], strides: [2, 1], pads: around }],
    [[1, 2, 5, 6], { kernel_shape: [2, 3], strides: [3, 3], pads: around, ceil_mode: 1 }],
    [[1, 2, 6, 7], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
    [[1, 2, 7, 8], { kernel_shape: [2, 3], dilations: [2, 2], strides: [1, 2], pads: around }],
  ] as const
).flatMap(([shape, attributes]) => [
  { op: 'MaxPool', inputs: [random(shape)], attributes },
  { op: 'AveragePool', inputs: [random(shape)], attributes },
])

const RESIZES: readonly Case[] = [
  ...[
    { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    { mode: 'nearest', coordinate_transformation_mode: 'half_pixel' },
    { mode: 'linear', coordinate_transformation_mode: 'half_pixel' },
    { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    { mode: 'cubic', coordinate_transformation_mode: 'pytorch_half_pixel' },
  ].map((attributes) => ({
    op: 'Resize',
    inputs: [random([2, 3, 5, 4]), undefined, floats([4], [1, 1, 2, 3])],
    constants: [2],
    attributes,
  })),
  ...['nearest', 'linear'].map((mode) => ({
    op: 'Resize',
    inputs: [random([1, 2, 5, 4]), undefined, undefined, list(1, 2, 7, 3)],
    constants: [3],
    attributes: { mode },
  })),
  {
    op: 'Resize',
    inputs: [random([1, 2, 9, 10]), undefined, undefined, list(1, 2, 4, 5)],
    constants: [3],
    attributes: { mode: 'cubic', antialias: 1 },
  },
]

const OTHERS: readonly Case[] = [
  ...['constant', 'edge', 'reflect', 'wrap'].map((mode) => ({
    op: 'Pad',
    inputs: [random([2, 3, 5, 4]), list(0, 0, -1, 2, 0, 0, 2, -1)],
    attributes: { mode },
  })),
  { op: 'MatMul', inputs: [random([2, 1, 3, 4], 1), random([5, 4, 2], 2)] },
  { op: 'MatMul', inputs: [random([2, 3, 4], 1), random([4, 5], 2)] },
  {
    op: 'Gemm',
    inputs: [random([4, 3], 1), random([5, 4], 2), random([5], 3)],
    attributes: { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
  },
  {
    op: 'Einsum',
    inputs: [random([2, 3, 4, 5], 1), random([2, 5, 3, 2], 2)],
    attributes: { equation: 'bhqk,bkhd->bqhd' },
  },
  { op: 'GlobalAveragePool', inputs: [random([2, 3, 4, 5])] },
  { op: 'GlobalMaxPool', inputs: [random([2, 3, 4, 5])] },
  { op: 'SpaceToDepth', inputs: [random([2, 3, 6, 9])], attributes: { blocksize: 3 } },
  { op: 'DepthToSpace', inputs: [random([2, 12, 3, 2])], attributes: { blocksize: 2, mode: 'CRD' } },
]

it('convolutions, transposed ones, and their derivatives by input, weights and bias', () =>
  check(CONVOLUTIONS, TOLERANCE))

it('pooling and resizing, and their derivatives', () => check([...POOLS, ...RESIZES], TOLERANCE))

it('padding, products and rearrangements, and their derivatives', () => check(OTHERS, TOLERANCE))
