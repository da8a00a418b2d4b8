/** Every method at the present setting, in numbers for a slide. */
import { Button, Group, Table, Text, Title, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useStore } from 'zustand'
import type { MethodScore } from '../../experiments/mixture/scores'
import controls from '../controls/controls.module.css'
import { CopyTableButton } from '../controls/CopyTableButton'
import { download } from '../download'
import { Subscripts } from '../math/Subscripts'
import { ProblemCard } from '../ProblemAlert'
import { useColours } from '../useColours'
import { TableExplanation } from './Explanations'
import { fileStem } from './fileNames'
import { JobBar } from '../transport/JobBar'
import classes from './posterior.module.css'
import { bestColumns, scoreColumns, scoresAsText } from './scoreTable'
import type { PosteriorStore } from './stores'

export function MethodsTable({ lab }: { lab: PosteriorStore }) {
  const table = useStore(lab, (state) => state.table)
  const ready = useStore(lab, (state) => state.status === 'ready')
  const { runTable, pauseTable, cancelTable, exportTable } = lab.getState()
  const { rows, current, problem } = table
  return (
    <section aria-label="Methods in numbers" data-tour="table">
      <Group justify="space-between" mb={6}>
        <Title order={2} size="md">
          Methods in numbers
        </Title>
        {rows.length > 0 && (
          <Group gap={4}>
            <CopyTableButton text={scoresAsText(rows)} />
            <Button
              variant="subtle"
              size="compact-xs"
              leftSection={<IconDownload size={14} />}
              onClick={() => download(exportTable(), `${fileStem(lab.getState())}-methods.csv`)}
              data-testid="table-csv"
            >
              CSV
            </Button>
          </Group>
        )}
      </Group>
      <div className={classes.beside}>
        <div>
          <JobBar
            job={table}
            name="table"
            runLabel={rows.length > 0 && current ? 'Run again' : 'Run all methods'}
            runUnavailable={!ready}
            onRun={runTable}
            onPause={pauseTable}
            onCancel={cancelTable}
          />
          {problem && <ProblemCard problem={problem} />}
          {rows.length === 0 ? (
            <Text size="xs" c="dimmed" p="md" ta="center" mt="xs" className="placeholder">
              One row a method appears here: each draws samples at the present setting, which are compared
              with the exact posterior.
            </Text>
          ) : (
            <Rows rows={rows} current={current} />
          )}
        </div>
        <TableExplanation />
      </div>
    </section>
  )
}

function Rows({ rows, current }: { rows: readonly MethodScore[]; current: boolean }) {
  const best = bestColumns(rows)
  return (
    <>
      {!current && (
        <Text size="xs" mt={6} data-testid="table-stale">
          These numbers belong to the setting before your last change: run again.
        </Text>
      )}
      <div className={classes.tableWrap}>
        <Table
          fz="xs"
          verticalSpacing={3}
          horizontalSpacing={8}
          data-testid="methods-table"
          className={`${classes.numbers} ${current ? '' : classes.stale}`}
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>method</Table.Th>
              {scoreColumns.map(({ key, label, explanation }) => (
                <Table.Th key={key} ta="right">
                  <Tooltip label={explanation}>
                    <span>{label}</span>
                  </Tooltip>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((score) => (
              <ScoreRow key={score.label} score={score} best={best.get(score.label)} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {best.size > 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          ● bold: nearest to the ideal in its column.
        </Text>
      )}
    </>
  )
}

function ScoreRow({ score, best }: { score: MethodScore; best: ReadonlySet<string> | undefined }) {
  const { methods, truth } = useColours()
  const colour = score.method === 'exact' ? truth : methods[score.method.method]
  return (
    <Table.Tr data-testid={`score-${score.method === 'exact' ? 'exact' : score.method.method}`}>
      <Table.Th scope="row" fw={score.method === 'exact' ? 600 : 400} style={{ whiteSpace: 'nowrap' }}>
        <span className={controls.dot} style={{ background: colour, marginRight: 6 }} aria-hidden />
        <Subscripts text={score.label} />
      </Table.Th>
      {scoreColumns.map(({ key, text }) => {
        const isBest = best?.has(key) === true
        return (
          <Table.Td key={key} ta="right" className={isBest ? classes.best : undefined}>
            {isBest && <span aria-hidden>● </span>}
            {text(score)}
            {isBest && <VisuallyHidden> (best)</VisuallyHidden>}
          </Table.Td>
        )
      })}
    </Table.Tr>
  )
}
