/** The only import of plotly, loaded when the first plot has something to show, and evaluated in parts (scripts/slicedPlotly.mjs). */

export type Plotly = typeof import('plotly.js-cartesian-dist-min')

let loading: Promise<Plotly> | undefined

/** Errors: the network; the next call tries again. */
function loadPlotly(): Promise<Plotly> {
  loading ??= import('plotly.js-cartesian-dist-min').then(assemble).catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

/** As the build makes it. */
interface SlicedPlotly {
  readonly parts: readonly (() => unknown)[]
  readonly whole: () => Plotly
}

/** A frame has time for something else too. */
const SLICE_MILLISECONDS = 10

/** Evaluates what the build has cut into parts; while developing, plotly comes in one. */
async function assemble(module: Plotly & { default?: Plotly | SlicedPlotly }): Promise<Plotly> {
  const loaded = module.default ?? module
  if (!('parts' in loaded)) return loaded
  let begin = performance.now()
  for (const evaluate of loaded.parts) {
    evaluate()
    if (performance.now() - begin < SLICE_MILLISECONDS) continue
    await nextTask()
    begin = performance.now()
  }
  return loaded.whole()
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}

let turn: Promise<unknown> = Promise.resolve()

/** Draws one plot after the other, each in a task of its own, so that the page can answer in between. */
export function drawInTurn(draw: (plotly: Plotly) => Promise<unknown>): Promise<void> {
  const mine = turn.then(async () => {
    const plotly = await loadPlotly()
    await nextTask()
    await draw(plotly)
  })
  turn = mine.catch(() => {})
  return mine
}
