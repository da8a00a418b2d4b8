/**
 * Observations from a person's own file: pairs (A_i, y_i) with A_i in R^{m×n}.
 *
 *     CSV           a row per pair: the m·n entries of A row by row, then the m entries of y; a header is optional
 *     JSON          { "A": [[[…], …], …], "y": [[…], …] }
 *     safetensors   tensors A [N, m, n] and y [N, m]
 */
import { readCsv } from '../../math/csv'
import { readSafetensors, type Tensor } from '../../math/safetensors'
import type { Observations } from '../../diffusion/types'

/** The file is not what it should be; the message says where and what would be. */
export class ObservationsFileError extends Error {
  override readonly name = 'ObservationsFileError'
}

export type Pairs = Omit<Observations, 'sigmaY'>

/**
 * Reads pairs from a file's bytes. A CSV's m and n follow from its header (A11 …, y1 …), or from `expected` where it has none.
 * Errors: ObservationsFileError.
 */
export function readObservations(
  name: string,
  bytes: Uint8Array,
  expected: { readonly features: number; readonly observed: number },
): Pairs {
  try {
    const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
    if (extension === 'safetensors') return fromTensors(bytes)
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (extension === 'json') return fromJson(text)
    if (extension === 'csv' || extension === 'txt' || extension === 'tsv')
      return fromCsv(text.replaceAll('\t', ','), expected)
  } catch (cause) {
    if (cause instanceof ObservationsFileError) throw cause
    throw new ObservationsFileError(
      `${name} could not be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
  throw new ObservationsFileError(
    `${name} has none of the endings .csv, .json or .safetensors that tell its format.`,
  )
}

function fromCsv(text: string, expected: { readonly features: number; readonly observed: number }): Pairs {
  const table = readCsv(text)
  let { observed, features } = expected
  if (table.header) {
    observed = table.header.filter((column) => /^\s*y/i.test(column)).length
    features = observed > 0 ? (table.columns - observed) / observed : Number.NaN
    if (!Number.isInteger(features)) {
      throw new ObservationsFileError(
        `The header has ${observed} columns named y… of ${table.columns}: a row needs the m·n entries of A, then the m entries of y.`,
      )
    }
  } else if (table.columns !== observed * (features + 1)) {
    throw new ObservationsFileError(
      `Rows have ${table.columns} numbers, but m = ${observed} and n = ${features} need ${observed * (features + 1)} (A row by row, then y). Set m and n first, or add a header A11,A12,…,y1,….`,
    )
  }
  const count = table.values.length / table.columns
  const A = new Float32Array(count * observed * features)
  const y = new Float32Array(count * observed)
  for (let i = 0; i < count; i++) {
    const row = table.values.subarray(i * table.columns, (i + 1) * table.columns)
    A.set(row.subarray(0, observed * features), i * observed * features)
    y.set(row.subarray(observed * features), i * observed)
  }
  return checked(A, y, [count, observed, features], [count, observed])
}

function fromJson(text: string): Pairs {
  const content: unknown = JSON.parse(text)
  if (typeof content !== 'object' || content === null || !('A' in content) || !('y' in content)) {
    throw new ObservationsFileError(
      'The JSON needs two members: "A" with shape [N, m, n] and "y" with shape [N, m].',
    )
  }
  const A = flatten(content.A, 'A', 3)
  const y = flatten(content.y, 'y', 2)
  return checked(Float32Array.from(A.data), Float32Array.from(y.data), A.shape, y.shape)
}

function flatten(value: unknown, name: string, depth: number): { shape: number[]; data: number[] } {
  const shape: number[] = []
  for (let level = value, d = 0; d < depth; d++, level = (level as unknown[])[0]) {
    if (!Array.isArray(level) || level.length === 0) {
      throw new ObservationsFileError(
        `"${name}" has to be an array nested ${depth} deep, none of its arrays empty.`,
      )
    }
    shape.push(level.length)
  }
  const data: number[] = []
  const visit = (part: unknown, d: number): void => {
    if (d === depth) {
      if (typeof part !== 'number')
        throw new ObservationsFileError(`"${name}" holds ${JSON.stringify(part)} where a number belongs.`)
      data.push(part)
    } else if (Array.isArray(part) && part.length === shape[d]) {
      for (const inner of part) visit(inner, d + 1)
    } else {
      throw new ObservationsFileError(
        `"${name}" is ragged: arrays at depth ${d + 1} do not all have length ${shape[d]}.`,
      )
    }
  }
  visit(value, 0)
  return { shape, data }
}

function fromTensors(bytes: Uint8Array): Pairs {
  const { tensors } = readSafetensors(bytes)
  const find = (name: string): Tensor => {
    const tensor = tensors.get(name)
    if (!tensor) {
      throw new ObservationsFileError(
        `No tensor "${name}"; the file has: ${[...tensors.keys()].slice(0, 8).join(', ') || 'none'}.`,
      )
    }
    return tensor
  }
  const [A, y] = [find('A'), find('y')]
  return checked(toFloat32(A, 'A'), toFloat32(y, 'y'), A.shape, y.shape)
}

function toFloat32({ data, dtype }: Tensor, name: string): Float32Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return Float32Array.from(data)
  throw new ObservationsFileError(`Tensor "${name}" has type ${dtype}; save it as F32 or F64.`)
}

/** Applies the limits that every format shares. */
function checked(
  A: Float32Array,
  y: Float32Array,
  shapeA: readonly number[],
  shapeY: readonly number[],
): Pairs {
  const [count, observed, features] = shapeA
  if (shapeA.length !== 3 || shapeY.length !== 2 || shapeY[0] !== count || shapeY[1] !== observed) {
    throw new ObservationsFileError(
      `A has shape [${shapeA.join(', ')}] and y [${shapeY.join(', ')}]; they have to be [N, m, n] and [N, m].`,
    )
  }
  if (features! < 2 || features! > 8 || observed! < 1 || observed! > features!) {
    throw new ObservationsFileError(`n = ${features} and m = ${observed}: n has to be 2 to 8, and m 1 to n.`)
  }
  if (count! < 64 || count! > 1_048_576) {
    throw new ObservationsFileError(`The file has ${count} pairs; between 64 and 1,048,576 can be used.`)
  }
  const findBad = (values: Float32Array) => values.findIndex((value) => !Number.isFinite(value))
  const badA = findBad(A)
  const badY = findBad(y)
  if (badA >= 0 || badY >= 0) {
    const pair = Math.floor(badA >= 0 ? badA / (observed! * features!) : badY / observed!)
    throw new ObservationsFileError(`Pair ${pair + 1} holds a value that is not a finite number.`)
  }
  return { count: count!, observed: observed!, features: features!, A, y }
}
