/**
 * Figure 2 survives a reload: its rows go to IndexedDB after each seed, an entry per choice of settings. How many seeds
 * are wanted and with which they begin is no part of that choice: seeds are kept side by side.
 */
import { del, get, update } from 'idb-keyval'
import type { Figure2Row, Figure2Settings } from '../experiments/mixture/figure2'

const VERSION = 1

function keyOf({ seed: _, seeds: __, ...settings }: Figure2Settings): string {
  return `diem/figure2/${VERSION}/${JSON.stringify(settings)}`
}

/** The rows of the seeds that are wanted. */
export async function loadFigure2(settings: Figure2Settings): Promise<readonly Figure2Row[]> {
  const rows = (await get<readonly Figure2Row[]>(keyOf(settings))) ?? []
  return rows.filter(({ seed }) => seed >= settings.seed && seed < settings.seed + settings.seeds)
}

/** Adds a seed's rows, in place of former ones of the same seed. */
export async function saveFigure2(settings: Figure2Settings, added: readonly Figure2Row[]): Promise<void> {
  const seeds = new Set(added.map(({ seed }) => seed))
  await update<readonly Figure2Row[]>(keyOf(settings), (rows = []) => [
    ...rows.filter(({ seed }) => !seeds.has(seed)),
    ...added,
  ])
}

export async function forgetFigure2(settings: Figure2Settings): Promise<void> {
  await del(keyOf(settings))
}
