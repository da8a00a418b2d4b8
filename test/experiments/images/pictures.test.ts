import { describe, expect, it } from 'vitest'
import {
  imageOfPicture,
  pictureOfImage,
  scaledSquare,
  type Picture,
} from '../../../src/experiments/images/pictures'

function picture(width: number, height: number, at: (i: number, c: number) => number): Picture {
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, k) => at(Math.floor(k / 4), k % 4))
  return { width, height, data }
}

describe('pictures and images', () => {
  it('every byte comes back as it was', () => {
    const colours = picture(16, 16, (i, c) => (c === 3 ? 255 : (i + 85 * c) % 256))
    const shape = { channels: 3, height: 16, width: 16 }
    expect(pictureOfImage(imageOfPicture(colours, 3), shape)).toEqual(colours)
    const gray = picture(16, 16, (i, c) => (c === 3 ? 255 : i))
    expect(pictureOfImage(imageOfPicture(gray, 1), { ...shape, channels: 1 })).toEqual(gray)
  })

  it('planes are red, green, blue in [-1, 1], gray is luma', () => {
    const red = picture(1, 1, (_, c) => [255, 0, 0, 255][c]!)
    expect([...imageOfPicture(red, 3)]).toEqual([1, -1, -1])
    expect(imageOfPicture(red, 1)[0]).toBeCloseTo(2 * 0.299 - 1, 6)
  })

  it('clips, and hides what is not visible; transparent parts lie on white', () => {
    const shape = { channels: 1, height: 1, width: 4 }
    const { data } = pictureOfImage([-3, 7, NaN, 0], shape, Uint8Array.of(1, 1, 1, 0))
    expect([0, 4, 8].map((at) => data[at])).toEqual([0, 255, 0])
    expect([3, 15].map((at) => data[at])).toEqual([255, 0])
    const half = picture(1, 1, (_, c) => [0, 0, 255, 51][c]!)
    expect(imageOfPicture(half, 3)[0]).toBeCloseTo(0.6, 6)
    expect(imageOfPicture(half, 3)[2]).toBe(1)
  })

  it('refuses images with other channels', () => {
    expect(() =>
      imageOfPicture(
        picture(1, 1, () => 0),
        4,
      ),
    ).toThrow(/4 channels/)
    expect(() => pictureOfImage([0, 0], { channels: 2, height: 1, width: 1 })).toThrow(/2 channels/)
  })
})

describe('a square of a picture', () => {
  const source = picture(7, 6, (i, c) => (c === 3 ? 255 : (i * 37 + c * 11) % 256))

  it('at its own size is the crop', () => {
    const crop = scaledSquare(source, { x: 2, y: 1, side: 4 }, 4)
    for (let i = 0; i < 16; i++) {
      const at = 4 * ((1 + Math.floor(i / 4)) * 7 + 2 + (i % 4))
      expect(crop.data.slice(4 * i, 4 * i + 4)).toEqual(source.data.slice(at, at + 4))
    }
  })

  it('shrinks to means of areas', () => {
    const crop = scaledSquare(source, { x: 1, y: 0, side: 6 }, 2)
    for (let i = 0; i < 4; i++) {
      let sum = 0
      for (let k = 0; k < 9; k++) {
        const [row, column] = [3 * Math.floor(i / 2) + Math.floor(k / 3), 1 + 3 * (i % 2) + (k % 3)]
        sum += source.data[4 * (row * 7 + column) + 1]!
      }
      expect(Math.abs(crop.data[4 * i + 1]! - sum / 9)).toBeLessThanOrEqual(0.5 + 1e-9)
    }
  })

  it('grows and shrinks flat colours to the same colour', () => {
    const flat = picture(5, 5, (_, c) => [200, 10, 77, 255][c]!)
    for (const side of [2, 3, 5, 16]) {
      const { data } = scaledSquare(flat, { x: 0, y: 0, side: 5 }, side)
      expect(data).toEqual(picture(side, side, (_, c) => [200, 10, 77, 255][c]!).data)
    }
  })

  it('has to lie inside', () => {
    expect(() => scaledSquare(source, { x: 4, y: 0, side: 4 }, 2)).toThrow(/7 × 6/)
    expect(() => scaledSquare(source, { x: 0, y: 0, side: 0 }, 2)).toThrow(/does not lie/)
  })
})
