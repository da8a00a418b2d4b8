import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readIdxImages } from '../../src/cli/imageFiles'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'idx-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('Images of an IDX file lie in the middle of a black frame', async () => {
  // two images of 1 × 2 pixels
  const bytes = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 204])
  const path = join(folder, 'images')
  await writeFile(path, gzipSync(bytes))
  const row = [-1, -1, -1, -1]
  expect(Array.from(await readIdxImages(path, 1, 4))).toEqual([...row, -1, -1, 1, -1, ...row, ...row])
  const both = await readIdxImages(path, 2, 2)
  expect(both[4]).toBeCloseTo(51 / 127.5 - 1, 6)
  expect(both[5]).toBeCloseTo(204 / 127.5 - 1, 6)
  await expect(readIdxImages(path, 3, 4)).rejects.toThrow('fewer than 3')
  await expect(readIdxImages(path, 1, 1)).rejects.toThrow('do not fit')
  await writeFile(path, bytes.subarray(0, 17))
  await expect(readIdxImages(path, 1, 4)).rejects.toThrow('cut off')
  await writeFile(path, 'text')
  await expect(readIdxImages(path, 1, 4)).rejects.toThrow('no IDX file')
})
