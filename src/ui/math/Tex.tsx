/**
 * Equations set with KaTeX, which is loaded after the page: until then (and without it) the plain text of the
 * equation stands in its place.
 */
import { useSyncExternalStore } from 'react'
import { afterFirstView } from '../firstView'
import { plainTex } from './plainTex'

type Katex = typeof import('katex').default

let katex: Katex | null = null
let requested = false
const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (!requested) {
    requested = true
    void load()
  }
  return () => listeners.delete(listener)
}

async function load(): Promise<void> {
  try {
    await afterFirstView()
    const [module] = await Promise.all([import('katex'), import('katex/dist/katex-swap.min.css')])
    katex = module.default
    for (const listener of listeners) listener()
  } catch (error) {
    // The plain text stays; it says the same.
    console.info('Equations are shown as plain text.', error)
  }
}

export function Tex({ tex, block = false }: { tex: string; block?: boolean }) {
  const loaded = useSyncExternalStore(subscribe, () => katex)
  if (!loaded) return <span>{plainTex(tex)}</span>
  const html = loaded.renderToString(tex, { displayMode: block, throwOnError: false })
  return <span dangerouslySetInnerHTML={{ __html: html }} />
}
