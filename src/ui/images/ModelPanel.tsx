/** The denoiser: a bundled one or a file; how far it is, whether it passed its checks, and which solver suits it. */
import { Anchor, Button, Group, Progress, Select, Text } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconFileImport } from '@tabler/icons-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import type { ModelState } from '../../store/images/types'
import { useFilePicker } from '../controls/useFilePicker'
import { lazyPart } from '../lazyPart'
import { ProblemCard } from '../ProblemAlert'
import { whyBusy } from './busy'
import classes from './images.module.css'
import type { ImagesStore } from './stores'
import { verdictText } from './verification'

const ReportDialog = lazyPart(async () => (await import('./ReportDialog')).ReportDialog)

const OWN = 'own'

export function ModelPanel({ lab }: { lab: ImagesStore }) {
  const models = useStore(lab, (state) => state.catalogue.models)
  const model = useStore(lab, (state) => state.model)
  const chosen = useStore(lab, (state) => state.settings.model)
  const busy = useStore(lab, whyBusy)
  const [report, setReport] = useState(false)
  const entry = models.find(({ name }) => name === chosen)
  const data = models.map(({ name, title }) => ({ value: name, label: title }))
  if (chosen === OWN || (models.length > 0 && !entry)) {
    data.push({ value: chosen, label: model.contract?.title ?? (model.name || 'Your own model') })
  }
  const { chooseModel, openModel, cancelModel } = lab.getState()
  const picker = useFilePicker({
    accept: '.onnx,.json,.data,.bin',
    label: 'Open a model',
    testId: 'model-file',
    multiple: true,
    onFile: (...files) => void openModel(files),
  })
  return (
    <div data-tour="model">
      <Select
        size="xs"
        label="Denoiser"
        data={data}
        value={chosen}
        allowDeselect={false}
        disabled={busy !== undefined}
        title={busy}
        comboboxProps={{ width: 280, position: 'bottom-start' }}
        data-testid="model"
        onChange={(name) => name && name !== OWN && void chooseModel(name)}
      />
      {(entry || model.contract) && (
        <Text size="xs" c="dimmed" mt={3} lh={1.4}>
          {model.contract?.description ?? entry?.source} {(model.contract?.licence ?? entry?.licence) || ''}
        </Text>
      )}
      <ModelStatus model={model} onCancel={cancelModel} onReport={() => setReport(true)} />
      {model.problem && (
        <div className={classes.problem}>
          <ProblemCard problem={model.problem} />
        </div>
      )}
      {picker.input}
      <Button
        mt={6}
        size="compact-sm"
        variant="default"
        leftSection={<IconFileImport size={15} />}
        disabled={busy !== undefined}
        onClick={picker.open}
        data-testid="open-model"
      >
        Your .onnx…
      </Button>
      <Text size="xs" c="dimmed" mt={4}>
        Or drop denoiser.onnx (and denoiser.json) anywhere. It stays on this device.
      </Text>
      {report && <ReportDialog lab={lab} onClose={() => setReport(false)} />}
    </div>
  )
}

interface ModelStatusProps {
  readonly model: ModelState
  readonly onCancel: () => void
  readonly onReport: () => void
}

function ModelStatus({ model, onCancel, onReport }: ModelStatusProps) {
  const { status, label, fraction, report } = model
  if (status === 'none' || status === 'asking' || status === 'failed') return null
  if (status === 'ready') {
    return (
      <Group gap={5} mt={5} wrap="nowrap" align="flex-start">
        {report && report.status !== 'pass' ? (
          <IconAlertTriangle size={15} aria-hidden className={classes.statusIcon} />
        ) : (
          <IconCircleCheck size={15} aria-hidden className={classes.statusIcon} />
        )}
        <Text size="xs" lh={1.4} role="status" data-testid="model-status">
          {report ? verdictText(report) : 'Ready.'}{' '}
          {report && (
            <Anchor component="button" type="button" size="xs" onClick={onReport} data-testid="model-report">
              Report
            </Anchor>
          )}
        </Text>
      </Group>
    )
  }
  return (
    <div className={classes.problem}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" role="status" data-testid="model-status">
          {label}
        </Text>
        <Button variant="subtle" size="compact-xs" onClick={onCancel} data-testid="model-cancel">
          Cancel
        </Button>
      </Group>
      <Progress
        size="xs"
        mt={3}
        value={100 * (fraction ?? 1)}
        animated={fraction === undefined}
        aria-label="Progress of the model"
      />
    </div>
  )
}
