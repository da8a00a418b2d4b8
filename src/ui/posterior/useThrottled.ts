/** A value that is derived from stores, recomputed at most every few milliseconds, and the last one always. */
import { useEffect, useState } from 'react'

interface Followed {
  subscribe(listener: () => void): () => void
}

/** `sources` and `read` have to be the same objects from render to render. */
export function useThrottled<T>(sources: readonly Followed[], read: () => T, milliseconds: number): T {
  const [value, setValue] = useState(read)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const update = () => {
      timer = undefined
      setValue(read())
    }
    const schedule = () => {
      timer ??= setTimeout(update, milliseconds)
    }
    update()
    const unsubscribes = sources.map((source) => source.subscribe(schedule))
    return () => {
      clearTimeout(timer)
      for (const unsubscribe of unsubscribes) unsubscribe()
    }
  }, [sources, read, milliseconds])
  return value
}
