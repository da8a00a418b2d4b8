/** What the checks of a model found on this device, and the solver that they recommend. */
import { Button, Group, Modal, Table, Text, VisuallyHidden } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { imageSettings } from '../../experiments/images/settings'
import type { VerificationCheck } from '../../onnx/verify'
import controls from '../controls/controls.module.css'
import { valueLabel } from '../controls/SettingControl'
import { formatMeasure } from '../format'
import { Chart } from '../plots/Chart'
import { whyBusy } from './busy'
import classes from './images.module.css'
import type { ImagesStore } from './stores'
import { checkValue, denoisingChart, verdictText, watchReport } from './verification'

interface ReportDialogProps {
  readonly lab: ImagesStore
  readonly onClose: () => void
}

const ICONS: Readonly<
  Record<VerificationCheck['status'], { readonly icon: typeof IconCircleCheck; readonly word: string }>
> = {
  pass: { icon: IconCircleCheck, word: 'passed' },
  warn: { icon: IconAlertTriangle, word: 'warning' },
  fail: { icon: IconCircleX, word: 'failed' },
}

export function ReportDialog({ lab, onClose }: ReportDialogProps) {
  const report = useStore(lab, (state) => state.model.report)
  const name = useStore(lab, (state) => state.model.contract?.title ?? state.model.name)
  const solver = useStore(lab, (state) => state.settings.solver)
  const busy = useStore(lab, whyBusy)
  const stores = useMemo(() => [lab], [lab])
  if (!report) return null
  const recommended = valueLabel(imageSettings.solver, report.solver)
  const { forward, vjp, jvp } = report.milliseconds
  return (
    <Modal opened onClose={onClose} title={`Report: ${name}`} size="xl" centered>
      <Text size="sm">
        {verdictText(report)} Each check ran the model on noisy images here, with this browser’s own numbers.
      </Text>
      <div className={controls.tableWrap}>
        <Table fz="xs" verticalSpacing={5} mt="xs" className={classes.report} data-testid="report-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>check</Table.Th>
              <Table.Th>measured</Table.Th>
              <Table.Th>meaning</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {report.checks.map((check) => (
              <CheckRow key={check.name} check={check} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Group mt="sm" gap="xs" justify="space-between">
        <Text size="sm">
          Recommended solver: <b>{recommended}</b>
          {solver === report.solver && ', which is chosen'}.
        </Text>
        {solver !== report.solver && (
          <Button
            size="xs"
            disabled={busy !== undefined}
            title={busy}
            onClick={() => lab.getState().change({ solver: report.solver })}
            data-testid="use-solver"
          >
            Use {recommended}
          </Button>
        )}
      </Group>
      {forward !== null && (
        <Text size="xs" c="dimmed" mt={4} className={classes.numbers}>
          A forward pass takes {formatMeasure(forward)} ms
          {vjp !== null && `, a VJP ${formatMeasure(vjp)} ms`}
          {jvp !== null && `, a JVP ${formatMeasure(jvp)} ms`}.
        </Text>
      )}
      <div className={classes.problem}>
        <Chart
          labs={stores}
          watch={watchReport}
          build={denoisingChart}
          title="Denoising error"
          caption="Below the dotted line, the model knows more about images than their mean and spread. It has to fall with the noise. The images of this check are smooth random ones, not of the kind that the model was trained on: at large noise it may lie above the line."
          empty="The error was not measured."
          height={220}
          fileName="diem-images-denoising"
          testId="chart-denoising"
        />
      </div>
    </Modal>
  )
}

function CheckRow({ check }: { check: VerificationCheck }) {
  const { icon: Icon, word } = ICONS[check.status]
  return (
    <Table.Tr data-testid={`check-${check.name}`} data-status={check.status}>
      <Table.Th scope="row" fw={500} style={{ whiteSpace: 'nowrap' }}>
        <Icon size={15} aria-hidden className={classes.checkIcon} data-status={check.status} />
        <VisuallyHidden>{word}: </VisuallyHidden>
        {check.label}
      </Table.Th>
      <Table.Td className={classes.numbers} style={{ whiteSpace: 'nowrap' }}>
        {checkValue(check)}
      </Table.Td>
      <Table.Td>{check.message}</Table.Td>
    </Table.Tr>
  )
}
