/**
 * The canvas of a panel of Figure 1. It follows store and camera outside React's render, zooms out with sigma_t, and
 * redraws only when something in it changed. What it drew last is in `plane`, for handles and pointer.
 */
import { useEffect, useRef } from 'react'
import type { StoreApi } from 'zustand'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'
import { easeReach } from '../plots/scatterGeometry'
import { drawScatter, sampleCount, scatterView } from '../plots/scatterCanvas'
import type { ScatterPixels } from '../plots/scatterPoints'
import type { ScatterStyle } from '../plots/scatterTypes'
import type { Colours } from '../theme'
import { camera } from './camera'
import { listenToPointer } from './planePointer'
import { createProbeReader, planeContent, type Plane } from './planeContent'

interface PlaneCanvasProps {
  readonly lab: StoreApi<PosteriorLab>
  readonly panel: PanelName
  readonly plane: StoreApi<Plane | null>
  readonly colours: Colours
  readonly style: ScatterStyle
  /** The plot in words. */
  readonly label: string
  readonly className?: string
}

/** Time that passes at most between two steps of a zoom: a slow drawing slows it down and does not skip it. */
const LONGEST_STEP = 50

const watch = ({ scene, settings, frame, probe }: PosteriorLab) => [scene, settings, frame, probe]

export function PlaneCanvas({ lab, panel, plane, colours, style, label, className }: PlaneCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const reach = useRef<number | null>(null)
  useEffect(() => {
    const element = canvas.current!
    const context = element.getContext('2d')!
    const still = window.matchMedia('(prefers-reduced-motion: reduce)')
    const readProbe = createProbeReader(panel)
    let pixels: ScatterPixels = { samples: new Float32Array(0), count: 0 }
    let scheduled = 0
    let zoomedAt = 0
    let watched: readonly unknown[] = []

    const draw = (time: number) => {
      scheduled = 0
      const state = lab.getState()
      watched = [...watch(state), state.panels[panel].result]
      const size = element.clientWidth
      if (size === 0) return
      const { targetReach, ...content } = planeContent(
        state,
        panel,
        camera.getState(),
        colours,
        readProbe(state),
      )
      reach.current =
        reach.current === null || still.matches
          ? targetReach
          : easeReach(reach.current, targetReach, Math.min(LONGEST_STEP, time - zoomedAt))
      const scale = window.devicePixelRatio
      const width = Math.round(size * scale)
      if (element.width !== width) {
        element.width = width
        element.height = width
      }
      const room = 3 * sampleCount(content)
      if (pixels.samples.length < room) pixels = { samples: new Float32Array(room), count: 0 }
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawScatter(context, size, scale, { ...content, reach: reach.current }, style, pixels)
      const { projection } = content
      const view = scatterView(size, reach.current, projection.axes.length)
      plane.setState({ projection, view, reach: reach.current, pixels }, true)
      zoomedAt = time
      if (reach.current !== targetReach) schedule()
    }
    const schedule = () => {
      if (scheduled === 0) scheduled = requestAnimationFrame(draw)
    }
    const wake = () => {
      // A zoom that begins now has not been under way since the last drawing.
      if (scheduled === 0) zoomedAt = performance.now() - 16
      schedule()
    }
    const unsubscribe = lab.subscribe((state) => {
      if ([...watch(state), state.panels[panel].result].some((part, k) => part !== watched[k])) wake()
    })
    const unfollow = camera.subscribe(wake)
    const observer = new ResizeObserver(wake)
    observer.observe(element)
    // The equations' letters, which name the axes too, come after the first drawing.
    document.fonts.addEventListener('loadingdone', wake)
    draw(performance.now())
    return () => {
      unsubscribe()
      unfollow()
      observer.disconnect()
      document.fonts.removeEventListener('loadingdone', wake)
      cancelAnimationFrame(scheduled)
    }
  }, [lab, panel, plane, colours, style])
  useEffect(() => listenToPointer(canvas.current!, lab, panel, plane), [lab, panel, plane])
  return <canvas ref={canvas} role="img" aria-label={label} className={className} />
}
