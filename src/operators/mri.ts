/**
 * Magnetic resonance imaging: the orthonormal 2-D Fourier transform of each channel, of which some columns are measured,
 *
 *     y[k, l] = columns[l] / √(h w) Σ_{i, j} x[i, j] exp(-2πi (k i / h + l j / w)),
 *
 * real and imaginary part as channels of their own; frequency 0 is row and column 0. As products with the matrices of
 * both transforms it is exact for every size, and columns that are not measured cost nothing.
 */
import { phaseMatrix, realMatrix } from './axisMatrix'
import type { ImagePrimitives } from './primitives'
import { sequence } from './sequence'
import type { DescriptionOf, ImageShape, MeasuredMap } from './types'

/** Error: RangeError where `columns` has another length than the width, or none is measured. */
export function createMri(
  { columns }: DescriptionOf<'mri'>,
  shape: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): MeasuredMap {
  const { channels, height, width } = shape
  if (columns.length !== width) {
    throw new RangeError(
      `The mask of columns has ${columns.length} entries, but the image has ${width} columns: give one a column.`,
    )
  }
  const kept = [...columns.keys()].filter((column) => columns[column] !== 0)
  if (kept.length === 0) {
    throw new RangeError('No column of k-space is measured: lower the acceleration or widen the centre.')
  }
  const outer = batch * channels
  const alongRows = phaseMatrix(kept.length, width, 1, width ** -0.5, phases(width, kept))
  const alongColumns = phaseMatrix(height, height, 2, height ** -0.5, phases(height))
  const placed = realMatrix(width, kept.length, (column, i) => (kept[i] === column ? 1 : 0))
  const between = channels * 2 * height * kept.length
  return {
    map: sequence(
      primitives.space,
      batch,
      [
        primitives.product('MRI along rows', alongRows, { outer, before: height, after: 1 }),
        primitives.product('MRI along columns', alongColumns, { outer, before: 1, after: kept.length }),
        primitives.product('MRI columns in place', placed, { outer: 2 * outer, before: height, after: 1 }),
      ],
      [between, between],
    ),
    output: { channels: 2 * channels, height, width },
    observed: between,
  }
}

/** -2π k i / n, reduced to one turn in integers first; row r stands for frequency `frequencies[r]`, or r. */
function phases(n: number, frequencies?: readonly number[]) {
  return (row: number, i: number) => (-2 * Math.PI * (((frequencies?.[row] ?? row) * i) % n)) / n
}
