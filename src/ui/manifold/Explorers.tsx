/** What can be drawn on demand from what a run has learned. */
import { Stack } from '@mantine/core'
import type { LabStore } from '../labs'
import { PosteriorPanel } from './PosteriorPanel'
import { UnconditionalPanel } from './UnconditionalPanel'

export function Explorers({ labs }: { labs: readonly LabStore[] }) {
  const panels = labs.map((lab) => [
    <UnconditionalPanel key="unconditional" lab={lab} />,
    <PosteriorPanel key="posterior" lab={lab} />,
  ])
  if (panels.length === 1) return panels[0]
  return panels.map((pair, k) => (
    <Stack key={labs[k]!.getState().slot} gap="xl">
      {pair}
    </Stack>
  ))
}
