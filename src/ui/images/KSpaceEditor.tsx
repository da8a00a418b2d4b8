/** Which columns of the spectrum are measured: drag the band of the centre and the acceleration on the picture. */
import { Text } from '@mantine/core'
import { useRef, type KeyboardEvent, type PointerEvent } from 'react'
import { useStore } from 'zustand'
import type { ImagesSettings } from '../../experiments/images/settings'
import { formatMeasure, formatPercent } from '../format'
import { useColours } from '../useColours'
import {
  accelerationAt,
  accelerationHeight,
  arrowDirection,
  bandEdges,
  centreAt,
  range,
  unitPoint,
} from './editorGeometry'
import { PictureCanvas } from './PictureCanvas'
import classes from './pictures.module.css'
import type { ImagesStore } from './stores'

type Handle = 'centre' | 'acceleration'

interface Drag {
  readonly handle: Handle
  readonly start: Pick<ImagesSettings, Handle>
}

export function KSpaceEditor({ lab, disabled }: { lab: ImagesStore; disabled: boolean }) {
  const mask = useStore(lab, (state) => state.measurement)
  const acceleration = useStore(lab, (state) => state.settings.acceleration)
  const centre = useStore(lab, (state) => state.settings.centre)
  const { observation: colour } = useColours()
  const drag = useRef<Drag | null>(null)
  const { change } = lab.getState()
  const edges = bandEdges(centre)
  const height = accelerationHeight(acceleration)

  const begin = (handle: Handle) => (event: PointerEvent<SVGElement>) => {
    if (disabled) return
    event.currentTarget.setPointerCapture(event.pointerId)
    drag.current = { handle, start: { centre, acceleration } }
  }
  const move = (event: PointerEvent<SVGSVGElement>) => {
    if (!drag.current) return
    const [x, y] = unitPoint(event, event.currentTarget)
    if (drag.current.handle === 'centre') change({ centre: centreAt(x, acceleration) }, true)
    else change({ acceleration: accelerationAt(y, centre) }, true)
  }
  const end = () => {
    if (!drag.current) return
    drag.current = null
    change({ centre, acceleration })
  }
  const onKey = (handle: Handle) => (event: KeyboardEvent) => {
    if (event.key === 'Escape' && drag.current) {
      change(drag.current.start)
      drag.current = null
    }
    const direction = arrowDirection(event.key)
    if (!direction || disabled) return
    event.preventDefault()
    const by = direction[0] - direction[1]
    if (handle === 'centre') change({ centre: centreAt(edges[1] + by / 64, acceleration) })
    else change({ acceleration: accelerationAt(height - by / 32, centre) })
  }
  const grip = (handle: Handle) => ({
    r: 4,
    fill: colour,
    stroke: '#fff',
    strokeWidth: 1.5,
    vectorEffect: 'non-scaling-stroke' as const,
    className: classes.grip,
    role: 'slider',
    tabIndex: 0,
    'aria-valuemin': range(handle).minimum,
    'aria-valuemax': range(handle).maximum,
    onPointerDown: begin(handle),
    onKeyDown: onKey(handle),
  })
  return (
    <div style={{ maxWidth: 220 }}>
      <div className={classes.frame}>
        {mask && (
          <PictureCanvas picture={mask} label="Measured columns of the spectrum, white" testId="kspace" />
        )}
        <svg
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
            {...grip('centre')}
            cx={100 * edges[1]}
            cy={82}
            style={{ cursor: 'ew-resize' }}
            aria-label="Part of the columns in the whole centre"
            aria-valuenow={centre}
            aria-valuetext={formatPercent(centre)}
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
            {...grip('acceleration')}
            cx={92}
            cy={100 * height}
            style={{ cursor: 'ns-resize' }}
            aria-orientation="vertical"
            aria-label="Acceleration R"
            aria-valuenow={acceleration}
            aria-valuetext={`one column in ${formatMeasure(acceleration)}`}
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
