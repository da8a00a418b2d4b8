import { describe, expect, it } from 'vitest'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../src/operators/cpuPrimitives'
import { createImageOperator } from '../../src/operators/createOperator'
import { createDct } from '../../src/operators/dct'
import { gaussianWeights } from '../../src/operators/gaussianBlur'
import { type ImageShape, type LinearMap, type OperatorDescription, sizeOf } from '../../src/operators/types'
import { pattern, reference } from '../fixtures/images/reference'
import { descriptionsFor, dot, normals, relativeError, shapes, vectorOf } from './operators'

const space = createCpuVectors()
const primitives = createCpuImagePrimitives(space)

async function mapped(
  map: LinearMap,
  which: 'apply' | 'adjoint',
  x: ArrayLike<number>,
  outSize: number,
  batch = 1,
) {
  const out = space.vector('out', batch, outSize)
  map[which](vectorOf(space, batch, Float32Array.from(x)), out)
  return space.read(out)
}

const create = (description: OperatorDescription, shape: ImageShape, batch = 1) =>
  createImageOperator(description, shape, batch, primitives)

describe('every operator', () => {
  const cases = shapes.flatMap((shape) =>
    descriptionsFor(shape).map((description) => ({ shape, description, kind: description.kind })),
  )

  it.each(cases)('has the adjoint of its apply: $kind of $shape', async ({ shape, description }) => {
    const operator = create(description, shape, 2)
    const [inSize, outSize] = [sizeOf(shape), sizeOf(operator.output)]
    const [x, y] = [normals(2 * inSize, 1), normals(2 * outSize, 2)]
    const ax = await mapped(operator, 'apply', x, outSize, 2)
    const aty = await mapped(operator, 'adjoint', y, inSize, 2)
    const scale = Math.sqrt(dot(ax, ax) * dot(y, y))
    expect(Math.abs(dot(ax, y) - dot(x, aty)) / scale).toBeLessThan(1e-7)
    // the second sample alone gives the same numbers
    const alone = await mapped(create(description, shape), 'apply', x.slice(inSize), outSize)
    expect(alone).toEqual(ax.slice(outSize))
  })

  it.each(cases)('measures as many numbers as it says: $kind of $shape', async ({ shape, description }) => {
    const operator = create(description, shape)
    const outSize = sizeOf(operator.output)
    const seen = new Set<number>()
    for (let index = 0; index < 3; index++) {
      const y = await mapped(operator, 'apply', normals(sizeOf(shape), index), outSize)
      y.forEach((value, i) => value !== 0 && seen.add(i))
    }
    // Fourier coefficients of real images at frequency 0 have no imaginary part, or one of rounding only.
    const real = description.kind === 'mri' ? 4 * shape.channels : 0
    expect(seen.size).toBeLessThanOrEqual(operator.observed)
    expect(seen.size).toBeGreaterThanOrEqual(operator.observed - real)
  })
})

describe('inpainting', () => {
  it('keeps the same pixels of every channel', async () => {
    const shape = { channels: 3, height: 1, width: 3 }
    const operator = create({ kind: 'inpainting', mask: Uint8Array.of(1, 0, 1) }, shape)
    const y = await mapped(operator, 'apply', [1, 2, 3, 4, 5, 6, 7, 8, 9], 9)
    expect([...y]).toEqual([1, 0, 3, 4, 0, 6, 7, 0, 9])
    expect(operator.observed).toBe(6)
  })

  it('refuses masks of another size and masks that hide everything', () => {
    const shape = { channels: 1, height: 2, width: 2 }
    expect(() => create({ kind: 'inpainting', mask: new Uint8Array(5) }, shape)).toThrow(/5 pixels.*= 4/)
    expect(() => create({ kind: 'inpainting', mask: new Uint8Array(4) }, shape)).toThrow(/every pixel/)
  })
})

describe('blur', () => {
  /** The definition, pixel by pixel. */
  function plainBlur(
    x: ArrayLike<number>,
    kernel: ArrayLike<number>,
    size: number,
    height: number,
    width: number,
  ) {
    const reflect = (i: number, n: number) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i)
    const r = (size - 1) / 2
    return Float64Array.from({ length: height * width }, (_, at) => {
      let sum = 0
      for (let u = -r; u <= r; u++) {
        for (let v = -r; v <= r; v++) {
          const [i, j] = [reflect(Math.floor(at / width) + u, height), reflect((at % width) + v, width)]
          sum += kernel[(u + r) * size + v + r]! * x[i * width + j]!
        }
      }
      return sum
    })
  }

  it.each([3, 5, 9])('is the correlation with a reflected image, kernel side %i', async (size) => {
    const shape = { channels: 1, height: 6, width: 5 }
    const [x, kernel] = [normals(30, 1), normals(size * size, 2)]
    const y = await mapped(create({ kind: 'blur', kernel, size }, shape), 'apply', x, 30)
    expect(relativeError(y, plainBlur(x, kernel, size, 6, 5))).toBeLessThan(1e-6)
  })

  it('with a Gaussian is the blur with its outer product, and leaves flat images as they are', async () => {
    const shape = { channels: 1, height: 12, width: 9 }
    const g = gaussianWeights(2, 17)
    expect(g.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 14)
    const kernel = Float64Array.from({ length: 17 * 17 }, (_, i) => g[Math.floor(i / 17)]! * g[i % 17]!)
    const operator = create({ kind: 'gaussianBlur', standardDeviation: 2, size: 17 }, shape)
    const x = normals(108, 1)
    expect(
      relativeError(await mapped(operator, 'apply', x, 108), plainBlur(x, kernel, 17, 12, 9)),
    ).toBeLessThan(1e-6)
    for (const value of await mapped(operator, 'apply', new Float32Array(108).fill(0.25), 108)) {
      expect(value).toBeCloseTo(0.25, 7)
    }
  })

  it('refuses what has no centre, is empty, or reaches too far', () => {
    const shape = { channels: 1, height: 8, width: 4 }
    const blur = (size: number, kernel = new Float32Array(size * size).fill(1)) =>
      create({ kind: 'blur', kernel, size }, shape)
    expect(() => blur(4)).toThrow(/odd number, not 4: use 5/)
    expect(() => blur(9)).toThrow(/at most 7/)
    expect(() => blur(3, new Float32Array(8))).toThrow(/8 weights.*needs 9/)
    expect(() => blur(3, new Float32Array(9))).toThrow(/are 0/)
    expect(() => blur(3, new Float32Array(9).fill(NaN))).toThrow(/not a finite/)
    expect(() => create({ kind: 'gaussianBlur', standardDeviation: 0, size: 3 }, shape)).toThrow(/above 0/)
    expect(() => create({ kind: 'gaussianBlur', standardDeviation: 1, size: 8 }, shape)).toThrow(/odd/)
  })
})

describe('super-resolution', () => {
  it.each(reference.scaling.filter(({ height, toHeight }) => height % toHeight === 0))(
    'equals PyTorch’s antialiased bicubic: $height × $width to $toHeight × $toWidth',
    async ({ toHeight, values, ...shape }) => {
      const operator = create({ kind: 'superResolution', factor: shape.height / toHeight }, shape)
      const y = await mapped(operator, 'apply', pattern(shape, 1), values.length)
      expect(relativeError(y, values)).toBeLessThan(1e-6)
    },
  )

  it('refuses factors that do not divide', () => {
    const shape = { channels: 1, height: 8, width: 10 }
    expect(() => create({ kind: 'superResolution', factor: 4 }, shape)).toThrow(/4 does not divide.*10 × 8/)
    expect(() => create({ kind: 'superResolution', factor: 1.5 }, shape)).toThrow(/not 1.5/)
  })
})

describe('MRI', () => {
  const shape = { channels: 2, height: 6, width: 5 }

  it('is the orthonormal Fourier transform, columns left out', async () => {
    const columns = Uint8Array.of(1, 0, 1, 1, 0)
    const x = normals(60, 1)
    const y = await mapped(create({ kind: 'mri', columns }, shape), 'apply', x, 120)
    const expected = new Float64Array(120)
    for (let c = 0; c < 2; c++) {
      for (let k = 0; k < 6; k++) {
        for (let l = 0; l < 5; l++) {
          for (let i = 0; i < 30 && columns[l]; i++) {
            const angle = -2 * Math.PI * ((k * Math.floor(i / 5)) / 6 + (l * (i % 5)) / 5)
            const value = x[c * 30 + i]! / Math.sqrt(30)
            expected[c * 60 + k * 5 + l]! += value * Math.cos(angle)
            expected[c * 60 + 30 + k * 5 + l]! += value * Math.sin(angle)
          }
        }
      }
    }
    expect(relativeError(y, expected)).toBeLessThan(1e-6)
  })

  it('with all columns keeps norms, and its adjoint is its inverse', async () => {
    const operator = create({ kind: 'mri', columns: new Uint8Array(5).fill(1) }, shape)
    const x = normals(60, 1)
    const y = await mapped(operator, 'apply', x, 120)
    expect(dot(y, y) / dot(x, x)).toBeCloseTo(1, 6)
    expect(relativeError(await mapped(operator, 'adjoint', y, 60), x)).toBeLessThan(1e-6)
  })

  it('on measured columns gives back what an image can have there: A Aᵀ y = y for y = A x', async () => {
    // l and -l are both kept, so that the real part takes nothing from the image's own spectrum
    const operator = create({ kind: 'mri', columns: Uint8Array.of(1, 1, 0, 0, 1) }, shape)
    const y = await mapped(operator, 'apply', normals(60, 1), 120)
    const back = await mapped(operator, 'apply', await mapped(operator, 'adjoint', y, 60), 120)
    expect(relativeError(back, y)).toBeLessThan(1e-6)
  })

  it('refuses masks of another width or without a column', () => {
    expect(() => create({ kind: 'mri', columns: new Uint8Array(6) }, shape)).toThrow(/6 entries.*5 columns/)
    expect(() => create({ kind: 'mri', columns: new Uint8Array(5) }, shape)).toThrow(/No column/)
  })
})

describe('gray', () => {
  it('weighs the channels by luma', async () => {
    const shape = { channels: 3, height: 1, width: 2 }
    const y = await mapped(create({ kind: 'gray' }, shape), 'apply', [1, 0, 0, 1, 0, -1], 2)
    expect(y[0]).toBeCloseTo(0.299, 6)
    expect(y[1]).toBeCloseTo(0.587 - 0.114, 6)
  })

  it('refuses images without colours', () => {
    expect(() => create({ kind: 'gray' }, { channels: 1, height: 2, width: 2 })).toThrow(/3 channels.*has 1/)
  })
})

describe('the cosine transform', () => {
  it('is orthonormal, and a flat image is its first coefficient', async () => {
    const shape = { channels: 3, height: 7, width: 10 }
    const dct = createDct(shape, 2, primitives)
    const x = normals(420, 1)
    const c = await mapped(dct, 'apply', x, 210, 2)
    expect(dot(c, c) / dot(x, x)).toBeCloseTo(1, 6)
    expect(relativeError(await mapped(dct, 'adjoint', c, 210, 2), x)).toBeLessThan(1e-6)
    const flat = await mapped(
      createDct({ ...shape, channels: 1 }, 1, primitives),
      'apply',
      Array(70).fill(1),
      70,
    )
    expect(flat[0]).toBeCloseTo(Math.sqrt(70), 5)
    expect(Math.max(...flat.slice(1).map(Math.abs))).toBeLessThan(1e-6)
  })
})

it('a vector of another size is refused', () => {
  const shape = { channels: 3, height: 2, width: 2 }
  const operator = create({ kind: 'gray' }, shape)
  expect(() => operator.apply(space.vector('x', 1, 4), space.vector('y', 1, 4))).toThrow(
    /\[1, 4\].*\[1, 12\]/,
  )
})
