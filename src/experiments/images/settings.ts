/**
 * The settings of the image lab: one table, from which the page's controls, the URL and the command line are made.
 */

export type TaskName = 'box' | 'brush' | 'random' | 'motion' | 'gaussian' | 'superres' | 'mri' | 'gray'

export interface ImagesSettings {
  /** A bundled model, or 'own' for one that was dropped. */
  readonly model: string
  /** A bundled image, or 'own'. */
  readonly image: string
  /** Side of the image in pixels where the model allows several: multiples of 8. */
  readonly side: number
  readonly task: TaskName
  /** Hole of `box`: centre and side, in units of the side. */
  readonly boxX: number
  readonly boxY: number
  readonly boxSide: number
  /** Part of the pixels that `random` keeps. */
  readonly kept: number
  /** `motion`: kernel's side in units of the image's side, and intensity 0..1. */
  readonly kernelSide: number
  readonly intensity: number
  /** `gaussian`: standard deviation in units of the image's side. */
  readonly blur: number
  /** `superres`: 2 or 4. */
  readonly factor: number
  /** `mri`: acceleration R; part of the columns that the fully sampled centre takes. */
  readonly acceleration: number
  readonly centre: number
  readonly sigmaY: number
  /** Seed of the mask, kernel and measurement noise. */
  readonly taskSeed: number
  readonly method: 'mmps' | 'pigdm' | 'tmpd' | 'dps' | 'diffpir' | 'jfps'
  readonly solver: 'cg' | 'gmres' | 'bicgstab'
  readonly iterations: number
  readonly guidance: number
  readonly proximity: number
  readonly sampler: 'ddim' | 'ddpm' | 'pc'
  readonly eta: number
  readonly steps: number
  readonly samples: number
  /** Seed of the sampler. */
  readonly seed: number
  /** What a comparison holds equal: 'steps' or 'evaluations'. */
  readonly equal: 'steps' | 'evaluations'
}
