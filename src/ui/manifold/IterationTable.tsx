/** The numbers of every EM iteration; a row shows that iteration's samples, and all can be copied. */
import { Group, ScrollArea, Table, Text, Title, UnstyledButton } from '@mantine/core'
import { useStore } from 'zustand'
import type { IterationSummary } from '../../experiments/manifold/diem'
import { CopyTableButton } from '../controls/CopyTableButton'
import { formatMeasure, formatPercent, formatSeconds } from '../format'
import type { LabStore } from '../labs'
import classes from './lab.module.css'

/** Tab-separated, for a spreadsheet. Full precision. */
export function iterationsAsText(iterations: readonly IterationSummary[]): string {
  const header = ['iteration', 'loss', 'divergence', 'kept', 'consistency', 'seconds']
  const rows = iterations.map((summary) => [
    summary.iteration,
    summary.loss ?? '',
    summary.divergence ?? '',
    summary.kept,
    summary.consistency,
    summary.seconds,
  ])
  return [header, ...rows].map((row) => row.join('\t')).join('\n')
}

export function IterationTable({ lab, name }: { lab: LabStore; name?: string }) {
  const iterations = useStore(lab, (state) => state.iterations)
  const selected = useStore(lab, (state) => state.selected)
  const shown = selected ?? iterations.at(-1)?.iteration
  return (
    <section aria-label={name ? `Numbers of ${name}` : 'Numbers per iteration'}>
      <Group justify="space-between" mb={4}>
        <Title order={3} size="sm">
          {name ? `Numbers of ${name}` : 'Numbers'}
        </Title>
        {iterations.length > 0 && <CopyTableButton text={iterationsAsText(iterations)} />}
      </Group>
      {iterations.length === 0 ? (
        <Text size="xs" c="dimmed">
          One row an iteration appears here.
        </Text>
      ) : (
        <ScrollArea.Autosize mah={300} type="auto" offsetScrollbars="x">
          <Table
            stickyHeader
            fz="xs"
            verticalSpacing={3}
            horizontalSpacing={6}
            data-testid={`iteration-table${lab.getState().slot === 'b' ? '-b' : ''}`}
            className={classes.numbers}
          >
            <Table.Thead>
              <Table.Tr>
                <Table.Th>
                  <i>k</i>
                </Table.Th>
                <Table.Th ta="right">loss</Table.Th>
                <Table.Th ta="right">divergence</Table.Th>
                <Table.Th ta="right">kept</Table.Th>
                <Table.Th ta="right">consistency</Table.Th>
                <Table.Th ta="right">time</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {iterations.map((summary) => (
                <Table.Tr key={summary.iteration} data-shown={summary.iteration === shown || undefined}>
                  <Table.Td>
                    <UnstyledButton
                      fz="xs"
                      fw={600}
                      td="underline"
                      aria-label={`Show iteration ${summary.iteration}`}
                      aria-pressed={summary.iteration === shown}
                      onClick={() => lab.getState().select(summary.iteration)}
                    >
                      {summary.iteration}
                    </UnstyledButton>
                  </Table.Td>
                  <Table.Td ta="right">{formatMeasure(summary.loss)}</Table.Td>
                  <Table.Td ta="right">{formatMeasure(summary.divergence)}</Table.Td>
                  <Table.Td ta="right">{formatPercent(summary.kept)}</Table.Td>
                  <Table.Td ta="right">{formatMeasure(summary.consistency)}</Table.Td>
                  <Table.Td ta="right">{formatSeconds(summary.seconds)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollArea.Autosize>
      )}
    </section>
  )
}
