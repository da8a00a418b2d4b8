/** The lists of bundled models and pictures, public/models/index.json and public/images/index.json. */
import * as z from 'zod/mini'
import type { Catalogue, CatalogueEntry } from './types'

const entry = z.object({
  name: z.string(),
  title: z.string(),
  file: z.optional(z.string()),
  description: z.optional(z.string()),
  author: z.optional(z.string()),
  licence: z.string(),
  source: z.optional(z.string()),
  channels: z.number(),
})

/** Where the page's own files are. */
export interface Site {
  /** Absolute address of the page's folder. */
  readonly base: string
  fetch(url: string): Promise<Response>
}

/** Errors: one of the lists is missing or damaged. */
export async function loadCatalogue(site: Site): Promise<Catalogue> {
  const [models, images] = await Promise.all([loadList(site, 'models'), loadList(site, 'images')])
  return { models, images }
}

async function loadList(site: Site, folder: 'models' | 'images'): Promise<readonly CatalogueEntry[]> {
  const response = await site.fetch(addressOf(site, folder, 'index.json'))
  if (!response.ok) throw new Error(`${folder}/index.json: the server answered ${response.status}.`)
  const entries = z.array(entry).parse(await response.json())
  // A model is in a folder of its name.
  return entries.map((said) =>
    Object.assign(said, { source: said.source ?? '', file: said.file ?? `${said.name}/denoiser.onnx` }),
  )
}

export function addressOf(site: Site, folder: 'models' | 'images', file: string): string {
  return new URL(`${folder}/${file}`, site.base).href
}
