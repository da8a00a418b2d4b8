import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePng, encodePng } from '../../src/cli/png'

test('A written PNG reads back to the byte, alpha included', () => {
  const size = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(size, size, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (width, height, bytes) => {
      const data = Uint8ClampedArray.from(bytes.take(4 * width * height))
      expect(decodePng(encodePng({ width, height, data }))).toEqual({ width, height, data })
    }),
    { numRuns: 30 },
  )
})

/** 3 × 5 RGB pixels, a row of each filter, in two IDAT chunks; made by a few lines of Python after the standard. */
const FILTERED =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAAFCAIAAAAPE8H1AAAAFElEQVR4nGNgYPjPfeKX2ISvjKoiD7lP/Hwhzq0AAAAdSURBVAYiJlWbRxDE7NXjIiH2XmLaexbVnkcQWQAL/hX0dtmRxgAAAABJRU5ErkJggg=='
const pixel = (i: number, j: number) => [
  (i * 37 + j * 11) % 256,
  (i * i * 20 + 200 * j) % 256,
  255 - 30 * i - 5 * j,
  255,
]

test('Filtered rows, gray and RGB files of other programs are read', async () => {
  const decoded = decodePng(Buffer.from(FILTERED, 'base64'))
  expect(decoded).toMatchObject({ width: 3, height: 5 })
  const expected = Array.from({ length: 15 }, (_, i) => pixel(Math.floor(i / 3), i % 3)).flat()
  expect(Array.from(decoded!.data)).toEqual(expected)
  const gray = decodePng(await readFile('public/images/fashion-dress.png'))!
  expect(gray).toMatchObject({ width: 32, height: 32 })
  expect(gray.data.filter((value, i) => i % 4 === 3 && value !== 255)).toHaveLength(0)
})

test('What is damaged, or of another kind, is left to a browser', async () => {
  const png = encodePng({ width: 2, height: 1, data: new Uint8ClampedArray(8).fill(7) })
  const changed = (at: number) => Uint8Array.from(png, (byte, i) => (i === at ? byte ^ 1 : byte))
  expect(decodePng(png)).toBeDefined()
  // signature, a width that its checksum denies, compressed rows
  for (const at of [1, 19, 45]) expect(decodePng(changed(at))).toBeUndefined()
  for (const length of [0, 8, 20, png.length - 1]) expect(decodePng(png.subarray(0, length))).toBeUndefined()
  expect(decodePng(await readFile('public/images/windmill.jpg'))).toBeUndefined()
})
