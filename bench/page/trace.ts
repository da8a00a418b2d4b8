/**
 * Tasks of the page's main thread in a Chromium trace: how long each took, how much of that the thread really ran
 * (`tdur`, the thread's CPU time), and what it did. On a machine whose cores compute WebGPU in software, the two differ
 * by the time in which the thread was not given a core.
 */

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly name?: string; readonly data?: { readonly url?: string; functionName?: string } }
}

export interface MainThreadTask {
  /** Milliseconds from the first event of the trace. */
  readonly start: number
  readonly wall: number
  readonly cpu: number
  /** The longest parts of it, longest first. */
  readonly work: string
}

export interface MainThread {
  readonly tasks: readonly MainThreadTask[]
  /** Milliseconds that the thread ran. */
  readonly cpu: number
}

export const traceCategories = [
  '-*',
  'toplevel',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
]

/** Tasks of at least this many milliseconds are described. */
const DESCRIBED = 20

/** Of the page at `origin`. */
export function readTrace(trace: Buffer, origin: string): MainThread {
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: readonly TraceEvent[] }
  const complete = traceEvents.filter(({ ph, dur }) => ph === 'X' && dur !== undefined)
  const renderers = traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => complete.filter((event) => event.pid === pid && event.tid === tid))
  // The browser's own pages have renderers too.
  const isOfPage = ({ args }: TraceEvent) => args?.data?.url?.startsWith(origin)
  const page = renderers.find((events) => events.some(isOfPage)) ?? []
  const begin = page.reduce((least, { ts }) => Math.min(least, ts), Infinity)
  const parts = page.filter(({ name }) => !/RunTask|TimerFire|FireAnimationFrame|ExecuteTask/.test(name))
  const tasks = page
    .filter(({ name }) => name === 'RunTask')
    .map((task) => ({
      start: (task.ts - begin) / 1000,
      wall: task.dur! / 1000,
      cpu: (task.tdur ?? 0) / 1000,
      work: task.dur! / 1000 < DESCRIBED ? '' : describe(task, parts),
    }))
  return { tasks, cpu: tasks.reduce((sum, { cpu }) => sum + cpu, 0) }
}

function describe(task: TraceEvent, parts: readonly TraceEvent[]): string {
  const inside = parts.filter(({ ts, dur }) => ts >= task.ts && ts + dur! <= task.ts + task.dur!)
  const longest = inside.toSorted((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0)).slice(0, 3)
  return longest
    .map(({ name, tdur, args }) => {
      const file = args?.data?.url?.replace(/^.*\//, '').replace(/-[\w-]{8}\./, '.') ?? ''
      const what = [name, args?.data?.functionName, file].filter(Boolean).join(' ')
      return `${what} ${((tdur ?? 0) / 1000).toFixed(0)}`
    })
    .join(', ')
}
