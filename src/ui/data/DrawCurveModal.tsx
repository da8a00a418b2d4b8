/** Drawing pads for a curve in R^n: one pad for each pair of coordinates (x1, x2), (x3, x4), … */
import { Button, Group, Modal, SimpleGrid, Text } from '@mantine/core'
import { useState } from 'react'
import { useStore } from 'zustand'
import { useRestartGuard } from '../controls/RestartGuard'
import { useShownLabs, type LabStore } from '../labs'
import type { Point } from './arcLength'
import { DrawingPad } from './DrawingPad'

interface DrawCurveModalProps {
  readonly lab: LabStore
  readonly opened: boolean
  readonly onClose: () => void
}

export function DrawCurveModal({ lab, opened, onClose }: DrawCurveModalProps) {
  const features = useStore(lab, (state) => state.settings.features)
  const labs = useShownLabs()
  const guard = useRestartGuard()
  const [strokes, setStrokes] = useState<Readonly<Record<number, readonly Point[]>>>(() => {
    const { dataSource } = lab.getState()
    if (dataSource.kind !== 'drawn') return {}
    return Object.fromEntries(dataSource.strokes.map(({ plane, points }) => [plane[0], points]))
  })
  const planes = Array.from({ length: Math.floor(features / 2) }, (_, k) => [2 * k, 2 * k + 1] as const)
  const drawn = planes.filter(([i]) => strokes[i])
  const use = () => {
    const { useDrawnCurve: takeDrawnCurve } = lab.getState()
    onClose()
    guard({
      labs,
      action: 'Use this curve',
      apply: takeDrawnCurve.bind(
        null,
        drawn.map((plane) => ({ plane, points: strokes[plane[0]]! })),
      ),
    })
  }
  return (
    <Modal opened={opened} onClose={onClose} title="Draw the curve" size={planes.length > 1 ? 760 : 440}>
      <Text size="sm" mb="sm">
        One stroke on a pad gives two coordinates of the curve; all pads are followed at the same pace.
        {features > 2 && ' Coordinates that you leave out come from the random curve.'}
      </Text>
      <SimpleGrid cols={{ base: 1, xs: Math.min(2, planes.length) }}>
        {planes.map((plane) => (
          <DrawingPad
            key={plane[0]}
            plane={plane}
            points={strokes[plane[0]]}
            onChange={(points) => {
              const { [plane[0]]: _replaced, ...others } = strokes
              setStrokes(points ? { ...others, [plane[0]]: points } : others)
            }}
          />
        ))}
      </SimpleGrid>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button onClick={use} disabled={drawn.length === 0} data-testid="use-drawing">
          Use this curve
        </Button>
      </Group>
    </Modal>
  )
}
