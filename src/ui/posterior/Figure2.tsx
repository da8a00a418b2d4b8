/** Figure 2 of the paper, computed here: its own seeds and points, Run, Pause, Cancel, Reset, and its command line. */
import { ActionIcon, Button, Code, CopyButton, Group, Stack, Text, Title, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy, IconRefresh } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { CsvButton } from '../controls/CsvButton'
import { formatCount } from '../format'
import { Chart } from '../plots/Chart'
import { ProblemCard } from '../ProblemAlert'
import { Figure2Explanation } from './Explanations'
import { Figure2Settings } from './Figure2Settings'
import { figure2Chart, watchFigure2 } from './figure2Chart'
import { JobBar } from '../transport/JobBar'
import classes from './posterior.module.css'
import type { PosteriorStore } from './stores'

export function Figure2({ lab }: { lab: PosteriorStore }) {
  const figure2 = useStore(lab, (state) => state.figure2)
  const ready = useStore(lab, (state) => state.status === 'ready')
  const { runFigure2, pauseFigure2, cancelFigure2, resetFigure2, exportFigure2 } = lab.getState()
  const { settings, rows, seedsDone, problem, status } = figure2
  const stores = useMemo(() => [lab], [lab])
  const complete = seedsDone >= settings.seeds
  return (
    <section aria-label="Figure 2" data-tour="figure2">
      <Group justify="space-between" mb={6}>
        <Title order={2} size="md">
          Why the covariance matters (Figure 2)
        </Title>
        {rows.length > 0 && (
          <CsvButton
            content={exportFigure2}
            fileName={() => `diem-figure2-${seedsDone}seeds.csv`}
            testId="figure2-csv"
          />
        )}
      </Group>
      <div className={classes.beside}>
        <Stack gap="xs">
          <Figure2Settings lab={lab} />
          <JobBar
            job={figure2}
            name="figure2"
            runLabel={seedsDone > 0 ? 'Continue' : 'Run Figure 2'}
            runUnavailable={!ready || complete}
            onRun={runFigure2}
            onPause={pauseFigure2}
            onCancel={cancelFigure2}
          >
            <Button
              size="xs"
              variant="subtle"
              leftSection={<IconRefresh size={14} />}
              disabled={rows.length === 0 || status === 'running'}
              onClick={resetFigure2}
              data-testid="figure2-reset"
            >
              Reset
            </Button>
          </JobBar>
          <Text size="xs" c="dimmed" data-testid="figure2-seeds">
            {seedsDone === 0
              ? 'No seed yet.'
              : `${formatCount(seedsDone)} of ${formatCount(settings.seeds)} seeds.`}
            {complete && seedsDone > 0 && ' Raise the number of seeds to go on.'}
          </Text>
          {problem && <ProblemCard problem={problem} />}
          <Chart
            labs={stores}
            watch={watchFigure2}
            build={figure2Chart}
            title="Divergence of the approximate posterior"
            caption="Line: median over seeds; band: from the first to the third quartile. Lower is better; both axes are logarithmic."
            empty="A curve for each covariance appears with the first seed and settles as more arrive."
            height={340}
            fileName="diem-figure2"
            testId="chart-figure2"
          />
          <Command text={lab.getState().figure2Command()} />
        </Stack>
        <Figure2Explanation />
      </div>
    </section>
  )
}

/** The same figure without a window. */
function Command({ text }: { text: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed" mb={2}>
        The same without a browser:
      </Text>
      <div className={classes.command}>
        <Code data-testid="figure2-command">{text}</Code>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? 'Copied' : 'Copy the command'}>
              <ActionIcon variant="subtle" size="sm" aria-label="Copy the command" onClick={copy}>
                {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </div>
    </div>
  )
}
