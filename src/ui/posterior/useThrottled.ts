/** A value that is derived from a store, recomputed at most every few milliseconds, and the last one always. */
import { useEffect, useState } from 'react'
import type { ReadableStore } from '../readableStore'

/** `read` has to be the same function from render to render. */
export function useThrottled<State, T>(
  store: ReadableStore<State>,
  read: (state: State) => T,
  milliseconds: number,
): T {
  const [value, setValue] = useState(() => read(store.getState()))
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const update = () => {
      timer = undefined
      setValue(read(store.getState()))
    }
    const schedule = () => {
      timer ??= setTimeout(update, milliseconds)
    }
    update()
    const unsubscribe = store.subscribe(schedule)
    return () => {
      clearTimeout(timer)
      unsubscribe()
    }
  }, [store, read, milliseconds])
  return value
}
