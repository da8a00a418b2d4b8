/**
 * Matrices that multiply one axis of an image. A complex one is written in real numbers,
 *
 *     [re out]   [Re M  -Im M] [re in]
 *     [im out] = [Im M   Re M] [im in]
 *
 * so that its transpose is the adjoint; a real input leaves out the second column, a real output the second row.
 */

export interface AxisMatrix {
  readonly rows: number
  readonly columns: number
  /** 1 (real) or 2 (real and imaginary part) of what comes out. */
  readonly rowParts: number
  /** 1 or 2 of what goes in. */
  readonly columnParts: number
  /** [rowParts, rows, columnParts, columns]. */
  readonly data: Float64Array
}

export function realMatrix(
  rows: number,
  columns: number,
  entry: (row: number, column: number) => number,
): AxisMatrix {
  const data = Float64Array.from({ length: rows * columns }, (_, i) =>
    entry(Math.floor(i / columns), i % columns),
  )
  return { rows, columns, rowParts: 1, columnParts: 1, data }
}

/** exp(i phase) · scale at (row, column), as a map from real numbers (`columnParts` 1) or complex ones (2). */
export function phaseMatrix(
  rows: number,
  columns: number,
  columnParts: 1 | 2,
  scale: number,
  phase: (row: number, column: number) => number,
): AxisMatrix {
  const data = new Float64Array(2 * rows * columnParts * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const angle = phase(row, column)
      const [re, im] = [scale * Math.cos(angle), scale * Math.sin(angle)]
      const real = row * columnParts * columns + column
      const imaginary = real + rows * columnParts * columns
      data[real] = re
      data[imaginary] = im
      if (columnParts === 2) {
        data[real + columns] = -im
        data[imaginary + columns] = re
      }
    }
  }
  return { rows, columns, rowParts: 2, columnParts, data }
}

export function transposed({ rows, columns, rowParts, columnParts, data }: AxisMatrix): AxisMatrix {
  const [height, width] = [rowParts * rows, columnParts * columns]
  const out = new Float64Array(data.length)
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) out[j * height + i] = data[i * width + j]!
  }
  return { rows: columns, columns: rows, rowParts: columnParts, columnParts: rowParts, data: out }
}

/** First column and the one after the last that are not zero in any part, of every row: [rowParts, rows, 2]. */
export function nonzeroBands({ rows, columns, rowParts, columnParts, data }: AxisMatrix): Uint32Array {
  const bands = new Uint32Array(rowParts * rows * 2)
  for (let row = 0; row < rowParts * rows; row++) {
    let [first, end] = [columns, 0]
    for (let i = 0; i < columnParts * columns; i++) {
      if (data[row * columnParts * columns + i] === 0) continue
      first = Math.min(first, i % columns)
      end = Math.max(end, (i % columns) + 1)
    }
    bands[2 * row] = Math.min(first, end)
    bands[2 * row + 1] = end
  }
  return bands
}
