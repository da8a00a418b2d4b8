/** Parts of the page that are loaded when they are first needed. */
import { Text } from '@mantine/core'
import { lazy, Suspense, useState, type ComponentType, type ReactNode } from 'react'
import { afterFirstView, loadLater } from './firstView'

/** A component that loads itself, `fallback` until then. Without a network it says so in its place, and the rest of the page stays. */
export function lazyPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  fallback: ReactNode = null,
) {
  const Part = lazy(async () => {
    try {
      return { default: await load() }
    } catch (error) {
      console.info('A part of the page could not be loaded.', error)
      return { default: NotLoaded as ComponentType<Props> }
    }
  })
  return function LazyPart(props: Props) {
    return (
      <Suspense fallback={fallback}>
        <Part {...props} />
      </Suspense>
    )
  }
}

/** Below what is seen first: it loads itself after the first view, and holds so much room that nothing in sight moves. */
export function laterPart<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return lazyPart(
    async () => {
      await afterFirstView()
      return await load()
    },
    <div style={{ minHeight: '100vh' }} />,
  )
}

/** A dialog: loaded after the first view, or when it is first opened. It stays when it closes, for its transition. */
export function lazyDialog<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  isOpened: (props: Props) => boolean,
) {
  loadLater(load)
  const Part = lazyPart(load)
  return function LazyDialog(props: Props) {
    const opened = isOpened(props)
    const [ever, setEver] = useState(opened)
    if (opened && !ever) setEver(true)
    return ever ? <Part {...props} /> : null
  }
}

function NotLoaded() {
  return (
    <Text size="xs" c="dimmed" role="alert">
      This part of the page could not be loaded. What is computed is saved: reload the page when you are
      online again.
    </Text>
  )
}
