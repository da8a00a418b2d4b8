/** Keys that work wherever the focus is not in something that needs them itself. */
import { useEffect } from 'react'
import type { LabName } from '../../store/route'

export interface Shortcuts {
  readonly toggle: () => void
  /** -1 and 1 move by an iteration, infinities to the ends. */
  readonly scrub: (by: number) => void
  readonly help: () => void
}

export interface ShortcutDescription {
  readonly keys: readonly string[]
  readonly action: string
}

const EVERYWHERE: readonly ShortcutDescription[] = [
  { keys: ['?'], action: 'This list' },
  { keys: ['Tab'], action: 'Next control; arrow keys move a slider that has the focus' },
  { keys: ['Esc'], action: 'Close a dialog, undo what was typed' },
]

export const shortcutHelp: Readonly<Record<LabName, readonly ShortcutDescription[]>> = {
  manifold: [
    { keys: ['Space'], action: 'Run or pause' },
    { keys: ['←', '→'], action: 'One iteration back or forward' },
    { keys: ['Home', 'End'], action: 'First iteration, newest iteration' },
    ...EVERYWHERE,
  ],
  posterior: [
    { keys: ['Space'], action: 'Play or pause the film of the reverse diffusion' },
    { keys: ['←', '→'], action: 'One frame back or forward' },
    { keys: ['Home', 'End'], action: 'All noise, final samples' },
    { keys: ['↑', '↓', '←', '→'], action: 'Move the constraint, once its handle has the focus' },
    ...EVERYWHERE,
  ],
  images: [
    { keys: ['Space'], action: 'Run or pause' },
    { keys: ['←', '→'], action: 'One frame of the film back or forward' },
    { keys: ['Home', 'End'], action: 'First frame, newest picture' },
    { keys: ['Ctrl', 'V'], action: 'Restore an image from the clipboard' },
    {
      keys: ['↑', '↓', '←', '→'],
      action: 'Move the hole, its corners or the brush, once they have the focus',
    },
    ...EVERYWHERE,
  ],
}

const OWN_KEYS =
  'input, textarea, select, button, a, summary, [contenteditable="true"], [role="slider"], [role="dialog"], [role="menu"], [role="listbox"], [role="radio"]'

export function useShortcuts({ toggle, scrub, help }: Shortcuts): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      const target = event.target as HTMLElement
      const typing = target.matches('input, textarea, select')
      if (event.key === '?' && !typing) help()
      else if (target.closest(OWN_KEYS)) return
      else if (event.key === ' ') toggle()
      else if (event.key === 'ArrowLeft') scrub(-1)
      else if (event.key === 'ArrowRight') scrub(1)
      else if (event.key === 'Home') scrub(Number.NEGATIVE_INFINITY)
      else if (event.key === 'End') scrub(Number.POSITIVE_INFINITY)
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [toggle, scrub, help])
}
