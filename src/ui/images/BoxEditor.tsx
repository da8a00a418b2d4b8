/** The hole of the box task, on the observation: drag it, pull its corners, or use the arrow keys. */
import { useRef, type KeyboardEvent, type PointerEvent } from 'react'
import { useStore } from 'zustand'
import { useShallow } from 'zustand/shallow'
import { useColours } from '../useColours'
import {
  arrowDirection,
  cornerOf,
  movedHole,
  resizedHole,
  unitPoint,
  type Corner,
  type Hole,
  type UnitPoint,
} from './editorGeometry'
import classes from './pictures.module.css'
import type { ImagesStore } from './stores'

const CORNERS: readonly Corner[] = ['nw', 'ne', 'sw', 'se']
const NAMES: Readonly<Record<Corner, string>> = {
  nw: 'upper left',
  ne: 'upper right',
  sw: 'lower left',
  se: 'lower right',
}
const KEY_STEP = 1 / 64

interface Drag {
  readonly start: Hole
  readonly from: UnitPoint
  /** Undefined drags the whole hole. */
  readonly corner: Corner | undefined
}

export function BoxEditor({ lab, disabled }: { lab: ImagesStore; disabled: boolean }) {
  const drag = useRef<Drag | null>(null)
  const { observation: colour } = useColours()
  const hole = useStore(
    lab,
    useShallow(({ settings }): Hole => ({ x: settings.boxX, y: settings.boxY, side: settings.boxSide })),
  )
  const show = ({ x, y, side }: Hole, transient: boolean) =>
    lab.getState().change({ boxX: x, boxY: y, boxSide: side }, transient)

  const begin = (corner: Corner | undefined) => (event: PointerEvent<SVGElement>) => {
    if (disabled) return
    event.stopPropagation()
    event.currentTarget.setPointerCapture(event.pointerId)
    drag.current = { start: hole, from: unitPoint(event, event.currentTarget.ownerSVGElement!), corner }
  }
  const move = (event: PointerEvent<SVGSVGElement>) => {
    if (!drag.current) return
    const { start, from, corner } = drag.current
    const point = unitPoint(event, event.currentTarget)
    if (corner) show(resizedHole(start, corner, point), true)
    else show(movedHole(start, [point[0] - from[0], point[1] - from[1]]), true)
  }
  const end = () => {
    if (!drag.current) return
    drag.current = null
    show(hole, false)
  }
  const cancel = () => {
    if (!drag.current) return
    show(drag.current.start, false)
    drag.current = null
  }
  const onKey = (corner: Corner | undefined) => (event: KeyboardEvent) => {
    if (event.key === 'Escape') cancel()
    const direction = arrowDirection(event.key)
    if (!direction || disabled) return
    event.preventDefault()
    const step = (event.shiftKey ? 4 : 1) * KEY_STEP
    const [dx, dy] = [direction[0] * step, direction[1] * step]
    if (!corner) show(movedHole(hole, [dx, dy]), false)
    else {
      const [x, y] = cornerOf(hole, corner)
      // One arrow moves both coordinates of the corner, for the hole stays square.
      const along = dx + (corner === 'ne' || corner === 'sw' ? -dy : dy)
      const grow = corner.endsWith('e') ? along : -along
      const out = [corner.endsWith('e') ? grow : -grow, corner.startsWith('s') ? grow : -grow] as const
      show(resizedHole(hole, corner, [x + out[0], y + out[1]]), false)
    }
  }
  const percent = (value: number) => Math.round(100 * value)
  return (
    <svg
      viewBox="0 0 100 100"
      className={`${classes.overlay} ${classes.handles}`}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={cancel}
      data-testid="box-editor"
    >
      <rect
        x={100 * (hole.x - hole.side / 2)}
        y={100 * (hole.y - hole.side / 2)}
        width={100 * hole.side}
        height={100 * hole.side}
        fill="transparent"
        stroke={colour}
        strokeWidth={2}
        strokeDasharray={disabled ? '5 4' : undefined}
        vectorEffect="non-scaling-stroke"
        className={disabled ? undefined : classes.grip}
        role="button"
        tabIndex={0}
        aria-disabled={disabled || undefined}
        aria-label={`Hole at ${percent(hole.x)} %, ${percent(hole.y)} %: arrow keys move it`}
        onPointerDown={begin(undefined)}
        onKeyDown={onKey(undefined)}
      />
      {(disabled ? [] : CORNERS).map((corner) => {
        const [x, y] = cornerOf(hole, corner)
        return (
          <g key={corner}>
            {/* Large enough for a finger. */}
            <circle
              cx={100 * x}
              cy={100 * y}
              r={7}
              fill="transparent"
              style={{ cursor: corner === 'nw' || corner === 'se' ? 'nwse-resize' : 'nesw-resize' }}
              onPointerDown={begin(corner)}
            />
            <circle
              cx={100 * x}
              cy={100 * y}
              r={2.6}
              fill={colour}
              stroke="#fff"
              strokeWidth={1.5}
              vectorEffect="non-scaling-stroke"
              className={classes.grip}
              role="button"
              tabIndex={0}
              aria-label={`${NAMES[corner]} corner of the hole, side ${percent(hole.side)} %: arrow keys resize it`}
              onPointerDown={begin(corner)}
              onKeyDown={onKey(corner)}
            />
          </g>
        )
      })}
    </svg>
  )
}
