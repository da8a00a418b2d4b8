/** Tables of numbers as CSV (RFC 4180 without quoting): an optional header line, then one row a line. */

export interface CsvTable {
  /** Column names, where the first line is not made of numbers. */
  readonly header?: readonly string[]
  readonly columns: number
  /** [rows, columns]. */
  readonly values: Float64Array
}

/** The text is not a table of numbers; the message gives the line. */
export class CsvError extends Error {
  override readonly name = 'CsvError'
}

/** values [rows, header.length]; numbers are written so that float32 reads back exactly. */
export function writeCsv(header: readonly string[], values: Float32Array | Float64Array): string {
  const columns = header.length
  if (values.length % columns !== 0) {
    throw new CsvError(`${values.length} values do not fill rows of ${columns} columns.`)
  }
  const digits = values instanceof Float32Array ? 9 : 17
  const lines = [header.join(',')]
  for (let i = 0; i < values.length; i += columns) {
    lines.push(Array.from(values.subarray(i, i + columns), (value) => shortest(value, digits)).join(','))
  }
  return lines.join('\n') + '\n'
}

function shortest(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)))
}

/** Reads numbers separated by commas, semicolons or tabs. Error: CsvError for ragged rows and text. */
export function readCsv(text: string): CsvTable {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  let header: string[] | undefined
  let columns = 0
  const values: number[] = []
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const cells = line.split(/[,;\t]/).map((cell) => cell.trim())
    const numbers = cells.map((cell) => (cell === '' ? NaN : Number(cell)))
    if (columns === 0) {
      columns = cells.length
      if (numbers.every(Number.isNaN)) {
        header = cells.map((cell) => cell.replace(/^"(.*)"$/, '$1'))
        continue
      }
    }
    if (cells.length !== columns) {
      throw new CsvError(`Line ${index + 1} has ${cells.length} columns, the lines before have ${columns}.`)
    }
    const bad = numbers.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) throw new CsvError(`Line ${index + 1}, column ${bad + 1}: "${cells[bad]}" is not a number.`)
    for (const value of numbers) values.push(value)
  }
  if (values.length === 0) throw new CsvError('The file contains no numbers.')
  return { header, columns, values: Float64Array.from(values) }
}
