import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { main } from '../../src/cli/verify'
import { readSafetensors, writeSafetensors } from '../../src/math/safetensors'

const fixtures = 'test/fixtures/onnx'
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
})

/** Exit code, all that was printed, and the object in the last line. */
async function verify(...args: string[]) {
  const written: string[] = []
  const keep = (text: string | Uint8Array) => {
    written.push(String(text))
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(keep)
  const errors: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0)
  const code = await main(['--provider', 'wasm', ...args])
  const text = written.join('')
  return { code, text, errors: errors.join(''), result: JSON.parse(text.trimEnd().split('\n').at(-1)!) }
}

describe('npm run verify', () => {
  test('compares with PyTorch, wherever the files lie', async () => {
    const [model, reference] = [join(folder, 'net.onnx'), join(folder, 'numbers.safetensors')]
    await copyFile(`${fixtures}/dit.onnx`, model)
    await copyFile(`${fixtures}/dit.safetensors`, reference)
    const { code, text, result } = await verify(model, '--reference', reference)
    const { errors } = result.providers.wasm.reference
    for (const name of ['output', 'vjp', 'jvp']) expect(errors[name]).toBeLessThan(1e-5)
    expect(code).toBe(0)
    expect(text).toMatch(/✓ vjp .* from the reference, at most 0.0001/)

    // a derivative that is off by a thousandth
    const { tensors } = readSafetensors(await readFile(reference))
    const { shape, data } = tensors.get('vjp')!
    const off = Float64Array.from(data as Float64Array, (value) => 1.001 * value)
    tensors.set('vjp', { dtype: 'F64', shape, data: off })
    await writeFile(reference, writeSafetensors(tensors))
    const wrong = await verify(model, '--reference', reference, '--json')
    expect(wrong.code).toBe(1)
    expect(wrong.result.providers.wasm.reference).toMatchObject({ status: 'fail', bound: 1e-4 })
    expect(wrong.text.trimEnd().split('\n')).toHaveLength(1)
  })

  test('reports on a bundled model with the contract beside it', async () => {
    const { code, result } = await verify('public/models/fashion-32/denoiser.onnx', '--json')
    expect(result.error).toBeUndefined()
    expect(result.assumed).toEqual([])
    const checks = result.providers.wasm.report.checks as { name: string; status: string }[]
    for (const name of ['finite', 'falling', 'adjoint', 'differences', 'symmetric']) {
      expect(checks.find((check) => check.name === name)).toMatchObject({ status: 'pass' })
    }
    expect(code).toBe(0)
  })

  test('says what is wrong with files and options, and still ends with one JSON object', async () => {
    const text = join(folder, 'text.onnx')
    await writeFile(text, 'not a model')
    const cases = [
      [[text], /ONNX/],
      [[join(folder, 'missing.onnx')], /no such file/],
      [[`${fixtures}/dit.onnx`, '--contract', text], /not JSON/],
      [[`${fixtures}/dit.onnx`, '--reference', text], /safetensors/],
      [[`${fixtures}/dit.onnx`, '--side', 'x'], /--side takes an integer/],
      [[], /Which model/],
    ] as const
    for (const [args, message] of cases) {
      const { code, result, errors } = await verify(...args)
      expect(code).toBe(2)
      expect(result).toEqual({ status: 'fail', error: expect.stringMatching(message) })
      expect(errors).toMatch(message)
    }
  })
})
