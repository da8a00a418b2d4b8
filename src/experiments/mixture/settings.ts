/**
 * Every setting of the posterior lab (paper section 4.2, Figures 1 and 2): its symbol, meaning, range and default, in
 * one table that the page's controls, the URL and the command line all read.
 */

/** Settings of the scene and the sampler. Units: lengths are those of x in [-2, 2], angles are degrees. */
export interface MixtureSettings {
  seed: number
  shape: 'random' | 'spiral' | 'ring' | 'moons' | 'letters' | 'drawn' | 'learned'
  /** n of the mixture, 2 or 3; a learned prior brings its own. */
  features: number
  /** K, 16 to 512. */
  components: number
  thickness: number
  smoothness: number
  /** Rows m of A: 1, or 2 in R^3. */
  observed: number
  /** Direction of A's first row in the plane of x_1 and x_2. */
  azimuth: number
  /** Its angle out of that plane, in R^3. */
  elevation: number
  y1: number
  y2: number
  sigmaY: number
  /** Which of the learned prior's own pairs is observed, where n > 3. */
  index: number
  sampler: 'ddpm' | 'ddim' | 'pc'
  steps: number
  eta: number
  corrections: number
  delta: number
  sigmaMin: number
  sigmaMax: number
  /** Points drawn by each method, a power of two. */
  samples: number
}

/** What a person calls a method: MMPS with its covariance, or another sampler. */
export type MethodId =
  | 'mmps'
  | 'gaussian'
  | 'identity'
  | 'zero'
  | 'pigdm'
  | 'tmpd'
  | 'dps'
  | 'diffpir'
  | 'jfps'
  | 'tds'

/** Settings of one panel's method. */
export interface MethodSettings {
  method: MethodId
  solver: 'exact' | 'cg' | 'gmres' | 'bicgstab'
  solverIterations: number
  guidance: number
  proximity: number
  particles: number
}
