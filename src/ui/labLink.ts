/** A link to a lab: a real address for a new tab, and the lab as it was left for a plain click. */
import type { MouseEvent } from 'react'
import type { LabName } from '../store/route'
import { labDescriptions } from './labNames'

interface LabLink {
  readonly href: string
  readonly onClick: (event: MouseEvent) => void
}

export function labLink(lab: LabName, go: (lab: LabName) => void): LabLink {
  return {
    href: labDescriptions[lab].href,
    onClick: (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return
      event.preventDefault()
      go(lab)
    },
  }
}
