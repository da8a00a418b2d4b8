/** React's way to the stores: a context that holds both runs, and hooks that read them. */
import { createContext, useContext, useMemo } from 'react'
import { useStore, type StoreApi } from 'zustand'
import type { Labs } from '../store/lab'
import type { Lab } from '../store/labTypes'

export type LabStore = StoreApi<Lab>

export const LabsContext = createContext<Labs | null>(null)

export function useLabs(): Labs {
  const labs = useContext(LabsContext)
  if (!labs) throw new Error('LabsContext has no provider.')
  return labs
}

/** Whether both runs are shown. */
export function useComparing(): boolean {
  return useStore(useLabs().compare, (state) => state.enabled)
}

/** The runs on the page: one, or two when comparing. */
export function useShownLabs(): readonly LabStore[] {
  const { a, b } = useLabs()
  const comparing = useComparing()
  return useMemo(() => (comparing ? [a, b] : [a]), [a, b, comparing])
}

/** Runs cannot be changed while they compute, nor before the device is there. */
export function isBusy({ status, adapter }: Pick<Lab, 'status' | 'adapter'>): boolean {
  return status === 'running' || (status === 'starting' && adapter === null)
}
