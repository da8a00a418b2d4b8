import { createHash } from 'node:crypto'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ContractError } from '../../src/onnx/contract'
import { DownloadError } from '../../src/onnx/download'
import { fetchModel } from '../../src/onnx/modelStore'

const file = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251)
const sha256 = createHash('sha256').update(file).digest('hex')
const contract = { sha256, bytes: file.length }
let server: Server
let address = ''
let requests = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++
    switch (request.url) {
      case '/model.onnx':
        response.writeHead(200, { 'content-length': file.length }).end(file)
        break
      case '/page.onnx':
        response.writeHead(200, { 'content-type': 'text/html' }).end('\n<!DOCTYPE html><title>Page</title>')
        break
      case '/cut.onnx':
        response.writeHead(200, { 'content-length': file.length })
        response.write(file.subarray(0, 1000), () => response.destroy())
        break
      case '/short.onnx':
        response.end(file.subarray(0, 1000))
        break
      case '/slow.onnx':
        response.writeHead(200, { 'content-length': file.length })
        response.write(file.subarray(0, 1000))
        break
      default:
        response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
afterEach(() => {
  vi.unstubAllGlobals()
})

/** The part of the Cache API that is used, in memory. */
function memoryCaches() {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>()
  const cache = {
    match: async (key: string) => (entries.has(key) ? new Response(entries.get(key)) : undefined),
    put: async (key: string, response: Response) => {
      entries.set(key, new Uint8Array(await response.arrayBuffer()))
    },
    delete: async (key: string | Request) => entries.delete(typeof key === 'string' ? key : key.url),
    keys: async () => [...entries.keys()].map((url) => ({ url })),
  }
  return { entries, caches: { open: async () => cache } }
}

describe('fetching a model', () => {
  test('reports bytes of the total, and keeps the file where there is a cache', async () => {
    const { entries, caches } = memoryCaches()
    vi.stubGlobal('caches', caches)
    const url = `${address}/model.onnx`
    entries.set(`${url}?sha256=${'0'.repeat(64)}`, new Uint8Array(3))
    const seen: [number, number | undefined][] = []
    const first = await fetchModel(url, contract, { onProgress: (...numbers) => seen.push(numbers) })
    expect(first.fromCache).toBe(false)
    expect(Buffer.compare(first.bytes, file)).toBe(0)
    expect(seen[0]).toEqual([0, file.length])
    expect(seen.at(-1)).toEqual([file.length, file.length])
    expect([...entries.keys()], 'the old version is gone').toEqual([`${url}?sha256=${sha256}`])
    requests = 0
    const second = await fetchModel(url, contract)
    expect(second.fromCache).toBe(true)
    expect(Buffer.compare(second.bytes, file)).toBe(0)
    expect(requests).toBe(0)
    // a damaged copy is fetched anew
    entries.set(`${url}?sha256=${sha256}`, new Uint8Array(5))
    expect((await fetchModel(url, contract)).fromCache).toBe(false)
  })

  test('refuses a changed file, and does not keep it', async () => {
    const { entries, caches } = memoryCaches()
    vi.stubGlobal('caches', caches)
    const changed = { ...contract, sha256: 'a'.repeat(64) }
    const attempt = fetchModel(`${address}/model.onnx`, changed)
    await expect(attempt).rejects.toThrow(/SHA-256 is .* its contract says a{64}/)
    await expect(attempt).rejects.toBeInstanceOf(ContractError)
    expect(entries.size).toBe(0)
  })

  test('names a page instead of the file, a cut and a short download, and a missing file', async () => {
    const get = (path: string, bytes?: number) => fetchModel(`${address}${path}`, { bytes })
    await expect(get('/page.onnx')).rejects.toThrow(/web page instead of the file/)
    await expect(get('/cut.onnx')).rejects.toThrow(/broke off after|truncated/)
    await expect(get('/short.onnx', file.length)).rejects.toThrow(/1000 of 300000 bytes: it is truncated/)
    await expect(get('/model.onnx', 1000)).rejects.toThrow(/longer than the 1000 bytes/)
    await expect(get('/missing.onnx')).rejects.toThrow(/404/)
    await expect(fetchModel('http://127.0.0.1:1/x', {})).rejects.toBeInstanceOf(DownloadError)
  })

  test('ends when it is cancelled', async () => {
    const controller = new AbortController()
    const reason = new Error('cancelled by the visitor')
    const attempt = fetchModel(`${address}/slow.onnx`, contract, {
      signal: controller.signal,
      onProgress: (loaded) => loaded > 0 && controller.abort(reason),
    })
    await expect(attempt).rejects.toBe(reason)
  })
})
