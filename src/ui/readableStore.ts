/** A store as seen by what only shows it: fits every store whose state has what is shown. */
import type { StoreApi } from 'zustand'

export type ReadableStore<State> = Pick<StoreApi<State>, 'getState' | 'getInitialState' | 'subscribe'>
