/** What run B may do differently; the data are those of run A. */
import { SimpleGrid, Text } from '@mantine/core'
import type { SettingKey } from '../../experiments/manifold/settings'
import { ManifoldSetting } from './ManifoldSetting'
import { useLabs } from '../labs'

const KEYS: readonly SettingKey[] = [
  'covariance',
  'solver',
  'safeguard',
  'sampler',
  'solverIterations',
  'samplerSteps',
]

export function RunBControls() {
  const { b } = useLabs()
  return (
    <section aria-label="Settings of run B" data-testid="run-b-controls">
      <Text size="xs" c="dimmed" mb={6}>
        Run B sees the same observations as run A. Choose what it does differently:
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
        {KEYS.map((key) => (
          <ManifoldSetting key={key} lab={b} settingKey={key} />
        ))}
      </SimpleGrid>
    </section>
  )
}
