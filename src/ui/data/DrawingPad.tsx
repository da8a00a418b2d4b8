/** A square [-2, 2]² to draw one stroke in, with ready-made shapes beside it. */
import { Button, Group, Text } from '@mantine/core'
import { useRef, useState, type PointerEvent } from 'react'
import { useColours } from '../useColours'
import { smoothStroke, strokeLength, type Point } from './arcLength'
import { shapes } from './shapes'

const STROKE_POINTS = 128
const EXTENT = 2
const SIDE = 320
/** A shorter stroke is a click, not a curve. */
const SHORTEST = 0.2

interface DrawingPadProps {
  /** Coordinates of the plane, from 0. */
  readonly plane: readonly [number, number]
  readonly points: readonly Point[] | undefined
  readonly onChange: (points: readonly Point[] | undefined) => void
}

export function DrawingPad({ plane, points, onChange }: DrawingPadProps) {
  const colours = useColours()
  const svg = useRef<SVGSVGElement>(null)
  const [stroke, setStroke] = useState<readonly Point[] | null>(null)

  const pointAt = (event: PointerEvent): Point => {
    const box = svg.current!.getBoundingClientRect()
    const clamp = (value: number) => Math.max(-EXTENT, Math.min(EXTENT, value))
    return [
      clamp((2 * EXTENT * (event.clientX - box.left)) / box.width - EXTENT),
      clamp(EXTENT - (2 * EXTENT * (event.clientY - box.top)) / box.height),
    ]
  }
  const end = () => {
    if (stroke && strokeLength(stroke) >= SHORTEST) onChange(smoothStroke(stroke, STROKE_POINTS))
    setStroke(null)
  }
  const shown = stroke ?? points
  const [i, j] = plane
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>
        <i>x</i>
        <sub>{i + 1}</sub> across, <i>x</i>
        <sub>{j + 1}</sub> up, from −2 to 2
      </Text>
      <svg
        ref={svg}
        viewBox={`0 0 ${SIDE} ${SIDE}`}
        role="img"
        aria-label={`Drawing pad for x${i + 1} and x${j + 1}: ${shown ? 'a curve is drawn' : 'empty'}`}
        data-testid={`pad-${i}-${j}`}
        style={{
          width: '100%',
          aspectRatio: '1',
          touchAction: 'none',
          cursor: 'crosshair',
          background: colours.panel,
          border: `1px solid ${colours.frame}`,
          borderRadius: 4,
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          setStroke([pointAt(event)])
        }}
        onPointerMove={(event) => stroke && setStroke([...stroke, pointAt(event)])}
        onPointerUp={end}
        onPointerCancel={() => setStroke(null)}
      >
        <path d={`M 0 ${SIDE / 2} H ${SIDE} M ${SIDE / 2} 0 V ${SIDE}`} stroke={colours.grid} />
        {shown && (
          <path d={path(shown)} fill="none" stroke={colours.truth} strokeWidth={3} strokeLinejoin="round" />
        )}
        {!shown && (
          <text x={SIDE / 2} y={SIDE / 2 - 8} textAnchor="middle" fill={colours.dimmed} fontSize={14}>
            Draw with finger, pen or mouse
          </text>
        )}
      </svg>
      <Group gap={4} mt={4}>
        {shapes.map((shape) => (
          <Button
            key={shape.name}
            size="compact-xs"
            variant="default"
            onClick={() => onChange(smoothStroke(shape.points, STROKE_POINTS, 0))}
          >
            {shape.name}
          </Button>
        ))}
        <Button size="compact-xs" variant="subtle" disabled={!points} onClick={() => onChange(undefined)}>
          Clear
        </Button>
      </Group>
    </div>
  )
}

function path(points: readonly Point[]): string {
  const scale = SIDE / (2 * EXTENT)
  return points
    .map(([x, y], k) => `${k === 0 ? 'M' : 'L'}${(x + EXTENT) * scale} ${(EXTENT - y) * scale}`)
    .join(' ')
}
