/** The benchmark's numbers in tables. */
import type { LabName } from '../../src/store/route'
import { table } from '../report'
import { median } from '../statistics'
import { bytesOf, groups, type Group } from './server'
import type { MainThread, MainThreadTask } from './trace'
import type { UseName } from './uses'
import type { Load, Use } from './visit'

interface Tasks {
  /** Tasks of more than 100 ms: on the clock (Long Tasks API), and by the CPU time of the thread. */
  readonly over100: number
  readonly longest: number
  readonly total: number
  readonly cpuOver100: number
  readonly cpuLongest: number
  readonly mainThreadCpu: number
  readonly described: readonly MainThreadTask[]
}

export interface LoadSummary extends Tasks {
  readonly name: LabName
  /** Compressed bytes fetched until the lab could be used, by group, and of everything that it loads by itself. */
  readonly untilInteractive: Record<Group, number>
  readonly all: Record<Group, number>
  readonly requests: number
  readonly interactive: number
  readonly firstPaint: number
  readonly layoutShift: number
}

export interface UseSummary extends Tasks {
  readonly name: UseName
  readonly seconds: number
  readonly framesPerSecond: number
  /** 95th percentile and longest of the times between frames, ms. */
  readonly frame95: number
  readonly frameLongest: number
  readonly layoutShift: number
}

const most = (values: readonly number[]): number => Math.max(0, ...values)

function summarizeTasks(durations: readonly number[], { tasks, cpu }: MainThread): Tasks {
  return {
    over100: durations.filter((duration) => duration > 100).length,
    longest: most(durations),
    total: durations.reduce((sum, duration) => sum + duration, 0),
    cpuOver100: tasks.filter((task) => task.cpu > 100).length,
    cpuLongest: most(tasks.map((task) => task.cpu)),
    mainThreadCpu: cpu,
    described: tasks.filter(({ work }) => work !== '').toSorted((a, b) => b.cpu - a.cpu),
  }
}

/** Bytes are the largest of the loads: what had begun when the lab could be used depends on the machine. */
export function summarizeLoads(name: LabName, loads: readonly Load[], mainThread: MainThread): LoadSummary {
  const largest = loads
    .map(({ untilInteractive, all }) => ({ until: bytesOf(untilInteractive), all, untilInteractive }))
    .toSorted((a, b) => sum(b.until) - sum(a.until))[0]!
  const typical = loads.toSorted(
    (a, b) =>
      most(a.observed.longTasks.map((t) => t.duration)) - most(b.observed.longTasks.map((t) => t.duration)),
  )[Math.floor(loads.length / 2)]!
  return {
    name,
    untilInteractive: largest.until,
    all: bytesOf(largest.all),
    requests: largest.untilInteractive.length,
    interactive: median(loads.map(({ observed }) => observed.interactive!)),
    firstPaint: median(loads.map(({ observed }) => observed.firstPaint ?? Number.NaN)),
    layoutShift: median(loads.map(({ observed }) => observed.layoutShift)),
    ...summarizeTasks(
      typical.observed.longTasks.map(({ duration }) => duration),
      mainThread,
    ),
  }
}

export function summarizeUse(name: UseName, { observed, mainThread, seconds }: Use): UseSummary {
  const frames = observed.frames.toSorted((a, b) => a - b)
  return {
    name,
    seconds,
    framesPerSecond: frames.length / seconds,
    frame95: frames[Math.floor(0.95 * frames.length)] ?? Number.NaN,
    frameLongest: most(frames),
    layoutShift: observed.layoutShift,
    ...summarizeTasks(
      observed.longTasks.map(({ duration }) => duration),
      mainThread,
    ),
  }
}

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1)
const whole = (milliseconds: number): string => milliseconds.toFixed(0)

type Column<T> = readonly [title: string, read: (of: T) => string]

/** A column for each of `items`, a row for each of `rows`. */
function compare<T extends { readonly name: string }>(
  title: string,
  items: readonly T[],
  rows: readonly Column<T>[],
): string {
  const head = [title, ...items.map(({ name }) => name)]
  return table(
    head,
    rows.map(([name, read]) => [name].concat(items.map(read))),
  )
}

const taskRows: readonly Column<Tasks>[] = [
  ['long tasks over 100 ms: clock', ({ over100 }) => String(over100)],
  ['  the same by CPU time', ({ cpuOver100 }) => String(cpuOver100)],
  ['longest task, ms: clock', ({ longest }) => whole(longest)],
  ['  the same by CPU time', ({ cpuLongest }) => whole(cpuLongest)],
  ['all long tasks (≥ 50 ms), ms', ({ total }) => whole(total)],
  ['main thread, CPU ms', ({ mainThreadCpu }) => whole(mainThreadCpu)],
]

const sum = (bytes: Record<Group, number>): number => groups.reduce((total, group) => total + bytes[group], 0)

export function loadTable(loads: readonly LoadSummary[]): string {
  const byGroup = groups.map((group): Column<LoadSummary> => [
    `kB gzip until interactive: ${group}`,
    ({ untilInteractive }) => kilobytes(untilInteractive[group]),
  ])
  return compare('Load, empty cache', loads, [
    ...byGroup,
    ['  all of it', ({ untilInteractive }) => kilobytes(sum(untilInteractive))],
    ['  requests', ({ requests }) => String(requests)],
    ['kB gzip, with what comes by itself afterwards', ({ all }) => kilobytes(sum(all))],
    ['first paint, ms', ({ firstPaint }) => whole(firstPaint)],
    ['interactive, ms', ({ interactive }) => whole(interactive)],
    ['layout shift', ({ layoutShift }) => layoutShift.toFixed(3)],
    ...taskRows,
  ])
}

export function usesTable(used: readonly UseSummary[]): string {
  return compare('In use', used, [
    ['seconds', ({ seconds }) => seconds.toFixed(1)],
    ['frames a second', ({ framesPerSecond }) => framesPerSecond.toFixed(1)],
    ['between frames, ms: 95th percentile', ({ frame95 }) => whole(frame95)],
    ['  longest', ({ frameLongest }) => whole(frameLongest)],
    ['layout shift', ({ layoutShift }) => layoutShift.toFixed(3)],
    ...taskRows,
  ])
}

/** The tasks with most CPU time: where they stand in the trace, CPU and clock, and what they did. */
export function printTasks(summaries: readonly (Tasks & { readonly name: string })[], count: number): void {
  if (count === 0) return
  for (const { name, described } of summaries) {
    console.log(`\n${name}`)
    for (const { start, cpu, wall, work } of described.slice(0, count))
      console.log(`  at ${whole(start)} ms: CPU ${whole(cpu)}, clock ${whole(wall)}: ${work}`)
  }
}
