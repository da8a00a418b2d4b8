/** Every method at the present setting, in numbers for a slide. */
import { Group, Text, Title } from '@mantine/core'
import { useStore } from 'zustand'
import type { MethodScore } from '../../experiments/mixture/scores'
import { CopyTableButton } from '../controls/CopyTableButton'
import { CsvButton } from '../controls/CsvButton'
import { MethodRow, NumberTable } from '../controls/NumberTable'
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
            <CsvButton
              content={exportTable}
              fileName={() => `${fileStem(lab.getState())}-methods.csv`}
              testId="table-csv"
            />
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
      <NumberTable
        title="method"
        columns={scoreColumns}
        className={`${classes.numbers} ${current ? '' : classes.stale}`}
        testId="methods-table"
      >
        {rows.map((score) => (
          <ScoreRow key={score.label} score={score} best={best.get(score.label)} />
        ))}
      </NumberTable>
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
  const method = score.method === 'exact' ? 'exact' : score.method.method
  return (
    <MethodRow
      row={score}
      columns={scoreColumns}
      best={best}
      name={<Subscripts text={score.label} />}
      colour={method === 'exact' ? truth : methods[method]}
      weight={method === 'exact' ? 600 : 400}
      testId={`score-${method}`}
    />
  )
}
