/** The motion kernel: the picture of the one in use, and a pad to draw another. */
import { Button, Group, Text } from '@mantine/core'
import { IconDice5 } from '@tabler/icons-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import { useColours } from '../useColours'
import { extendedStroke, polyline, unitPoint, type UnitPoint } from './editorGeometry'
import { PictureCanvas } from './PictureCanvas'
import classes from './pictures.module.css'
import type { ImagesStore } from './stores'

/** Shorter strokes are clicks. */
const FEWEST_POINTS = 3

/** The pad's 0..1 as the kernel's -1..1, and back. */
const toKernel = ([x, y]: UnitPoint): UnitPoint => [2 * x - 1, 2 * y - 1]
const fromKernel = ([x, y]: UnitPoint): UnitPoint => [(x + 1) / 2, (y + 1) / 2]

export function KernelPad({ lab, disabled }: { lab: ImagesStore; disabled: boolean }) {
  const drawn = useStore(lab, (state) => state.drawnKernel)
  const kernel = useStore(lab, (state) => state.measurement)
  const colours = useColours()
  const [points, setPoints] = useState<readonly UnitPoint[] | null>(null)
  const shown = points ?? drawn?.map(fromKernel) ?? null
  const end = () => {
    if (points && points.length >= FEWEST_POINTS) lab.getState().setDrawnKernel(points.map(toKernel))
    setPoints(null)
  }
  const other = () => {
    const { settings, change, setDrawnKernel } = lab.getState()
    if (drawn) setDrawnKernel(null)
    else change({ taskSeed: (settings.taskSeed + 1) % 2 ** 32 })
  }
  return (
    <div>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <div style={{ width: 92 }}>
          <div className={classes.frame}>
            {kernel && <PictureCanvas picture={kernel} label="Kernel of the blur" testId="kernel" />}
          </div>
          <Text size="xs" c="dimmed">
            kernel in use
          </Text>
        </div>
        <div style={{ width: 92 }}>
          <svg
            viewBox="0 0 100 100"
            role="img"
            aria-label={`Pad to draw the path of the camera: ${drawn ? 'a path is drawn' : 'empty'}`}
            data-testid="kernel-pad"
            style={{
              display: 'block',
              width: '100%',
              aspectRatio: 1,
              touchAction: 'none',
              cursor: disabled ? 'not-allowed' : 'crosshair',
              border: `1px solid ${colours.frame}`,
              borderRadius: 4,
            }}
            onPointerDown={(event) => {
              if (disabled) return
              event.currentTarget.setPointerCapture(event.pointerId)
              setPoints([unitPoint(event, event.currentTarget)])
            }}
            onPointerMove={(event) =>
              points && setPoints(extendedStroke(points, unitPoint(event, event.currentTarget)))
            }
            onPointerUp={end}
            onPointerCancel={() => setPoints(null)}
          >
            <path d="M0 50H100M50 0V100" stroke={colours.grid} />
            {shown ? (
              <polyline
                points={polyline(shown, 100)}
                fill="none"
                stroke={colours.observation}
                strokeWidth={4}
                strokeLinecap="round"
                strokeLinejoin="round"
              />
            ) : (
              <text x="50" y="46" textAnchor="middle" fontSize="13" fill={colours.dimmed}>
                draw a path
              </text>
            )}
          </svg>
          <Text size="xs" c="dimmed">
            your own path
          </Text>
        </div>
      </Group>
      <Button
        mt={4}
        size="compact-xs"
        variant="default"
        leftSection={<IconDice5 size={14} />}
        disabled={disabled}
        onClick={other}
        data-testid="random-kernel"
      >
        {drawn ? 'Back to a random path' : 'Another random path'}
      </Button>
    </div>
  )
}
