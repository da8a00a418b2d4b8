/** What the backend can do, in one piece of code that it loads by itself. */
export { histograms } from './histograms'
export { logLikelihoods, moments } from './moments'
export { sample, trajectory } from './sample'
export { train } from './train'
export { transport } from './transport'
