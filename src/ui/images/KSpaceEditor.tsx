/** Which columns of the spectrum are measured: drag the band of the centre and the acceleration on the picture. */
import { Text } from '@mantine/core'
import { useRef, type KeyboardEvent, type PointerEvent } from 'react'
import { useStore } from 'zustand'
import { formatMeasure, formatPercent } from '../format'
import { useColours } from '../useColours'
import {
  accelerationAt,
  accelerationHeight,
  arrowDirection,
  bandEdges,
  centreAt,
  unitPoint,
} from './editorGeometry'
import { PictureCanvas } from './PictureCanvas'
import classes from './pictures.module.css'
import type { ImagesStore } from './stores'

type Handle = 'centre' | 'acceleration'

export function KSpaceEditor({ lab, disabled }: { lab: ImagesStore; disabled: boolean }) {
  const mask = useStore(lab, (state) => state.measurement)
  const acceleration = useStore(lab, (state) => state.settings.acceleration)
  const centre = useStore(lab, (state) => state.settings.centre)
  const { observation: colour } = useColours()
  const svg = useRef<SVGSVGElement>(null)
  const drag = useRef<Handle | null>(null)
  const start = useRef({ centre, acceleration })
  const { change } = lab.getState()
  const edges = bandEdges(centre)
  const height = accelerationHeight(acceleration)

  const begin = (handle: Handle) => (event: PointerEvent<SVGElement>) => {
    if (disabled) return
    event.currentTarget.setPointerCapture(event.pointerId)
    start.current = { centre, acceleration }
    drag.current = handle
  }
  const move = (event: PointerEvent) => {
    if (!drag.current) return
    const [x, y] = unitPoint(event, svg.current!)
    if (drag.current === 'centre') change({ centre: centreAt(x, acceleration) }, true)
    else change({ acceleration: accelerationAt(y, centre) }, true)
  }
  const end = () => {
    if (!drag.current) return
    drag.current = null
    change({ centre, acceleration })
  }
  const onKey = (handle: Handle) => (event: KeyboardEvent) => {
    if (event.key === 'Escape' && drag.current) {
      drag.current = null
      change(start.current)
    }
    const direction = arrowDirection(event.key)
    if (!direction || disabled) return
    event.preventDefault()
    const by = direction[0] - direction[1]
    if (handle === 'centre') change({ centre: centreAt(edges[1] + by / 64, acceleration) })
    else change({ acceleration: accelerationAt(height - by / 32, centre) })
  }
  return (
    <div style={{ maxWidth: 220 }}>
      <div className={classes.frame}>
        {mask && (
          <PictureCanvas picture={mask} label="Measured columns of the spectrum, white" testId="kspace" />
        )}
        <svg
          ref={svg}
          viewBox="0 0 100 100"
          className={`${classes.overlay} ${classes.handles}`}
          onPointerMove={move}
          onPointerUp={end}
          onPointerCancel={end}
          data-testid="kspace-editor"
        >
          <rect
            x={100 * edges[0]}
            width={100 * (edges[1] - edges[0])}
            y={0}
            height={100}
            fill={colour}
            fillOpacity={0.25}
            style={{ pointerEvents: 'none' }}
          />
          {edges.map((edge, k) => (
            <line
              key={k === 0 ? 'left' : 'right'}
              x1={100 * edge}
              x2={100 * edge}
              y1={0}
              y2={100}
              stroke={colour}
              strokeWidth={k === 0 ? 2 : 3}
              vectorEffect="non-scaling-stroke"
              style={{ cursor: 'ew-resize' }}
              onPointerDown={begin('centre')}
            />
          ))}
          <circle
            cx={100 * edges[1]}
            cy={82}
            r={4}
            fill={colour}
            stroke="#fff"
            strokeWidth={1.5}
            vectorEffect="non-scaling-stroke"
            style={{ cursor: 'ew-resize' }}
            className={classes.grip}
            role="slider"
            tabIndex={0}
            aria-label="Part of the columns in the whole centre"
            aria-valuemin={0}
            aria-valuemax={0.5}
            aria-valuenow={centre}
            aria-valuetext={formatPercent(centre)}
            onPointerDown={begin('centre')}
            onKeyDown={onKey('centre')}
          />
          <line
            x1={0}
            x2={100}
            y1={100 * height}
            y2={100 * height}
            stroke={colour}
            strokeDasharray="5 4"
            strokeWidth={2}
            vectorEffect="non-scaling-stroke"
            style={{ pointerEvents: 'none' }}
          />
          <circle
            cx={92}
            cy={100 * height}
            r={4}
            fill={colour}
            stroke="#fff"
            strokeWidth={1.5}
            vectorEffect="non-scaling-stroke"
            style={{ cursor: 'ns-resize' }}
            className={classes.grip}
            role="slider"
            tabIndex={0}
            aria-orientation="vertical"
            aria-label="Acceleration R"
            aria-valuemin={1}
            aria-valuemax={16}
            aria-valuenow={acceleration}
            aria-valuetext={`one column in ${formatMeasure(acceleration)}`}
            onPointerDown={begin('acceleration')}
            onKeyDown={onKey('acceleration')}
          />
        </svg>
      </div>
      <Text size="xs" c="dimmed" mt={2}>
        White columns are measured. Drag the band to widen the whole centre, the dashed line up to scan faster
        (R = {formatMeasure(acceleration)}).
      </Text>
    </div>
  )
}
