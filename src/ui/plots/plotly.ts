/** The only import of plotly: its cartesian bundle, loaded when the first plot has something to show. */

export type Plotly = typeof import('plotly.js-cartesian-dist-min')

let loading: Promise<Plotly> | undefined

/** Errors: the network; the next call tries again. */
export function loadPlotly(): Promise<Plotly> {
  loading ??= import('plotly.js-cartesian-dist-min').then(
    (module) => (module as Plotly & { default?: Plotly }).default ?? module,
    (error: unknown) => {
      loading = undefined
      throw error
    },
  )
  return loading
}
