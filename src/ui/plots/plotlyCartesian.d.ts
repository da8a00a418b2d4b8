declare module 'plotly.js-cartesian-dist-min' {
  export { newPlot, react, purge, toImage, Plots } from 'plotly.js'
}
