/** The only import of plotly: its cartesian bundle, loaded when the first plot has something to show. */

export type Plotly = typeof import('plotly.js-cartesian-dist-min')

let loading: Promise<Plotly> | undefined

/** Errors: the network; the next call tries again. */
function loadPlotly(): Promise<Plotly> {
  loading ??= import('plotly.js-cartesian-dist-min').then(
    (module) => (module as Plotly & { default?: Plotly }).default ?? module,
    (error: unknown) => {
      loading = undefined
      throw error
    },
  )
  return loading
}

let turn: Promise<unknown> = Promise.resolve()

/** Draws one plot after the other, each in a task of its own, so that the page can answer in between. */
export function drawInTurn(draw: (plotly: Plotly) => Promise<unknown>): Promise<void> {
  const mine = turn.then(async () => {
    const plotly = await loadPlotly()
    await new Promise((resolve) => setTimeout(resolve))
    await draw(plotly)
  })
  turn = mine.catch(() => {})
  return mine
}
