/** The page: theme, header, the lab that is shown, the tour, and the dialogs that belong to all of it. */
import { Alert, MantineProvider, Text } from '@mantine/core'
import { Activity, useCallback, useEffect, useState, type ReactNode } from 'react'
import { useStore } from 'zustand'
import { activeLab, type LabName } from '../store/route'
import { RestartGuard } from './controls/RestartGuard'
import { ErrorBoundary } from './ErrorBoundary'
import type { ExportFailure } from './exportFailure'
import { Header } from './Header'
import { labDescriptions } from './labNames'
import { lazyDialog, lazyPart } from './lazyPart'
import { mantineTheme } from './theme'

const loading = (
  <Text p="xl" c="dimmed" role="status">
    Loading the lab…
  </Text>
)
const manifold = () => import('./manifold/ManifoldPage')
const posterior = () => import('./posterior/PosteriorPage')
const images = () => import('./images/ImagesPage')
const ManifoldPage = lazyPart(async () => (await manifold()).ManifoldPage, loading)
const ManifoldTools = lazyPart(async () => (await manifold()).ManifoldTools)
const PosteriorPage = lazyPart(async () => (await posterior()).PosteriorPage, loading)
const PosteriorTools = lazyPart(async () => (await posterior()).PosteriorTools)
const ImagesPage = lazyPart(async () => (await images()).ImagesPage, loading)
const ImagesTools = lazyPart(async () => (await images()).ImagesTools)
const Tour = lazyPart(async () => (await import('./tour/Tour')).Tour)
const ShortcutHelp = lazyDialog(
  async () => (await import('./transport/ShortcutHelp')).ShortcutHelp,
  ({ opened }) => opened,
)

export function App() {
  return (
    <ErrorBoundary>
      <MantineProvider theme={mantineTheme} defaultColorScheme="auto">
        <RestartGuard>
          <Page />
        </RestartGuard>
      </MantineProvider>
    </ErrorBoundary>
  )
}

function Page() {
  const lab = useStore(activeLab, (route) => route.lab)
  const touring = useStore(activeLab, (route) => route.tour !== null)
  const [help, setHelp] = useState(false)
  const [failure, setFailure] = useState<{ title: string; message: string } | null>(null)
  const openHelp = useCallback(() => setHelp(true), [])
  const onFailure = useCallback<ExportFailure>((title, error) => {
    setFailure({ title, message: error instanceof Error ? error.message : String(error) })
  }, [])
  useEffect(() => {
    document.title = labDescriptions[lab].title
  }, [lab])
  return (
    <>
      <Header
        lab={lab}
        onHelp={openHelp}
        tools={
          <>
            {lab === 'manifold' && <ManifoldTools onFailure={onFailure} />}
            {lab === 'posterior' && <PosteriorTools onFailure={onFailure} />}
            {lab === 'images' && <ImagesTools onFailure={onFailure} />}
          </>
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
          {failure.message} What was computed is untouched: try again, or export another format.
        </Alert>
      )}
      <KeptLabs
        shown={lab}
        pages={{
          manifold: <ManifoldPage onHelp={openHelp} />,
          posterior: <PosteriorPage onHelp={openHelp} />,
          images: <ImagesPage onHelp={openHelp} />,
        }}
      />
      {touring && <Tour />}
      <ShortcutHelp lab={lab} opened={help} onClose={() => setHelp(false)} />
    </>
  )
}

/** The lab that is shown; those shown before stay as they were left, out of sight and without effects. */
function KeptLabs({ shown, pages }: { shown: LabName; pages: Readonly<Record<LabName, ReactNode>> }) {
  const [visited, setVisited] = useState<readonly LabName[]>([shown])
  if (!visited.includes(shown)) setVisited([...visited, shown])
  return visited.map((name) => (
    <Activity key={name} mode={name === shown ? 'visible' : 'hidden'}>
      {pages[name]}
    </Activity>
  ))
}
