/** Frames the element that a step of the tour is about, once it is on the page, and scrolls to it. */

/** Waits for lazy parts of the page no longer than this. */
const PATIENCE_MILLISECONDS = 10_000

/** Returns what ends the highlight. `name` is the value of the element's `data-tour`. */
export function highlight(name: string): () => void {
  let element: Element | null = null
  let observer: MutationObserver | undefined
  const find = () => {
    const found = [...document.querySelectorAll(`[data-tour="${name}"]`)].find(isShown)
    if (!found) return false
    element = found
    found.setAttribute('data-tour-shown', '')
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    // On a phone the card covers the lower half.
    const block = matchMedia('(max-width: 48em)').matches ? 'start' : 'nearest'
    found.scrollIntoView({ block, behavior: calm ? 'auto' : 'smooth' })
    return true
  }
  const stop = () => {
    observer?.disconnect()
    clearTimeout(timer)
  }
  const timer = setTimeout(stop, PATIENCE_MILLISECONDS)
  observer = new MutationObserver(() => {
    if (find()) stop()
  })
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['style'],
  })
  if (find()) stop()
  return () => {
    stop()
    element?.removeAttribute('data-tour-shown')
  }
}

/** Labs that were left stay in the document, out of sight. */
function isShown(element: Element): boolean {
  return element.getClientRects().length > 0
}
