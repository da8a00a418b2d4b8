/** The three labs, as the header names them. */
import type { LabName } from '../store/route'

export interface LabDescription {
  readonly name: string
  /** One sentence for a first visit. */
  readonly sentence: string
  /** Of the browser's window. */
  readonly title: string
  readonly href: string
  /** Not built yet: what it will do. */
  readonly coming?: string
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
    sentence: 'Not built yet.',
    title: 'DiEM Playground: images, to come',
    href: '#lab=images',
    coming: 'Inpainting, deblurring and more on images: not built yet.',
  },
}

export const labOrder: readonly LabName[] = ['manifold', 'posterior', 'images']
