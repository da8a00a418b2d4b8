/**
 * Files over the network, with progress and an end that can be trusted.
 *
 * A server of static files answers some missing paths with a page (the fallback of single-page applications), and a
 * connection may close early: both are named instead of being handed on as a damaged file.
 */

/** The file could not be had; the message says why and what to do. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
}

export interface DownloadControl {
  readonly signal?: AbortSignal
  /** @param total bytes of the whole file, undefined where nobody knows */
  onProgress?(loaded: number, total: number | undefined): void
}

/**
 * Fetches a whole file. Errors: DownloadError; the signal's reason.
 *
 * @param expected bytes of the file, where they are known; a server that compresses does not say
 */
export async function download(
  url: string,
  expected: number | undefined,
  { signal, onProgress }: DownloadControl = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await respond(url, signal)
  const encoded = response.headers.get('content-encoding')
  const length = Number(response.headers.get('content-length') ?? NaN)
  const announced = encoded || !(length > 0) ? undefined : length
  const total = expected ?? announced
  const chunks: Uint8Array[] = []
  let loaded = 0
  const take = (chunk: Uint8Array) => {
    chunks.push(chunk)
    loaded += chunk.byteLength
    if (expected !== undefined && loaded > expected) {
      throw new DownloadError(
        `${url} is longer than the ${expected} bytes it should have: it is another file.`,
      )
    }
    onProgress?.(loaded, total === undefined ? undefined : Math.max(total, loaded))
  }
  onProgress?.(0, total)
  try {
    const reader = response.body?.getReader()
    if (reader) {
      for (let part = await reader.read(); !part.done; part = await reader.read()) take(part.value)
    } else take(new Uint8Array(await response.arrayBuffer()))
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof DownloadError) {
      await response.body?.cancel().catch(() => undefined)
      throw cause
    }
    throw new DownloadError(`The download of ${url} broke off after ${loaded} bytes. Try again.`, { cause })
  }
  const wanted = expected ?? announced
  if (wanted !== undefined && loaded < wanted) {
    throw new DownloadError(
      `The download of ${url} ended after ${loaded} of ${wanted} bytes: it is truncated. Try again.`,
    )
  }
  const bytes = joined(chunks, loaded)
  if (isPage(bytes)) {
    throw new DownloadError(
      `The server answered ${url} with a web page instead of the file: the file is not there. Check the address, or deploy the whole build.`,
    )
  }
  return bytes
}

async function respond(url: string, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, signal ? { signal } : {})
  } catch (cause) {
    signal?.throwIfAborted()
    throw new DownloadError(`${url} could not be reached. Check the connection and try again.`, { cause })
  }
  if (!response.ok) {
    throw new DownloadError(`The server refused ${url} (${response.status} ${response.statusText}).`)
  }
  return response
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let position = 0
  for (const chunk of chunks) {
    bytes.set(chunk, position)
    position += chunk.byteLength
  }
  return bytes
}

/** Whether the bytes begin as HTML does; no binary file here does. */
function isPage(bytes: Uint8Array): boolean {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 256)).replace(/^ï»¿/, '').trimStart()
  return /^<(!doctype|html|head|script|\?xml)/i.test(start)
}
