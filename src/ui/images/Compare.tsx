/** Several methods on the same observation and seed, side by side. */
import { Checkbox, Group, Progress, Text, Title } from '@mantine/core'
import { useStore } from 'zustand'
import type { ImageMethodName } from '../../diffusion/image/types'
import { imageMethodNames, imageMethods } from '../../experiments/images/methodDefinitions'
import type { CompareRow } from '../../store/images/types'
import controls from '../controls/controls.module.css'
import { CopyTableButton } from '../controls/CopyTableButton'
import { CsvButton } from '../controls/CsvButton'
import { JobBar } from '../transport/JobBar'
import { ProblemCard } from '../ProblemAlert'
import { useColours } from '../useColours'
import { isUnderWay, whyBusy, whyNoRun } from './busy'
import { compareAsText } from './compareColumns'
import { CompareTable } from './CompareTable'
import { CompareExplanation } from './Explanations'
import { fileStem } from './fileNames'
import classes from './images.module.css'
import { PictureCanvas } from './PictureCanvas'
import { decibels } from './pictureText'
import pictures from './pictures.module.css'
import { ImageSetting } from './ImageSetting'
import type { ImagesStore } from './stores'
import { isComparisonStale } from './view'

export function Compare({ lab }: { lab: ImagesStore }) {
  const compare = useStore(lab, (state) => state.compare)
  const compared = useStore(lab, (state) => state.compare.methods)
  const running = useStore(lab, ({ run }) => isUnderWay(run))
  const unavailable = useStore(lab, whyNoRun)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  const { runCompare, pauseCompare, cancelCompare, exportCompareCsv } = lab.getState()
  const { rows, problem } = compare
  const stale = useStore(lab, isComparisonStale)
  const reason = running ? 'A run is under way.' : unavailable
  return (
    <section aria-label="Compare methods" data-tour="compare">
      <Group justify="space-between" mb={6}>
        <Title order={2} size="md">
          Compare methods
        </Title>
        {rows.some(({ status }) => status === 'finished') && (
          <Group gap={4}>
            <CopyTableButton text={compareAsText(rows)} />
            {!hidden && (
              <CsvButton
                content={exportCompareCsv}
                fileName={() => `${fileStem(lab.getState())}-compare.csv`}
                testId="compare-csv"
              />
            )}
          </Group>
        )}
      </Group>
      <div className={classes.beside}>
        <div>
          <MethodChoice lab={lab} />
          <JobBar
            job={compare}
            name="compare"
            runLabel={`Compare ${compared.length} methods`}
            runUnavailable={reason !== undefined}
            onRun={runCompare}
            onPause={pauseCompare}
            onCancel={cancelCompare}
          />
          {reason !== undefined && compare.status === 'idle' && (
            <Text size="xs" c="dimmed" mt={4}>
              {reason}
            </Text>
          )}
          {problem && (
            <div className={classes.problem}>
              <ProblemCard problem={problem} />
            </div>
          )}
          {rows.length === 0 ? (
            <Text size="xs" c="dimmed" p="md" ta="center" mt="xs" className="placeholder">
              One picture and one row a method appear here: each restores the same observation from the same
              noise.
            </Text>
          ) : (
            <>
              <div className={classes.compared}>
                {rows.map((row) => (
                  <ComparedPicture key={row.label} row={row} />
                ))}
              </div>
              <CompareTable rows={rows} samples={compare.settings?.samples ?? 1} />
              {stale && (
                <Text size="xs" fw={600} mt={4} data-testid="compare-stale">
                  From before your last change: compare again.
                </Text>
              )}
            </>
          )}
        </div>
        <CompareExplanation />
      </div>
    </section>
  )
}

function MethodChoice({ lab }: { lab: ImagesStore }) {
  const compared = useStore(lab, (state) => state.compare.methods)
  const busy = useStore(lab, whyBusy)
  const { methods } = useColours()
  const toggle = (name: ImageMethodName, wanted: boolean) => {
    const next = imageMethodNames.filter((each) => (each === name ? wanted : compared.includes(each)))
    if (next.length > 0) lab.getState().setCompared(next)
  }
  return (
    <Group gap="md" mb="xs" align="flex-end" title={busy}>
      <Checkbox.Group value={[...compared]} aria-label="Methods to compare">
        <Group gap="sm">
          {imageMethodNames.map((name) => (
            <Checkbox
              key={name}
              size="xs"
              value={name}
              disabled={busy !== undefined || (compared.length === 1 && compared[0] === name)}
              label={
                <span title={imageMethods[name].name}>
                  <span
                    className={controls.dot}
                    style={{ background: methods[name], marginRight: 5 }}
                    aria-hidden
                  />
                  {imageMethods[name].label}
                </span>
              }
              onChange={(event) => toggle(name, event.currentTarget.checked)}
              data-testid={`compare-${name}`}
            />
          ))}
        </Group>
      </Checkbox.Group>
      <div style={{ width: 170 }}>
        <ImageSetting lab={lab} settingKey="equal" />
      </div>
    </Group>
  )
}

function ComparedPicture({ row }: { row: CompareRow }) {
  const { methods } = useColours()
  const { label, method, picture, psnr, status, fraction, message } = row
  return (
    <div data-testid={`compared-${method}`}>
      <div style={{ borderBottom: `3px solid ${methods[method]}` }}>
        <div className={pictures.frame}>
          {picture ? (
            <PictureCanvas
              picture={picture}
              label={`${label}${psnr === null ? ', so far' : `: PSNR ${decibels(psnr)}`}`}
            />
          ) : (
            <div className={pictures.empty}>
              <Text size="xs" c="dimmed">
                {status === 'failed' ? 'Failed' : status === 'waiting' ? 'Waits' : 'Begins'}
              </Text>
            </div>
          )}
        </div>
      </div>
      <Text size="xs" fw={600} mt={2}>
        {label}
      </Text>
      {status === 'running' && (
        <Progress size="xs" value={100 * fraction} aria-label={`Progress of ${label}`} />
      )}
      {status === 'failed' && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {message}
        </Text>
      )}
      {status === 'finished' && psnr !== null && (
        <Text size="xs" className={classes.numbers}>
          {decibels(psnr)}
        </Text>
      )}
    </div>
  )
}
