/**
 * The run survives a reload: after each step its newest part goes to IndexedDB, an entry per iteration, so that a long
 * run does not write everything again. Absent or broken storage never stops a run; the caller hears of it once.
 */
import { delMany, get, getMany, keys, set, setMany } from 'idb-keyval'
import type { IterationRecord, RunState } from '../experiments/manifold/diem'
import type { SavedRun } from '../experiments/manifold/runFile'

type Head = Omit<SavedRun, 'state'> & {
  readonly state: Omit<RunState, 'records'>
  readonly recordCount: number
}

const VERSION = 1
const headKey = (slot: string) => `diem/${VERSION}/${slot}/head`
const recordKey = (slot: string, iteration: number) => `diem/${VERSION}/${slot}/iteration/${iteration}`

/** Saves a run; only records from `firstNew` on are written. */
export async function saveRun(slot: string, { state, ...rest }: SavedRun, firstNew: number): Promise<void> {
  const { records, ...position } = state
  const head: Head = { ...rest, state: position, recordCount: records.length }
  const entries = records
    .slice(firstNew)
    .map((record): [string, IterationRecord] => [recordKey(slot, record.iteration), record])
  // One transaction: a reload in between sees either the old or the new state.
  await setMany([...entries, [headKey(slot), head]] as [string, unknown][])
}

/** The saved run of a slot, if there is a complete one. */
export async function loadRun(slot: string): Promise<SavedRun | undefined> {
  const head = await get<Head>(headKey(slot))
  if (!head) return undefined
  const records = await getMany<IterationRecord>(
    Array.from({ length: head.recordCount }, (_, k) => recordKey(slot, k)),
  )
  if (!records.every((record) => record !== undefined)) return undefined
  const { recordCount: _, state, ...rest } = head
  return { ...rest, state: { ...state, records } }
}

export async function forgetRun(slot: string): Promise<void> {
  const prefix = `diem/${VERSION}/${slot}/`
  const all = await keys<string>()
  await delMany(all.filter((key) => typeof key === 'string' && key.startsWith(prefix)))
}

/** Seconds per floating-point operation that an adapter reached last, for time estimates on the next visit. */
export interface AdapterSpeed {
  readonly train?: number
  readonly sample?: number
}

export async function loadSpeed(adapter: string): Promise<AdapterSpeed> {
  return (await get<AdapterSpeed>(`diem/speed/${adapter}`)) ?? {}
}

export async function saveSpeed(adapter: string, speed: AdapterSpeed): Promise<void> {
  await set(`diem/speed/${adapter}`, speed)
}
