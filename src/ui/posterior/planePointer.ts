/**
 * The pointer on a panel's canvas: it drags a constraint line, turns the view in R^3, and picks the sample that is
 * clicked. Touch: a finger that starts on the line drags it; elsewhere a finger that moves up or down scrolls the page.
 */
import type { StoreApi } from 'zustand'
import type { MixtureSettings } from '../../experiments/mixture/settings'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'
import { distanceToSegment, fromPixel, nearestPoint, project, toPixel } from '../plots/scatterGeometry'
import { orbit, resetCamera } from './camera'
import { startDrag, type ConstraintDrag } from './constraintDrag'
import { movableSettings, type Plane } from './planeContent'
import { constraintHandles, movedConstraint } from './sceneDrag'

type Pixel = readonly [number, number]

/** Pixels from what is meant that still count, and that a click may slip. */
const REACH = { mouse: 7, touch: 16 }
const SLIP = 4
/** Degrees that the view turns by a pixel. */
const ORBIT_SPEED = 0.45

/** Listens on a panel's canvas. Returns how to stop. */
export function listenToPointer(
  element: HTMLCanvasElement,
  lab: StoreApi<PosteriorLab>,
  panel: PanelName,
  plane: StoreApi<Plane | null>,
): () => void {
  let press: { id: number; from: Pixel; last: Pixel; moved: boolean; drag: ConstraintDrag | null } | null =
    null

  const pixelOf = (event: { clientX: number; clientY: number }): Pixel => {
    const box = element.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  /** The settings to drag, where a constraint line lies under the pixel. */
  const lineAt = (pixel: Pixel, reach: number): MixtureSettings | null => {
    const shown = plane.getState()
    const settings = movableSettings(lab.getState())
    if (!shown || !settings || (settings.features === 3 && settings.observed === 1)) return null
    const { move, turn } = constraintHandles(settings, shown.reach)
    const [from, to] = [move, turn].map((point) => toPixel(shown.view, project(shown.projection, point)))
    return distanceToSegment(pixel, from!, to!) <= reach ? settings : null
  }
  const sampleAt = (pixel: Pixel, reach: number): number | null => {
    const shown = plane.getState()
    return shown && nearestPoint(shown.pixels.samples, shown.pixels.count, pixel, reach)
  }
  const inSpace = () => plane.getState()?.projection.axes.length === 3
  const cursorAt = (pixel: Pixel): string => {
    if (lineAt(pixel, REACH.mouse)) return 'move'
    if (sampleAt(pixel, REACH.mouse) !== null) return 'pointer'
    return inSpace() ? 'grab' : ''
  }
  const reachOf = (event: PointerEvent) => (event.pointerType === 'mouse' ? REACH.mouse : REACH.touch)

  const onDown = (event: PointerEvent) => {
    if (press || event.button !== 0) return
    const pixel = pixelOf(event)
    const settings = lineAt(pixel, reachOf(event))
    element.setPointerCapture(event.pointerId)
    press = {
      id: event.pointerId,
      from: pixel,
      last: pixel,
      moved: false,
      drag: settings && startDrag(lab, settings),
    }
  }
  const onMove = (event: PointerEvent) => {
    const pixel = pixelOf(event)
    if (!press) {
      element.style.cursor = cursorAt(pixel)
      return
    }
    if (press.id !== event.pointerId) return
    press.moved ||= Math.hypot(pixel[0] - press.from[0], pixel[1] - press.from[1]) > SLIP
    const shown = plane.getState()
    if (!press.moved || !shown) return
    if (press.drag) {
      const [from, to] = [fromPixel(shown.view, press.from), fromPixel(shown.view, pixel)]
      press.drag.to(movedConstraint(press.drag.start, shown.projection, [to[0] - from[0], to[1] - from[1]]))
    } else if (inSpace()) {
      element.style.cursor = 'grabbing'
      orbit((press.last[0] - pixel[0]) * ORBIT_SPEED, (pixel[1] - press.last[1]) * ORBIT_SPEED)
    }
    press.last = pixel
  }
  const onUp = (event: PointerEvent) => {
    if (press?.id !== event.pointerId) return
    const { drag, moved, from } = press
    press = null
    element.style.cursor = ''
    drag?.end()
    if (moved || event.type === 'pointercancel') return
    const index = sampleAt(from, reachOf(event) + 4)
    lab.getState().setProbe(index === null ? null : { panel, index })
  }
  const onDoubleClick = () => {
    if (inSpace()) resetCamera()
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && press?.drag) {
      press.drag.cancel()
      press = null
    }
  }
  // A finger on the line must not scroll the page; only a listener that is not passive can say so.
  const onTouch = (event: TouchEvent) => {
    const touch = event.touches[0]
    if (event.touches.length === 1 && touch && lineAt(pixelOf(touch), REACH.touch)) event.preventDefault()
  }
  element.addEventListener('pointerdown', onDown)
  element.addEventListener('pointermove', onMove)
  element.addEventListener('pointerup', onUp)
  element.addEventListener('pointercancel', onUp)
  element.addEventListener('dblclick', onDoubleClick)
  element.addEventListener('touchstart', onTouch, { passive: false })
  document.addEventListener('keydown', onKey)
  return () => {
    press?.drag?.cancel()
    element.removeEventListener('pointerdown', onDown)
    element.removeEventListener('pointermove', onMove)
    element.removeEventListener('pointerup', onUp)
    element.removeEventListener('pointercancel', onUp)
    element.removeEventListener('dblclick', onDoubleClick)
    element.removeEventListener('touchstart', onTouch)
    document.removeEventListener('keydown', onKey)
  }
}
