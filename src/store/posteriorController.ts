/**
 * Keeps the two panels of Figure 1 at what was asked for last. One sampling is under way at a time; requests that come
 * meanwhile replace each other, and the newest is taken next. Results are published in the order of their requests, so
 * that none ever replaces a newer one. It knows neither React nor Web Workers.
 */
import { runMethod } from '../experiments/mixture/methods'
import type { LearnedPrior } from '../experiments/mixture/learned'
import { createScene } from '../experiments/mixture/scene'
import type { MethodSettings, MixtureKey, MixtureSettings } from '../experiments/mixture/settings'
import { explainPosterior, type PosteriorDevice, type PosteriorHost } from './posteriorDevice'
import type { SceneRequest, Wanted } from './posteriorMessages'
import type { PanelName, PanelResult, PanelState, Scene } from './posteriorTypes'

/** A drag draws as many samples as take about this long. */
const DRAG_MILLISECONDS = 60
const LEAST_DRAG_SAMPLES = 64
/** A sampling that newer settings have overtaken may still finish within this. */
const GRACE_MILLISECONDS = 120
const PROGRESS_MILLISECONDS = 120

const PANELS: readonly PanelName[] = ['a', 'b']

/** What a scene depends on; the rest is the sampler's. */
const SCENE_KEYS: readonly MixtureKey[] = [
  'seed',
  'shape',
  'features',
  'components',
  'thickness',
  'smoothness',
  'observed',
  'azimuth',
  'elevation',
  'y1',
  'y2',
  'sigmaY',
  'index',
  'samples',
]

export class PosteriorController {
  private wanted: Wanted | undefined
  private done: Wanted | undefined
  private working: Promise<void> | undefined
  private sampling:
    { readonly wanted: Wanted; readonly abort: AbortController; readonly since: number } | undefined
  private learned: LearnedPrior | undefined
  private scene: { readonly key: string; readonly strokes: unknown; readonly value: Scene } | undefined
  /** What each panel shows, so that a change of the other one leaves it alone. */
  private readonly shown: Partial<Record<PanelName, string>> = {}
  private readonly pace: Partial<Record<PanelName, number>> = {}

  constructor(
    private readonly host: PosteriorHost,
    private readonly device: PosteriorDevice,
  ) {}

  /** Takes the place of every earlier request. Resolves when nothing is left to do. */
  request(wanted: Wanted): Promise<void> {
    this.wanted = wanted
    this.hurry(wanted)
    this.working ??= this.work().finally(() => (this.working = undefined))
    return this.working
  }

  /** The prior behind `shape = 'learned'` from now on. */
  useLearned(learned: LearnedPrior): void {
    this.learned = learned
    this.scene = undefined
  }

  /** The scene of a request. Error: RangeError where there is none. */
  sceneOf({ settings, strokes }: SceneRequest): Scene {
    const key = JSON.stringify(SCENE_KEYS.map((name) => settings[name]))
    if (this.scene?.key !== key || (settings.shape === 'drawn' && this.scene.strokes !== strokes)) {
      this.scene = { key, strokes, value: createScene(settings, strokes, this.learned) }
    }
    return this.scene.value
  }

  private async work(): Promise<void> {
    while (this.wanted && this.wanted !== this.done) {
      const { wanted } = this
      await this.satisfy(wanted)
      this.done = wanted
    }
  }

  private async satisfy(wanted: Wanted): Promise<void> {
    const { generation } = wanted
    const before = this.scene?.value
    let scene: Scene
    try {
      scene = this.sceneOf(wanted)
    } catch (error) {
      this.host.publish({
        type: 'sceneFailed',
        generation,
        problem: explainPosterior(error, 'The scene'),
      })
      for (const panel of PANELS) this.publish(panel, wanted, { computing: false, progress: null })
      return
    }
    if (scene !== before) {
      for (const panel of PANELS) delete this.shown[panel]
      this.host.publish({ type: 'scene', generation, scene })
    }
    for (const panel of PANELS) {
      await this.show(panel, wanted, scene)
      if (this.wanted !== wanted && !wanted.transient) return
    }
  }

  private async show(panel: PanelName, wanted: Wanted, scene: Scene): Promise<void> {
    const method = wanted.methods[panel]
    const settings = { ...wanted.settings, samples: this.samplesFor(panel, wanted) }
    const key = JSON.stringify([settings, method])
    if (this.shown[panel] === key) {
      this.publish(panel, wanted, { computing: false, progress: null, problem: null })
      return
    }
    const abort = new AbortController()
    this.sampling = { wanted, abort, since: performance.now() }
    try {
      const result = await this.sample(panel, wanted, scene, settings, method, abort.signal)
      this.pace[panel] = result.milliseconds / (result.count * settings.steps)
      this.shown[panel] = key
      this.publish(panel, wanted, { result, computing: false, progress: null, problem: null })
    } catch (error) {
      delete this.shown[panel]
      // What was overtaken is computed anew at once.
      if (abort.signal.aborted) return
      const problem = explainPosterior(error, 'These samples')
      this.publish(panel, wanted, { computing: false, progress: null, problem })
    } finally {
      this.sampling = undefined
    }
  }

  private async sample(
    panel: PanelName,
    wanted: Wanted,
    scene: Scene,
    settings: MixtureSettings,
    method: MethodSettings,
    signal: AbortSignal,
  ): Promise<PanelResult> {
    let progress: PanelState['progress'] = null
    let published: PanelState['progress'] = null
    this.publish(panel, wanted, { computing: true })
    const watch = setInterval(() => {
      if (progress !== published) this.publish(panel, wanted, { progress })
      published = progress
    }, PROGRESS_MILLISECONDS)
    try {
      return await this.device.use((backend) =>
        runMethod(backend, scene, settings, method, {
          signal,
          onProgress: ({ stage, done, total }) => {
            progress = stage === 'compile' ? 'compile' : done / Math.max(total, 1)
          },
        }),
      )
    } finally {
      clearInterval(watch)
    }
  }

  /** As many as asked for; in a drag no more than follow it, in whole populations of particles. */
  private samplesFor(panel: PanelName, { settings, methods, transient }: Wanted): number {
    const { samples, steps } = settings
    const pace = this.pace[panel]
    if (!transient || !pace || pace * samples * steps <= DRAG_MILLISECONDS) return samples
    const { method, particles } = methods[panel]
    const least = method === 'tds' ? Math.max(particles, LEAST_DRAG_SAMPLES) : LEAST_DRAG_SAMPLES
    const affordable = 2 ** Math.floor(Math.log2(DRAG_MILLISECONDS / (pace * steps)))
    return Math.min(Math.max(affordable, least), samples)
  }

  /** Ends a sampling that `newer` overtakes, unless it is about to finish or is itself a quick one of a drag. */
  private hurry(newer: Wanted): void {
    const { sampling } = this
    if (!sampling || sampling.wanted.transient || sampling.wanted === newer) return
    const elapsed = performance.now() - sampling.since
    const stop = () => sampling.abort.abort(new DOMException('Newer settings came.', 'AbortError'))
    setTimeout(stop, Math.max(GRACE_MILLISECONDS - elapsed, 0))
  }

  private publish(
    panel: PanelName,
    { generation }: Wanted,
    patch: Partial<Omit<PanelState, 'settings'>>,
  ): void {
    const overtaken = patch.computing === false && this.wanted?.generation !== generation
    this.host.publish({
      type: 'panel',
      generation,
      panel,
      patch: overtaken ? { ...patch, computing: true } : patch,
    })
  }
}
