/** A canvas that shows a corner plot and redraws itself when its part of the store changes. */
import { useEffect, useRef } from 'react'
import type { Lab } from '../../store/labTypes'
import type { LabStore } from '../labs'
import { cornerHeight, drawCorner, type CornerContent, type CornerStyle } from './cornerCanvas'

interface CornerCanvasProps {
  readonly lab: LabStore
  /** Parts of the state that are drawn; compared by reference. */
  readonly watch: (lab: Lab) => readonly unknown[]
  readonly content: (lab: Lab) => CornerContent
  readonly style: CornerStyle
  /** The plot in words. */
  readonly label: string
}

export function CornerCanvas({ lab, watch, content, style, label }: CornerCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const element = canvas.current!
    const context = element.getContext('2d')!
    let frame = 0
    let watched: readonly unknown[] = []
    const draw = () => {
      frame = 0
      const state = lab.getState()
      watched = watch(state)
      const size = element.clientWidth
      if (size === 0) return
      const scale = window.devicePixelRatio
      const pixels = Math.round(size * scale)
      if (element.width !== pixels) {
        element.width = pixels
        element.height = Math.round(cornerHeight(size) * scale)
      }
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawCorner(context, size, content(state), style)
    }
    const schedule = () => {
      if (frame === 0) frame = requestAnimationFrame(draw)
    }
    const unsubscribe = lab.subscribe((state) => {
      if (watch(state).some((part, k) => part !== watched[k])) schedule()
    })
    const observer = new ResizeObserver(schedule)
    observer.observe(element)
    // The equations' letters, which name the axes too, come after the first drawing.
    document.fonts.addEventListener('loadingdone', schedule)
    draw()
    return () => {
      unsubscribe()
      observer.disconnect()
      document.fonts.removeEventListener('loadingdone', schedule)
      cancelAnimationFrame(frame)
    }
  }, [lab, watch, content, style])
  return <canvas ref={canvas} role="img" aria-label={label} style={{ display: 'block', width: '100%' }} />
}
