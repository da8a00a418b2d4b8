/** The page: theme, header, the manifold lab, and the dialogs that belong to all of it. */
import { Alert, Group, Kbd, MantineProvider, Modal, Table } from '@mantine/core'
import { useCallback, useState } from 'react'
import type { Labs } from '../store/lab'
import { RestartGuard } from './controls/RestartGuard'
import { ErrorBoundary } from './ErrorBoundary'
import { Header } from './Header'
import { LabsContext, useShownLabs } from './labs'
import { ManifoldLab } from './manifold/ManifoldLab'
import { RunMenu, type ExportFailure } from './manifold/RunMenu'
import { mantineTheme } from './theme'
import { shortcutHelp } from './transport/shortcuts'

export function App({ labs }: { labs: Labs }) {
  return (
    <ErrorBoundary>
      <MantineProvider theme={mantineTheme} defaultColorScheme="auto">
        <LabsContext value={labs}>
          <RestartGuard>
            <Page />
          </RestartGuard>
        </LabsContext>
      </MantineProvider>
    </ErrorBoundary>
  )
}

function Page() {
  const labs = useShownLabs()
  const [help, setHelp] = useState(false)
  const [failure, setFailure] = useState<{ title: string; message: string } | null>(null)
  const openHelp = useCallback(() => setHelp(true), [])
  const onFailure = useCallback<ExportFailure>((title, error) => {
    setFailure({ title, message: error instanceof Error ? error.message : String(error) })
  }, [])
  return (
    <>
      <Header
        onHelp={openHelp}
        tools={
          <Group gap={6}>
            {labs.map((lab) => (
              <RunMenu key={lab.getState().slot} lab={lab} onFailure={onFailure} />
            ))}
          </Group>
        }
      />
      {failure && (
        <Alert
          color="red"
          m="sm"
          title={failure.title}
          role="alert"
          withCloseButton
          closeButtonLabel="Dismiss"
          onClose={() => setFailure(null)}
          data-testid="export-failure"
        >
          {failure.message} The run itself is untouched: try again, or export another format.
        </Alert>
      )}
      <ManifoldLab onHelp={openHelp} />
      <Modal opened={help} onClose={() => setHelp(false)} title="Keys" centered>
        <Table>
          <Table.Tbody>
            {shortcutHelp.map(({ keys, action }) => (
              <Table.Tr key={action}>
                <Table.Td w={120}>
                  <Group gap={4}>
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </Group>
                </Table.Td>
                <Table.Td>{action}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Modal>
    </>
  )
}
