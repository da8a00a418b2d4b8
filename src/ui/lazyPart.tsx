/** Parts of the page that are loaded when they are first needed. */
import { Text } from '@mantine/core'
import { lazy, Suspense, type ComponentType, type ReactNode } from 'react'

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

function NotLoaded() {
  return (
    <Text size="xs" c="dimmed" role="alert">
      This part of the page could not be loaded. What is computed is saved: reload the page when you are
      online again.
    </Text>
  )
}
