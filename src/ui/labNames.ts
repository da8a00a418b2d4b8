/** The three labs, as the header names them. */
import type { LabName } from '../store/route'

export interface LabDescription {
  readonly name: string
  /** One sentence for a first visit. */
  readonly sentence: string
  /** Of the browser's window. */
  readonly title: string
  readonly href: string
}

export const labDescriptions: Readonly<Record<LabName, LabDescription>> = {
  manifold: {
    name: 'Manifold',
    sentence: 'Learn where the points live, having seen only their shadows.',
    title: 'DiEM Playground: learn a diffusion prior from projections',
    href: '#',
  },
  posterior: {
    name: 'Posterior',
    sentence: 'From one shadow back to the point: every method beside the exact answer.',
    title: 'DiEM Playground: posterior samplers beside the exact posterior',
    href: '#lab=posterior',
  },
  images: {
    name: 'Images',
    sentence: 'What is missing from a picture, drawn from what pictures look like.',
    title: 'DiEM Playground: restore your own images by posterior sampling',
    href: '#lab=images',
  },
}

export const labOrder: readonly LabName[] = ['manifold', 'posterior', 'images']
