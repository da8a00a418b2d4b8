import { describe, expect, it } from 'vitest'
import { readObservations } from '../../src/experiments/manifold/observationsFile'
import { writeSafetensors } from '../../src/math/safetensors'

const expected = { features: 3, observed: 1 }
const bytes = (text: string) => new TextEncoder().encode(text)
const rows = Array.from({ length: 64 }, (_, i) => [i, 0.5, -1, i / 2])
const csv = rows.map((row) => row.join(',')).join('\n')

describe('a file of (A, y) pairs', () => {
  it('is the same as CSV, JSON and safetensors', () => {
    const A = rows.map((row) => [row.slice(0, 3)])
    const y = rows.map((row) => [row[3]])
    const tensors = writeSafetensors([
      ['A', { shape: [64, 1, 3], data: Float32Array.from(A.flat(2)) }],
      ['y', { shape: [64, 1], data: Float64Array.from(y.flat() as number[]) }],
    ])
    const fromCsv = readObservations('pairs.csv', bytes(csv), expected)
    expect(fromCsv).toMatchObject({ count: 64, observed: 1, features: 3 })
    expect(fromCsv.A.subarray(0, 6)).toEqual(Float32Array.of(0, 0.5, -1, 1, 0.5, -1))
    expect(readObservations('pairs.json', bytes(JSON.stringify({ A, y })), expected)).toEqual(fromCsv)
    expect(readObservations('pairs.safetensors', tensors, expected)).toEqual(fromCsv)
    const header = 'A11,A12,A13,y1\n'
    expect(readObservations('pairs.csv', bytes(header + csv), { features: 8, observed: 4 })).toEqual(fromCsv)
  })

  it.each([
    ['pairs.csv', csv.replace('0.5', 'half'), /half|line|number/i],
    ['pairs.csv', csv.split('\n').slice(0, 9).join('\n'), /9 pairs/],
    ['pairs.csv', rows.map((row) => row.slice(1).join(',')).join('\n'), /need 4/],
    ['pairs.json', '{"A": [[[1]]]}', /"A".*"y"/],
    ['pairs.json', '{"A": [[[1, 2]]], "y": [[1], [2]]}', /shape/],
    ['pairs.json', '{', /could not be read/],
    ['pairs.safetensors', 'nonsense', /could not be read/],
    ['pairs.xlsx', '', /\.csv, \.json or \.safetensors/],
  ])('refuses %s that is not right, saying why', (name, text, message) => {
    expect(() => readObservations(name, bytes(text), expected)).toThrow(message)
  })

  it('names the pair that holds no number', () => {
    const A = rows.map((row) => [row.slice(0, 3)])
    const y = rows.map((row, i) => [i === 5 ? 1e300 : row[3]])
    expect(() => readObservations('p.json', bytes(JSON.stringify({ A, y })), expected)).toThrow('Pair 6')
  })
})
