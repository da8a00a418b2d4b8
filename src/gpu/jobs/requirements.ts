/**
 * What the kernels require of a mixture and of an observation.
 */
import type { Mixture, Observations } from '../../diffusion/types'

/** Error: RangeError where the mixture is none, or has more features than the kernels take. */
export function requireMixture({ features, means, thickness }: Mixture): void {
  if (features > 8) throw new RangeError(`The GPU kernels take 1 to 8 features, not ${features}.`)
  if (!(means.length >= features && means.length % features === 0 && thickness > 0)) {
    throw new RangeError('A mixture needs whole means and a thickness above zero.')
  }
}

/** Error: RangeError where A and y of one observation of `features` features do not fit together. */
export function requireRows({ observed, A, y }: Observations, features: number): void {
  if (!(observed >= 1 && observed <= 8) || A.length !== observed * features || y.length !== observed) {
    throw new RangeError(`An observation has 1 to 8 rows of ${features} features, as many in A as in y.`)
  }
}
