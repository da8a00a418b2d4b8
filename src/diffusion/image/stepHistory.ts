/**
 * What is measured of every step on the device, and read with the frames:
 *
 *     ‖A x̂ - y‖ / (sigma_y √observed),   ‖b - M v‖/‖b‖ of the step's system,   ‖x‖², which tells whether x is finite
 */
import type { Scalars, Vector } from '../../linalg/vectorSpace'
import { sizeOf } from '../../operators/types'
import type { Plan } from '../types'
import { subtractMeasured } from './observedSystem'
import type { EstimatorRequest, ImageMethodOptions } from './types'

const COLUMNS = 3

export interface ImageStepRecord {
  readonly step: number
  readonly sigma: number
  /** ‖A x̂ - y‖ / (sigma_y √observed) of each sample; about 1 where x̂ agrees with y. */
  readonly misfit: readonly number[]
  /** ‖b - M v‖/‖b‖ of each sample's system, null where none was solved. */
  readonly solverResidual: readonly number[] | null
}

/** A sample left the finite numbers. */
export class NonFiniteImageError extends Error {
  override readonly name = 'NonFiniteImageError'
  constructor(
    readonly step: number,
    readonly steps: number,
    readonly sigma: number,
    advice = '',
  ) {
    super(
      `The image stopped being finite at step ${step + 1} of ${steps} (sigma ${sigma.toPrecision(2)}).${advice}`,
    )
  }

  /** The same, with what to do about it. */
  advised({ method, solver, iterations }: ImageMethodOptions): NonFiniteImageError {
    const general =
      ' Take more steps or a larger sigma_y, and look whether the model passes its verification.'
    let advice = ''
    if (method === 'dps') advice = ' Lower the guidance ζ.'
    else if (method === 'mmps' && solver !== 'gmres') advice = ' Solve with GMRES, or with fewer iterations.'
    else if (method === 'mmps' && iterations > 1) advice = ' Take fewer solver iterations.'
    return new NonFiniteImageError(this.step, this.steps, this.sigma, advice + general)
  }
}

export class StepHistory {
  /** [batch, COLUMNS · steps]. */
  readonly vector: Vector
  readonly records: ImageStepRecord[] = []
  private readonly measured: Vector
  private readonly square: Scalars
  private readonly misfit: Scalars
  /** Stands for the residual of a step that solves no system. */
  private readonly none: Scalars
  private readonly isSolved: boolean[] = []

  constructor(
    private readonly request: EstimatorRequest,
    private readonly plan: Plan,
  ) {
    const { denoiser, operator } = request
    const { space, batch } = denoiser
    this.vector = space.vector('history', batch, COLUMNS * plan.length)
    this.measured = space.vector('y - A x̂', batch, sizeOf(operator.output))
    this.square = space.scalars('‖x‖²', batch)
    this.misfit = space.scalars('misfit', batch)
    this.none = space.scalars('none', batch)
    space.compute([{ operation: 'add', out: this.none, a: 0, b: 0 }])
  }

  /** Measures a finished step: x after it, x̂, and its system's residual. */
  record(step: number, x: Vector, xHat: Vector, residual: Scalars | null): void {
    const { denoiser, operator, sigmaY } = this.request
    const { measured, square, misfit } = this
    const { space } = denoiser
    subtractMeasured(space, this.request, xHat, measured)
    space.dot(misfit, measured, measured)
    space.dot(square, x, x)
    space.compute([
      { operation: 'root', out: misfit, a: misfit },
      { operation: 'multiply', out: misfit, a: misfit, b: 1 / (sigmaY * Math.sqrt(operator.observed)) },
    ])
    space.record(this.vector, COLUMNS * step, [misfit, residual ?? this.none, square])
    this.isSolved[step] = residual !== null
  }

  /** Turns `numbers`, the vector as read, into records up to `step`; returns the new ones. Error: NonFiniteImageError. */
  take(step: number, numbers: Float32Array): readonly ImageStepRecord[] {
    const { plan, records } = this
    const { batch, size } = this.vector
    const first = records.length
    for (let s = first; s <= step; s++) {
      const column = (c: number) =>
        Array.from({ length: batch }, (_, i) => numbers[i * size + COLUMNS * s + c]!)
      const { sigma } = plan[s]!
      if (!column(2).every(Number.isFinite)) throw new NonFiniteImageError(s, plan.length, sigma)
      const solverResidual = this.isSolved[s] ? column(1) : null
      records.push({ step: s, sigma, misfit: column(0), solverResidual })
    }
    return records.slice(first)
  }

  release(): void {
    const { vector, measured, square, misfit, none } = this
    this.request.denoiser.space.release(vector, measured, square, misfit, none)
  }
}
