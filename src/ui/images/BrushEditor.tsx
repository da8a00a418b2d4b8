/** Painting what is missing, on the observation: pointer, or arrow keys and the space bar. */
import { ActionIcon, Group, SegmentedControl, Slider, Text, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconTrash } from '@tabler/icons-react'
import { useState, type KeyboardEvent, type PointerEvent } from 'react'
import { useStore } from 'zustand'
import { useColours } from '../useColours'
import { arrowDirection, extendedStroke, polyline, unitPoint, type UnitPoint } from './editorGeometry'
import classes from './pictures.module.css'
import type { ImagesStore } from './stores'

export interface Brush {
  /** In units of the side. */
  readonly width: number
  readonly erase: boolean
}

export const defaultBrush: Brush = { width: 0.1, erase: false }

const KEY_STEP = 1 / 32
const SHORTEST = 1e-4

interface BrushEditorProps {
  readonly lab: ImagesStore
  readonly brush: Brush
  readonly disabled: boolean
}

export function BrushEditor({ lab, brush, disabled }: BrushEditorProps) {
  const { observation: colour } = useColours()
  const [points, setPoints] = useState<readonly UnitPoint[] | null>(null)
  const [cursor, setCursor] = useState<UnitPoint | null>(null)

  const finish = (stroke: readonly UnitPoint[]) => {
    setPoints(null)
    const { strokes, setStrokes } = lab.getState()
    const [x, y] = stroke[0]!
    // A click is a dot: a line of no length is drawn as its two round ends.
    const line = stroke.length === 1 ? [[x, y] as const, [x + SHORTEST, y] as const] : stroke
    setStrokes([...strokes, { points: line, width: brush.width, erase: brush.erase }])
  }
  const onKey = (event: KeyboardEvent) => {
    if (disabled) return
    const direction = arrowDirection(event.key)
    if (event.key === 'Escape') setPoints(null)
    else if (event.key === ' ' || event.key === 'Enter') finish([cursor ?? [0.5, 0.5]])
    else if (direction) {
      const [x, y] = cursor ?? [0.5, 0.5]
      const clamp = (value: number) => Math.min(1, Math.max(0, value))
      setCursor([clamp(x + direction[0] * KEY_STEP), clamp(y + direction[1] * KEY_STEP)])
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <svg
      viewBox="0 0 100 100"
      className={classes.overlay}
      style={{ cursor: disabled ? 'not-allowed' : 'crosshair' }}
      role="button"
      tabIndex={0}
      aria-label="Brush on the observation: arrow keys move it, the space bar paints a dot"
      data-testid="brush-editor"
      onKeyDown={onKey}
      onBlur={() => setCursor(null)}
      onPointerDown={(event: PointerEvent<SVGSVGElement>) => {
        if (disabled || event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        setPoints([unitPoint(event, event.currentTarget)])
      }}
      onPointerMove={(event) => {
        const point = unitPoint(event, event.currentTarget)
        setCursor(point)
        if (points) setPoints(extendedStroke(points, point))
      }}
      onPointerUp={() => points && finish(points)}
      onPointerLeave={() => setCursor(null)}
      onPointerCancel={() => setPoints(null)}
    >
      {points && (
        <polyline
          points={polyline(points.length === 1 ? [points[0]!, points[0]!] : points, 100)}
          fill="none"
          stroke={brush.erase ? '#fff' : colour}
          strokeOpacity={0.7}
          strokeWidth={100 * brush.width}
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      )}
      {cursor && (
        <circle
          cx={100 * cursor[0]}
          cy={100 * cursor[1]}
          r={50 * brush.width}
          fill="none"
          stroke={colour}
          strokeWidth={1.5}
          strokeDasharray={brush.erase ? '4 3' : undefined}
          vectorEffect="non-scaling-stroke"
          pointerEvents="none"
        />
      )}
    </svg>
  )
}

interface BrushToolsProps extends BrushEditorProps {
  readonly onBrush: (brush: Brush) => void
}

export function BrushTools({ lab, brush, disabled, onBrush }: BrushToolsProps) {
  const strokes = useStore(lab, (state) => state.strokes)
  const { setStrokes } = lab.getState()
  return (
    <Group gap="xs" wrap="nowrap" mt={6}>
      <SegmentedControl
        size="xs"
        disabled={disabled}
        value={brush.erase ? 'erase' : 'paint'}
        onChange={(tool) => onBrush({ ...brush, erase: tool === 'erase' })}
        data={[
          { value: 'paint', label: 'Brush' },
          { value: 'erase', label: 'Eraser' },
        ]}
        aria-label="Tool"
      />
      <Slider
        flex={1}
        miw={60}
        size="xs"
        min={0.02}
        max={0.4}
        step={0.02}
        disabled={disabled}
        value={brush.width}
        label={(width) => `${Math.round(100 * width)} % of the side`}
        thumbLabel="Width of the brush"
        onChange={(width) => onBrush({ ...brush, width })}
      />
      <Tooltip label="Undo the last stroke">
        <ActionIcon
          variant="subtle"
          aria-label="Undo the last stroke"
          disabled={disabled || strokes.length === 0}
          onClick={() => setStrokes(strokes.slice(0, -1))}
          data-testid="brush-undo"
        >
          <IconArrowBackUp size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Clear all strokes">
        <ActionIcon
          variant="subtle"
          aria-label="Clear all strokes"
          disabled={disabled || strokes.length === 0}
          onClick={() => setStrokes([])}
          data-testid="brush-clear"
        >
          <IconTrash size={18} />
        </ActionIcon>
      </Tooltip>
      {strokes.length === 0 && (
        <Text size="xs" c="dimmed">
          Paint on the image.
        </Text>
      )}
    </Group>
  )
}
