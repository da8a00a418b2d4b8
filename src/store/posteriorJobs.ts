/** The posterior lab's long jobs, the methods table and Figure 2: each runs once at a time and can be paused. */
import { figure2Seed, type Figure2Settings } from '../experiments/mixture/figure2'
import { methodDefinitions, scoreMethod } from '../experiments/mixture/methods'
import type { MethodSettings, MixtureSettings } from '../experiments/mixture/settings'
import type { PausableJob } from './pausableJob'
import type { PosteriorDevice, PosteriorHost } from './posteriorDevice'
import type { Scene } from './posteriorTypes'

/** Scores one method after the other against the exact posterior. */
export async function runTable(
  { host, device, pausable }: { host: PosteriorHost; device: PosteriorDevice; pausable: PausableJob },
  job: number,
  scene: () => Scene,
  settings: MixtureSettings,
  methods: readonly (MethodSettings | 'exact')[],
): Promise<void> {
  await pausable.run(job, 'The table', async ({ signal, ready, report }) => {
    const shown = scene()
    for (const [k, method] of methods.entries()) {
      const label = method === 'exact' ? 'Exact posterior' : methodDefinitions[method.method].label
      const progress = (fraction: number) => report((k + fraction) / methods.length, label)
      progress(0)
      await ready()
      const row = await device.use((backend) =>
        scoreMethod(backend, shown, settings, method, {
          signal,
          ready,
          onProgress: ({ done, total }) => progress(done / Math.max(total, 1)),
        }),
      )
      signal.throwIfAborted()
      host.publish({ type: 'tableRow', job, row })
    }
  })
}

/** Figure 2, seed after seed. */
export async function runFigure2(
  { host, device, pausable }: { host: PosteriorHost; device: PosteriorDevice; pausable: PausableJob },
  job: number,
  settings: Figure2Settings,
  seeds: readonly number[],
): Promise<void> {
  await pausable.run(job, 'Figure 2', async ({ signal, ready, report }) => {
    for (const [k, seed] of seeds.entries()) {
      await ready()
      const rows = await device.use((backend) =>
        figure2Seed(backend, settings, seed, {
          signal,
          ready,
          onProgress: (fraction, label) => report((k + fraction) / seeds.length, `Seed ${seed}: ${label}`),
        }),
      )
      signal.throwIfAborted()
      host.publish({ type: 'figure2Rows', job, rows })
    }
  })
}
