/** Where the observations come from: a random curve, a curve drawn by hand, or a file of (A, y) pairs. */
import { Anchor, Button, Group, Text } from '@mantine/core'
import { useState, type DragEvent } from 'react'
import { useStore } from 'zustand'
import { useRestartGuard } from '../controls/RestartGuard'
import { useFilePicker } from '../controls/useFilePicker'
import { formatCount } from '../format'
import { isBusy, useShownLabs, type LabStore } from '../labs'
import { lazyDialog, lazyPart } from '../lazyPart'

const FileFormatDialog = lazyDialog(
  async () => (await import('./FileFormatDialog')).FileFormatDialog,
  ({ opened }) => opened,
)
const DrawCurveModal = lazyPart(async () => (await import('./DrawCurveModal')).DrawCurveModal)

export function DataSourceControl({ lab }: { lab: LabStore }) {
  const source = useStore(lab, (state) => state.dataSource)
  const busy = useStore(lab, isBusy)
  const labs = useShownLabs()
  const guard = useRestartGuard()
  const [drawing, setDrawing] = useState(false)
  const [explaining, setExplaining] = useState(false)
  const [over, setOver] = useState(false)

  const takeFile = (file: File) => {
    guard({ labs, action: `Use ${file.name}`, apply: () => void lab.getState().loadDataFile(file) })
  }
  const picker = useFilePicker({
    accept: '.csv,.json,.safetensors',
    label: 'File of (A, y) pairs',
    testId: 'load-data',
    onFile: takeFile,
  })
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const file = event.dataTransfer.files[0]
    if (file && !busy) takeFile(file)
  }
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      style={over ? { outline: '2px dashed var(--mantine-color-dimmed)', outlineOffset: 4 } : undefined}
    >
      {picker.input}
      <Button.Group>
        <Button
          flex={1}
          size="compact-sm"
          variant={source.kind === 'random' ? 'light' : 'default'}
          aria-pressed={source.kind === 'random'}
          disabled={busy}
          onClick={() => {
            if (source.kind === 'random') return
            const { useRandomCurve: takeRandomCurve } = lab.getState()
            guard({ labs, action: 'Use a random curve', apply: takeRandomCurve })
          }}
          data-testid="data-random"
        >
          Random
        </Button>
        <Button
          flex={1}
          size="compact-sm"
          variant={source.kind === 'drawn' ? 'light' : 'default'}
          aria-pressed={source.kind === 'drawn'}
          disabled={busy}
          onClick={() => setDrawing(true)}
          data-testid="data-draw"
        >
          Draw…
        </Button>
        <Button
          flex={1}
          size="compact-sm"
          variant={source.kind === 'file' ? 'light' : 'default'}
          aria-pressed={source.kind === 'file'}
          disabled={busy}
          onClick={picker.open}
        >
          File…
        </Button>
      </Button.Group>
      <Group justify="space-between" mt={4} wrap="nowrap" align="flex-start">
        <Text size="xs" c="dimmed">
          {source.kind === 'random' && 'A smooth random curve, fixed by the seed.'}
          {source.kind === 'drawn' && 'Your drawing; other coordinates follow the seed.'}
          {source.kind === 'file' &&
            `${source.name}: ${formatCount(source.count)} pairs, without a ground truth.`}
        </Text>
        <Anchor component="button" type="button" size="xs" onClick={() => setExplaining(true)}>
          Format
        </Anchor>
      </Group>
      {drawing && (
        <DrawCurveModal
          opened
          features={lab.getState().settings.features}
          strokes={source.kind === 'drawn' ? source.strokes : []}
          others="Coordinates that you leave out come from the random curve."
          onClose={() => setDrawing(false)}
          onUse={(strokes) => {
            const { useDrawnCurve: takeDrawnCurve } = lab.getState()
            guard({ labs, action: 'Use this curve', apply: takeDrawnCurve.bind(null, strokes) })
          }}
        />
      )}
      <FileFormatDialog opened={explaining} onClose={() => setExplaining(false)} />
    </div>
  )
}
