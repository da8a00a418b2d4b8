/** Serves a build of the page compressed, like a static host, and keeps what was asked for. */
import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'
import { contentType, isFile, listenLocally } from '../../scripts/staticServer'

export interface Delivered {
  /** In the build, for example assets/index-BwQTxfc2.js. */
  readonly path: string
  /** Of the body, gzip level 9. */
  readonly bytes: number
  /** When the request came, milliseconds since 1970. */
  readonly at: number
}

export interface PageServer {
  readonly url: string
  /** In the order of the requests; a test empties it. */
  readonly delivered: Delivered[]
  close(): Promise<void>
}

export async function servePage(folder: string): Promise<PageServer> {
  const compressed = new Map<string, Buffer<ArrayBuffer>>()
  const delivered: Delivered[] = []
  const { origin, close } = await listenLocally((request, response) => {
    const asked = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    const path = asked === '/' ? 'index.html' : asked.slice(1)
    const file = join(folder, path)
    if (!isFile(file)) {
      response.writeHead(404).end()
      return
    }
    let body = compressed.get(path)
    if (!body) {
      body = gzipSync(readFileSync(file), { level: 9 })
      compressed.set(path, body)
    }
    delivered.push({ path, bytes: body.length, at: Date.now() })
    response
      .writeHead(200, {
        'Content-Type': contentType(file),
        'Content-Encoding': 'gzip',
        'Content-Length': body.length,
      })
      .end(body)
  })
  return { url: `${origin}/`, delivered, close }
}

/** What the budget of the first load counts apart. */
export const groups = ['first view', 'worker', 'KaTeX and fonts', 'plotly', 'onnxruntime', 'models'] as const
export type Group = (typeof groups)[number]

export function groupOf(path: string): Group {
  if (/\/katex|\.woff2$/i.test(path)) return 'KaTeX and fonts'
  if (/\/plotly/.test(path)) return 'plotly'
  if (/\/ort[.-]/.test(path)) return 'onnxruntime'
  if (path.startsWith('models/')) return 'models'
  return path.startsWith('assets/worker/') ? 'worker' : 'first view'
}

/** Compressed bytes of each group. */
export function bytesOf(delivered: readonly Delivered[]): Record<Group, number> {
  const bytes = Object.fromEntries(groups.map((group) => [group, 0])) as Record<Group, number>
  for (const { path, bytes: own } of delivered) bytes[groupOf(path)] += own
  return bytes
}
