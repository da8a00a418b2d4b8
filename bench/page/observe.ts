/** What the page itself can see of its speed; `observe` runs in the page before its own scripts. */
import type { LabName } from '../../src/store/route'

/** A task of the main thread that took at least 50 ms (Long Tasks API), from the navigation on. */
export interface LongTask {
  readonly start: number
  readonly duration: number
}

export interface Observed {
  /** When the lab could first be used: its button enabled and its first picture drawn, ms from the navigation. */
  interactive: number | null
  readonly longTasks: LongTask[]
  /** Cumulative layout shift without that after an input, and the largest single one with what moved. */
  layoutShift: number
  /** Milliseconds between animation frames. */
  readonly frames: number[]
  firstPaint: number | null
}

declare global {
  // What the page has seen so far; the benchmark reads it.
  var observed: Observed
}

/** Needs nothing from outside of it: it travels as text. */
export function observe(lab: LabName): void {
  const has = (selector: string) => document.querySelector(selector) !== null
  const usable: Record<LabName, () => boolean> = {
    manifold: () =>
      has('[data-testid=run][aria-disabled=false]') && has('canvas[aria-label*="truth is shown"]'),
    // Its samples follow later: before them, the scene is there and can be dragged.
    posterior: () => has('[data-testid=handle-move]') && !has('[aria-label="Drawing the prior"]'),
    // The run waits for the model.
    images: () => has('[data-testid=run-hero]:not([disabled])') && has('canvas[role=img]'),
  }
  const observed: Observed = {
    interactive: null,
    longTasks: [],
    layoutShift: 0,
    frames: [],
    firstPaint: null,
  }
  globalThis.observed = observed
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      observed.longTasks.push({ start: startTime, duration })
  }).observe({ type: 'longtask', buffered: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean }
      if (!shift.hadRecentInput) observed.layoutShift += shift.value
    }
  }).observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver((list) => {
    observed.firstPaint ??= list.getEntries()[0]?.startTime ?? null
  }).observe({ type: 'paint', buffered: true })
  let last = 0
  const frame = (now: number) => {
    if (last > 0) observed.frames.push(now - last)
    last = now
    // The frame in which it is first drawn ends after this one.
    if (observed.interactive === null && usable[lab]()) observed.interactive = performance.now()
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}
