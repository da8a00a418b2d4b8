/**
 * The run survives a reload: after each step its newest part goes to IndexedDB, an entry per iteration and one for data
 * from a file, so that a long run does not write everything again. Absent or broken storage never stops a run.
 */
import { delMany, get, getMany, keys, set, setMany, update } from 'idb-keyval'
import type { DataOrigin } from '../experiments/manifold/dataset'
import type { IterationRecord, RunState } from '../experiments/manifold/diem'
import type { SavedRun } from '../experiments/manifold/runFile'
import { validateSettings } from '../experiments/manifold/settings'
import type { Observations } from '../diffusion/types'

type FileOrigin = Extract<DataOrigin, { readonly kind: 'file' }>

/** Data from a file has an entry of its own: the head is written after every step and read for a glance. */
type HeadOrigin = Exclude<DataOrigin, FileOrigin> | (Omit<FileOrigin, 'observations'> & Partial<FileOrigin>)

type Head = Omit<SavedRun, 'state' | 'origin'> & {
  readonly origin: HeadOrigin
  readonly state: Omit<RunState, 'records'>
  readonly recordCount: number
  /** Who wrote it. Two tabs share the storage; each writes records under its own name. */
  readonly writer: string
  /** The visitor has begun something else since. */
  readonly abandoned?: boolean
}

export type StoredRun = SavedRun & { readonly abandoned: boolean }

const VERSION = 1
const prefix = (slot: string) => `diem/${VERSION}/${slot}/`
const headKey = (slot: string) => `${prefix(slot)}head`
const recordsPrefix = (slot: string, writer: string) => `${prefix(slot)}${writer}/`
const recordKey = (slot: string, writer: string, iteration: number) =>
  `${recordsPrefix(slot, writer)}${iteration}`
const dataKey = (slot: string, writer: string) => `${recordsPrefix(slot, writer)}data`

/**
 * Saves a run. Of its records only those from `firstNew` on are written, unless another writer has saved since.
 * A reload at any moment sees either the old run or the new one, whole.
 */
export async function saveRun(
  slot: string,
  writer: string,
  { state, settings, preset, origin }: SavedRun,
  firstNew: number,
): Promise<void> {
  const { records, ...position } = state
  const before = await get<Head>(headKey(slot))
  const from = before?.writer === writer && firstNew <= before.recordCount ? firstNew : 0
  const named: HeadOrigin = origin.kind === 'file' ? { kind: 'file', name: origin.name } : origin
  const head: Head = { settings, preset, origin: named, state: position, recordCount: records.length, writer }
  const entries = records
    .slice(from)
    .map((record): [string, unknown] => [recordKey(slot, writer, record.iteration), record])
  if (origin.kind === 'file' && from === 0) entries.push([dataKey(slot, writer), origin.observations])
  await setMany([...entries, [headKey(slot), head]])
  if (from > 0) return
  const kept = new Set(records.map(({ iteration }) => recordKey(slot, writer, iteration)))
  if (origin.kind === 'file') kept.add(dataKey(slot, writer))
  await delMany((await keysOf(slot)).filter((key) => key !== headKey(slot) && !kept.has(key)))
}

/** The saved run of a slot, if there is a complete one that this version can continue. */
export async function loadRun(slot: string): Promise<StoredRun | undefined> {
  const head = await get<Head>(headKey(slot))
  if (!head) return undefined
  const { settings, preset, state, recordCount, writer, abandoned = false } = head
  if (validateSettings(settings).length > 0) return undefined
  const origin = await storedOrigin(slot, head)
  if (!origin) return undefined
  const records = await getMany<IterationRecord>(
    Array.from({ length: recordCount }, (_, k) => recordKey(slot, writer, k)),
  )
  if (!records.every((record) => record !== undefined)) return undefined
  return { settings, preset, origin, state: { ...state, records }, abandoned }
}

/** The origin with a file's data; versions before kept that in the head. */
async function storedOrigin(slot: string, { origin, writer }: Head): Promise<DataOrigin | undefined> {
  if (origin.kind !== 'file') return origin
  const observations = origin.observations ?? (await get<Observations>(dataKey(slot, writer)))
  return observations && { kind: 'file', name: origin.name, observations }
}

/** What a saved run could offer, without its records: its EM iterations with a trained prior, and its dimension. */
export async function peekRun(
  slot: string,
): Promise<{ readonly trained: number; readonly features: number } | undefined> {
  const head = await get<Head>(headKey(slot))
  return head && { trained: Math.max(head.recordCount - 1, 0), features: head.settings.features }
}

/** Notes that the saved run was left for another: only asking for the same settings brings it back. */
export async function abandonRun(slot: string): Promise<void> {
  if (!(await get<Head>(headKey(slot)))) return
  await update<Head>(headKey(slot), (head) => ({ ...head!, abandoned: true }))
}

export async function forgetRun(slot: string): Promise<void> {
  await delMany(await keysOf(slot))
}

async function keysOf(slot: string): Promise<string[]> {
  return (await keys()).filter(
    (key): key is string => typeof key === 'string' && key.startsWith(prefix(slot)),
  )
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
