import { describe, expect, it } from 'vitest'
import { cameraProblem } from '../../src/ui/images/cameraProblem'
import { toCrop, toPercent } from '../../src/ui/images/cropGeometry'
import {
  accelerationAt,
  accelerationHeight,
  bandEdges,
  centreAt,
  cornerOf,
  extendedStroke,
  movedHole,
  resizedHole,
  type Corner,
  type Hole,
} from '../../src/ui/images/editorGeometry'
import { sortFiles } from '../../src/ui/images/incomingFiles'

const hole: Hole = { x: 0.5, y: 0.4, side: 0.4 }
const CORNERS: readonly Corner[] = ['nw', 'ne', 'sw', 'se']

describe('hole of the box task', () => {
  it('stays whole inside the image, however far it is dragged', () => {
    expect(movedHole(hole, [0.1, -0.05])).toEqual({ x: 0.6, y: 0.35, side: 0.4 })
    expect(movedHole(hole, [9, -9])).toEqual({ x: 0.8, y: 0.2, side: 0.4 })
  })

  it.each(CORNERS)('keeps the corner opposite to %s where it is', (corner) => {
    const opposite = CORNERS[3 - CORNERS.indexOf(corner)]!
    for (const by of [-0.1, 0.05, 0.3, 5]) {
      const [x, y] = cornerOf(hole, corner)
      const sign = [corner.endsWith('e') ? 1 : -1, corner.startsWith('s') ? 1 : -1] as const
      const resized = resizedHole(hole, corner, [x + sign[0] * by, y + sign[1] * by])
      expect(cornerOf(resized, opposite)[0]).toBeCloseTo(cornerOf(hole, opposite)[0], 3)
      expect(cornerOf(resized, opposite)[1]).toBeCloseTo(cornerOf(hole, opposite)[1], 3)
      for (const each of CORNERS) {
        for (const value of cornerOf(resized, each)) {
          expect(value).toBeGreaterThan(-1e-3)
          expect(value).toBeLessThan(1 + 1e-3)
        }
      }
    }
  })

  it('does not shrink to nothing', () => {
    expect(resizedHole(hole, 'se', [0, 0]).side).toBe(0.05)
  })
})

describe('columns of the MRI task', () => {
  it('puts the handles where the settings are, and reads them back', () => {
    const [left, right] = bandEdges(0.1)
    expect([centreAt(left, 4), centreAt(right, 4)]).toEqual([0.1, 0.1])
    expect(accelerationAt(accelerationHeight(6), 0.0625)).toBeCloseTo(6, 2)
    expect([accelerationHeight(16), accelerationHeight(1)]).toEqual([0, 1])
  })

  it('never measures more in the centre than one column in R', () => {
    for (const acceleration of [1, 3, 7, 16]) {
      expect(centreAt(0.9, acceleration) * acceleration).toBeLessThanOrEqual(1)
    }
    for (const centre of [0.07, 0.13, 0.5]) expect(accelerationAt(0, centre) * centre).toBeLessThanOrEqual(1)
  })
})

it('leaves out points of a stroke that stand still', () => {
  const first = extendedStroke([], [0.5, 0.5])
  expect(extendedStroke(first, [0.501, 0.5])).toBe(first)
  expect(extendedStroke(first, [0.51, 0.5])).toHaveLength(2)
})

describe('crop', () => {
  it('survives the way through per cent of a picture that is not square', () => {
    const size = { width: 1201, height: 667 }
    const crop = { x: 301, y: 17, side: 433 }
    expect(toCrop(toPercent(crop, size), size)).toEqual(crop)
  })

  it('is a square of whole pixels inside the original', () => {
    const crop = toCrop({ unit: '%', x: 90, y: -3, width: 50, height: 99 }, { width: 200, height: 80 })
    expect(crop).toEqual({ x: 120, y: 0, side: 80 })
    expect(toCrop({ unit: '%', x: 0, y: 0, width: 0, height: 0 }, { width: 5, height: 4 }).side).toBe(4)
  })
})

describe('dropped and pasted files', () => {
  const file = (name: string, type = '') => new File(['x'], name, { type })

  it('takes a model with its parts together', () => {
    const [onnx, json, data] = [file('net.onnx'), file('denoiser.json'), file('net.onnx.data')]
    expect(sortFiles([file('readme.txt'), json, onnx, data])).toEqual({
      kind: 'model',
      files: [json, onnx, data],
    })
  })

  it('takes the first picture, else whatever came, so that its error can be told', () => {
    const picture = file('cat.png', 'image/png')
    expect(sortFiles([file('notes.txt', 'text/plain'), picture])).toEqual({ kind: 'image', file: picture })
    expect(sortFiles([file('notes.txt', 'text/plain')])).toMatchObject({ kind: 'image' })
    expect(sortFiles([])).toEqual({ kind: 'nothing' })
  })
})

it('tells a refused camera from one that is absent or busy', () => {
  const titles = ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'OddError'].map(
    (name) => cameraProblem(new DOMException('why', name)).title,
  )
  expect(new Set(titles).size).toBe(4)
  expect(cameraProblem('nothing').message).toMatch(/\w/)
})
