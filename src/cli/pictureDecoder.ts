/** Pixels of picture files: of plain PNGs here, of all else by a Chromium, with the very function of the page. */
import type { Browser, JSHandle, Page } from 'playwright-core'
import { findBrowser } from '../../scripts/browser.mjs'
import { decodeInBrowser, type DecodeImage } from '../store/images/imageSource'
import { decodePng } from './png'

/** There is no browser, or it does not start. */
export class NoBrowserError extends Error {
  override readonly name = 'NoBrowserError'
}

interface Opened {
  readonly browser: Browser
  readonly page: Page
  readonly decode: JSHandle<DecodeImage>
}

export class PictureDecoder {
  #opened: Promise<Opened> | undefined

  /** Starts the browser when it is first needed. Errors: NoBrowserError, what the browser reports. */
  readonly decode: DecodeImage = async (blob, mostSide) => {
    const bytes = Buffer.from(await blob.arrayBuffer())
    const plain = decodePng(bytes)
    if (plain && Math.max(plain.width, plain.height) <= mostSide) return plain
    this.#opened ??= openBrowser()
    const { page, decode } = await this.#opened
    const asked = { decode, base64: bytes.toString('base64'), mostSide }
    const { width, height, base64 } = await page.evaluate(decodeInPage, asked)
    return { width, height, data: new Uint8ClampedArray(Buffer.from(base64, 'base64')) }
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.browser.close()
  }
}

async function openBrowser(): Promise<Opened> {
  try {
    const executablePath = findBrowser()
    if (!executablePath) throw new Error('none was found; CHROME_PATH may name one')
    const { chromium } = await import('playwright-core')
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-quic'] })
    const page = await browser.newPage()
    const decode = (await page.evaluateHandle(`(${decodeInBrowser.toString()})`)) as JSHandle<DecodeImage>
    return { browser, page, decode }
  } catch (cause) {
    throw new NoBrowserError(
      `Chromium decodes all but plain PNGs (8 bits, no colour profile), and ${(cause as Error).message}. Install Chrome or Chromium, or save the picture as such a PNG.`,
      { cause },
    )
  }
}

/** In the page. Pixels leave it as base64, because only JSON does. */
async function decodeInPage({
  decode,
  base64,
  mostSide,
}: {
  readonly decode: DecodeImage
  readonly base64: string
  readonly mostSide: number
}) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const { width, height, data } = await decode(new Blob([bytes]), mostSide)
  const reader = new FileReader()
  const url = await new Promise<string>((resolve, reject) => {
    reader.addEventListener('load', () => resolve(reader.result as string))
    reader.addEventListener('error', () => reject(reader.error!))
    reader.readAsDataURL(new Blob([data]))
  })
  return { width, height, base64: url.slice(url.indexOf(',') + 1) }
}
