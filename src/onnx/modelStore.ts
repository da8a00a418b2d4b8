/**
 * Models from the network: fetched with progress, checked against their contract, and kept in the browser's Cache API.
 *
 * A file whose SHA-256 is not the contract's is refused and never kept. The checksum is part of the key, so that a new
 * version of a model replaces the old one. Where there is no cache (private windows, Node, no space left) the model is
 * fetched each time.
 */
import { ContractError, type DenoiserContract, parseContract } from './contract'
import { type DownloadControl, DownloadError, download } from './download'

const CACHE = 'diem-models-1'

export interface StoredModel {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly fromCache: boolean
}

/** Reads `denoiser.json`. Errors: DownloadError, ContractError, the signal's reason. */
export async function fetchContract(url: string, signal?: AbortSignal): Promise<DenoiserContract> {
  const bytes = await download(url, undefined, { signal })
  return parseContract(new TextDecoder().decode(bytes))
}

/**
 * The ONNX file of a contract. Errors: DownloadError, ContractError where the file is not the contract's, the signal's
 * reason.
 */
export async function fetchModel(
  url: string,
  { sha256, bytes: size }: Pick<DenoiserContract, 'sha256' | 'bytes'>,
  control: DownloadControl = {},
): Promise<StoredModel> {
  const cache = await openCache()
  const key = `${url}${url.includes('?') ? '&' : '?'}sha256=${sha256 ?? ''}`
  // without a checksum nobody could tell whether the kept file is still the right one
  const kept = cache && sha256 ? await readCache(cache, key) : undefined
  if (kept && (await sha256Of(kept)) === sha256) {
    control.onProgress?.(kept.byteLength, kept.byteLength)
    return { bytes: kept, fromCache: true }
  }
  if (cache && kept) await cache.delete(key).catch(() => false)
  const bytes = await download(url, size, control)
  await checkModel(bytes, { sha256, bytes: size })
  control.signal?.throwIfAborted()
  if (cache && sha256) await keep(cache, key, url, bytes)
  return { bytes, fromCache: false }
}

/** Errors: ContractError where the file is not the one that the contract describes. */
export async function checkModel(
  bytes: Uint8Array<ArrayBuffer>,
  { sha256, bytes: size }: Pick<DenoiserContract, 'sha256' | 'bytes'>,
): Promise<void> {
  if (size !== undefined && size !== bytes.byteLength) {
    throw new ContractError(
      `The model has ${bytes.byteLength} bytes, its contract says ${size}: the file was changed, or belongs to another contract. It was not used.`,
    )
  }
  if (sha256 === undefined) return
  const found = await sha256Of(bytes)
  if (found === sha256) return
  throw new ContractError(
    `The model's SHA-256 is ${found}, its contract says ${sha256}: the file was changed, or belongs to another contract. It was not used.`,
  )
}

/** Hexadecimal, lower case. Errors: DownloadError where the page is not served securely, since browsers then hide it. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // undefined in insecure contexts, whatever the types say
  const { subtle } = globalThis.crypto as { readonly subtle?: SubtleCrypto }
  if (!subtle) {
    throw new DownloadError(
      'The checksum of the model cannot be computed here. Open the page over https or on localhost.',
    )
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function openCache(): Promise<Cache | undefined> {
  try {
    return 'caches' in globalThis ? await caches.open(CACHE) : undefined
  } catch {
    // refused in private windows
    return undefined
  }
}

async function readCache(cache: Cache, key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const response = await cache.match(key)
    return response && new Uint8Array(await response.arrayBuffer())
  } catch {
    return undefined
  }
}

/** Keeps a model and forgets its other versions; a full disk is no reason to stop. */
async function keep(cache: Cache, key: string, url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    await cache.put(key, new Response(bytes, { headers: { 'content-type': 'application/octet-stream' } }))
    const plain = (address: string) =>
      new URL(address, globalThis.location?.href ?? url).href.split('?', 1)[0]
    for (const request of await cache.keys()) {
      const old =
        plain(request.url) === plain(url) && !request.url.endsWith(key.slice(key.indexOf('sha256=')))
      if (old) await cache.delete(request)
    }
  } catch {
    // no space left
  }
}
