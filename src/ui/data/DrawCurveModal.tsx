/** Drawing pads for a curve in R^n: one pad for each pair of coordinates (x1, x2), (x3, x4), … */
import { Button, Group, Modal, SimpleGrid, Text } from '@mantine/core'
import { useState } from 'react'
import type { DrawnStroke } from '../../experiments/manifold/dataset'
import type { Point } from './arcLength'
import { DrawingPad } from './DrawingPad'

interface DrawCurveModalProps {
  readonly features: number
  /** What was drawn before. */
  readonly strokes: readonly DrawnStroke[]
  /** What becomes of coordinates that are not drawn. */
  readonly others: string
  readonly opened: boolean
  readonly onClose: () => void
  readonly onUse: (strokes: readonly DrawnStroke[]) => void
}

export function DrawCurveModal(props: DrawCurveModalProps) {
  const { features, others, opened, onClose, onUse } = props
  const [strokes, setStrokes] = useState<Readonly<Record<number, readonly Point[]>>>(() =>
    Object.fromEntries(props.strokes.map(({ plane, points }) => [plane[0], points])),
  )
  const planes = Array.from({ length: Math.floor(features / 2) }, (_, k) => [2 * k, 2 * k + 1] as const)
  const drawn = planes.filter(([i]) => strokes[i])
  const use = () => {
    onClose()
    onUse(drawn.map((plane) => ({ plane, points: strokes[plane[0]]! })))
  }
  return (
    <Modal opened={opened} onClose={onClose} title="Draw the curve" size={planes.length > 1 ? 760 : 440}>
      <Text size="sm" mb="sm">
        One stroke on a pad gives two coordinates of the curve; all pads are followed at the same pace.
        {features > 2 && ` ${others}`}
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
