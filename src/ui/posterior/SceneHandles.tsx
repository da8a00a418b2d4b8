/**
 * Handles over a panel's canvas: one moves the constraint A x = y, one turns it, and in R^3 one turns the view. Each is
 * a slider that takes the focus and moves by pointer, finger or arrow keys; both panels follow through the stores.
 */
import { IconArrowsHorizontal, IconArrowsMove, IconRotateClockwise, IconRotate3d } from '@tabler/icons-react'
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { useStore, type StoreApi } from 'zustand'
import { createStore } from 'zustand/vanilla'
import type { MixtureSettings } from '../../experiments/mixture/settings'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'
import { fromPixel, project, toPixel } from '../plots/scatterGeometry'
import { camera, orbit, resetCamera } from './camera'
import { startDrag, type ConstraintDrag } from './constraintDrag'
import classes from './plane.module.css'
import { movableSettings, type Plane } from './planeContent'
import {
  constraintHandles,
  directionText,
  movedConstraint,
  observationText,
  rangeOf,
  steppedConstraint,
  turnedConstraint,
} from './sceneDrag'

type Kind = 'move' | 'turn'

interface SceneHandlesProps {
  readonly lab: StoreApi<PosteriorLab>
  readonly panel: PanelName
  readonly plane: StoreApi<Plane | null>
}

/** Steps of the arrow keys, and with Shift. */
const STEPS = { y: [0.05, 0.25], angle: [1, 10], view: [5, 20] } as const
const VIEW_SPEED = 1.2

/** Whether someone has moved a handle: then nobody needs to be told that they can. */
const tried = createStore(() => false)

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1],
}

export function SceneHandles({ lab, panel, plane }: SceneHandlesProps) {
  const movable = useStore(lab, (state) => movableSettings(state) !== null)
  const inSpace = useStore(plane, (shown) => shown?.projection.axes.length === 3)
  return (
    <>
      {movable && <ConstraintHandle kind="move" lab={lab} plane={plane} hinted={panel === 'a'} />}
      {movable && <ConstraintHandle kind="turn" lab={lab} plane={plane} hinted={false} />}
      {inSpace && <ViewHandle />}
    </>
  )
}

interface ConstraintHandleProps {
  readonly kind: Kind
  readonly lab: StoreApi<PosteriorLab>
  readonly plane: StoreApi<Plane | null>
  readonly hinted: boolean
}

function ConstraintHandle({ kind, lab, plane, hinted }: ConstraintHandleProps) {
  const element = useRef<HTMLDivElement>(null)
  const press = useRef<{ drag: ConstraintDrag; from: readonly [number, number] } | null>(null)
  const keyed = useRef(false)
  const known = useStore(tried)
  const point = useStore(lab, (state) => state.settings.observed === 2 && state.scene?.features === 3)
  const [dragged, setDragged] = useState(false)
  useEffect(() => followScene(element.current!, kind, lab, plane), [kind, lab, plane])

  const change = (drag: ConstraintDrag, event: PointerEvent) => {
    const shown = plane.getState()
    if (!shown) return
    const [x, y] = pixelOf(event)
    const [fromX, fromY] = press.current!.from
    const { projection, view, reach } = shown
    if (kind === 'move') {
      const way = (2 * view.extent) / view.side
      drag.to(movedConstraint(drag.start, projection, [(x - fromX) * way, (fromY - y) * way]))
    } else {
      const now = movableSettings(lab.getState())
      // Where the handle's middle is meant to come: as far from the pointer as when it was taken.
      const target = fromPixel(view, [x - fromX, y - fromY])
      if (now) drag.to(turnedConstraint(now, projection, reach, target))
    }
  }
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const settings = movableSettings(lab.getState())
    const shown = plane.getState()
    if (event.button !== 0 || !settings || !shown) return
    event.currentTarget.setPointerCapture(event.pointerId)
    event.currentTarget.focus({ preventScroll: true })
    event.preventDefault()
    const [x, y] = pixelOf(event)
    const handle = toPixel(
      shown.view,
      project(shown.projection, constraintHandles(settings, shown.reach)[kind]),
    )
    press.current = {
      drag: startDrag(lab, settings),
      from: kind === 'move' ? [x, y] : [x - handle[0], y - handle[1]],
    }
    setDragged(true)
  }
  const finish = (how: 'end' | 'cancel') => {
    if (!press.current) return
    press.current.drag[how]()
    press.current = null
    setDragged(false)
    tried.setState(true)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && press.current) {
      event.preventDefault()
      finish('cancel')
      return
    }
    const arrow = arrows[event.key]
    const settings = movableSettings(lab.getState())
    if (!arrow || !settings || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    lab.getState().change(stepped(kind, settings, arrow, event.shiftKey), true)
    keyed.current = true
    tried.setState(true)
  }
  const onKeyUp = () => {
    if (!keyed.current) return
    keyed.current = false
    const { y1, y2, azimuth, elevation } = lab.getState().settings
    lab.getState().change(kind === 'move' ? { y1, y2 } : { azimuth, elevation })
  }
  const { y1, azimuth } = lab.getState().settings
  const { minimum, maximum } = rangeOf(kind === 'move' ? 'y1' : 'azimuth')
  const Icon = kind === 'turn' ? IconRotateClockwise : point ? IconArrowsMove : IconArrowsHorizontal
  return (
    <div
      ref={element}
      role="slider"
      tabIndex={0}
      aria-label={kind === 'move' ? 'Observation y' : 'Measurement direction'}
      aria-valuemin={minimum}
      aria-valuemax={maximum}
      aria-valuenow={kind === 'move' ? y1 : azimuth}
      className={classes.handle}
      data-testid={`handle-${kind}`}
      data-dragged={dragged || undefined}
      title={kind === 'move' ? 'Drag to change y' : 'Drag to turn the measurement direction'}
      onPointerDown={onPointerDown}
      onPointerMove={(event) => press.current && change(press.current.drag, event)}
      onPointerUp={() => finish('end')}
      onPointerCancel={() => finish('end')}
      onKeyDown={onKeyDown}
      onKeyUp={onKeyUp}
      onBlur={onKeyUp}
    >
      <Icon size={17} stroke={2.2} aria-hidden />
      {hinted && !known && (
        <span className={classes.hint} aria-hidden>
          drag me
        </span>
      )}
    </div>
  )
}

/** Keeps a handle on its place in the picture and its value in words up to date. Returns how to stop. */
function followScene(
  handle: HTMLDivElement,
  kind: Kind,
  lab: StoreApi<PosteriorLab>,
  plane: StoreApi<Plane | null>,
): () => void {
  const place = () => {
    const shown = plane.getState()
    const settings = movableSettings(lab.getState())
    if (!shown || !settings || shown.projection.features !== settings.features) return
    const { move, turn } = constraintHandles(settings, shown.reach)
    const [x, y] = toPixel(shown.view, project(shown.projection, kind === 'move' ? move : turn))
    const [u, v] = project(
      shown.projection,
      turn.map((value, i) => value - move[i]!),
    )
    // A line moves across itself, a plane along the stem to its other handle.
    const angle = Math.atan2(-v, u) + (settings.features === 2 ? Math.PI / 2 : 0)
    handle.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`
    handle.style.setProperty(
      '--angle',
      kind === 'move' && settings.observed === 1 ? `${angle.toFixed(3)}rad` : '0rad',
    )
    handle.toggleAttribute('data-right', x > shown.view.side - 90)
    handle.ariaValueNow = String(kind === 'move' ? settings.y1 : settings.azimuth)
    handle.ariaValueText = kind === 'move' ? observationText(settings) : directionText(settings)
  }
  place()
  const unsubscribes = [lab.subscribe(place), plane.subscribe(place)]
  return () => {
    for (const unsubscribe of unsubscribes) unsubscribe()
  }
}

function stepped(
  kind: Kind,
  settings: MixtureSettings,
  [across, up]: readonly [number, number],
  large: boolean,
): Partial<MixtureSettings> {
  const both = settings.features === 3 && (kind === 'turn' || settings.observed === 2)
  const step = STEPS[kind === 'move' ? 'y' : 'angle'][large ? 1 : 0]
  const [first, second] = both ? [across, up] : [across + up, 0]
  return kind === 'move'
    ? steppedConstraint(settings, { y1: first * step, ...(both && { y2: second * step }) })
    : steppedConstraint(settings, { azimuth: first * step, ...(both && { elevation: second * step }) })
}

function pixelOf(event: PointerEvent): [number, number] {
  return [event.clientX, event.clientY]
}

/** Turns the view, which dragging the ground does too, for the keyboard. */
function ViewHandle() {
  const element = useRef<HTMLDivElement>(null)
  const last = useRef<readonly [number, number] | null>(null)
  useEffect(() => {
    const tell = () => {
      const { azimuth, elevation } = camera.getState()
      element.current!.ariaValueNow = String(Math.round(azimuth))
      element.current!.ariaValueText = `from azimuth ${Math.round(azimuth)}°, elevation ${Math.round(elevation)}°`
    }
    tell()
    return camera.subscribe(tell)
  }, [])
  const end = () => {
    last.current = null
  }
  return (
    <div
      ref={element}
      role="slider"
      tabIndex={0}
      aria-label="View"
      aria-valuemin={-180}
      aria-valuemax={180}
      aria-valuenow={0}
      className={`${classes.handle} ${classes.view}`}
      data-testid="handle-view"
      title="Drag here or on the ground to turn the view; double click or Home resets it"
      onDoubleClick={resetCamera}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        last.current = pixelOf(event)
      }}
      onPointerMove={(event) => {
        if (!last.current) return
        const [x, y] = pixelOf(event)
        orbit((last.current[0] - x) * VIEW_SPEED, (y - last.current[1]) * VIEW_SPEED)
        last.current = [x, y]
      }}
      onPointerUp={end}
      onPointerCancel={end}
      onKeyDown={(event) => {
        const arrow = arrows[event.key]
        if (event.key === 'Home') resetCamera()
        else if (arrow) {
          const step = STEPS.view[event.shiftKey ? 1 : 0]
          orbit(-arrow[0] * step, arrow[1] * step)
        } else return
        event.preventDefault()
      }}
    >
      <IconRotate3d size={17} aria-hidden />
    </div>
  )
}
