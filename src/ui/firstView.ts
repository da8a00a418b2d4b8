/**
 * The moment when the lab that was opened can be used. What it does without until then (equations, dialogs, charts) is
 * loaded after it, so that the first load is small, and before it is asked for, so that it is there without a network.
 */
import { useEffect } from 'react'

/** A device that takes this long to start delays nothing else. */
const PATIENCE_MILLISECONDS = 4000

let reached: () => void = () => undefined

const firstView = new Promise<void>((resolve) => {
  reached = resolve
  setTimeout(resolve, PATIENCE_MILLISECONDS)
})

/** A lab says whether it can be used; what comes later begins when that has been painted. */
export function useFirstView(usable: boolean): void {
  useEffect(() => {
    if (usable) requestAnimationFrame(() => requestAnimationFrame(() => reached()))
  }, [usable])
}

let turn: Promise<unknown> = firstView

/** Loads something after the first view, one after the other and each when the page has nothing else to do. Never rejects. */
export function loadLater(load: () => Promise<unknown>): void {
  turn = turn
    .then(idle)
    .then(load)
    .catch(() => undefined)
}

/** Safari has no idle callbacks. */
function idle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resolve(), { timeout: 1000 })
    else setTimeout(resolve, 50)
  })
}

/** Resolves at the first view. */
export function afterFirstView(): Promise<void> {
  return firstView
}
