/** The image lab's long jobs: a run and a comparison. Each can be paused and cancelled between two steps. */
import type { ImageMethodName } from '../../diffusion/image/types'
import { comparedSettings } from '../../experiments/images/compare'
import { runImages, type ImageRun, type ImageRunControl } from '../../experiments/images/run'
import type { ImagesSettings } from '../../experiments/images/settings'
import type { ImageShape } from '../../operators/types'
import type { PausableJob, StepControl } from '../pausableJob'
import type { DeviceHost, PresentDevice } from './device'
import type { TaskRequest } from './messages'
import type { ModelKeeper } from './modelKeeper'
import type { PreparedTask, PreparedTasks } from './preparedTask'
import { isOfMethod, picturesOf, recordOf, resultOf, rowOf } from './results'
import { stepInWords } from './stepWords'
import type { CompareRow, StepRecord } from './types'

/** Between two shown frames: each costs a read. */
const FRAME_MILLISECONDS = 125

export interface JobParts {
  readonly host: Pick<DeviceHost, 'publish'>
  readonly device: PresentDevice
  readonly models: ModelKeeper
  readonly tasks: PreparedTasks
  readonly pausable: PausableJob
}

interface Labels {
  /** What is going on now; undefined while the sampler steps. */
  say(label: string): void
}

/** Samples as `task` asks, showing frames; the steps between two frames are told of together. */
export async function runSampling(
  parts: JobParts,
  { job, task }: { readonly job: number; readonly task: TaskRequest },
): Promise<void> {
  const { host, tasks, pausable } = parts
  await pausable.run(job, 'The run', async (step) => {
    const prepared = await tasks.prepare(task)
    const { settings } = task
    const say = (label: string) => host.publish({ type: 'job', name: 'run', job, patch: { label } })
    const result = await sample(parts, prepared, settings, step, { say }, (shape) => {
      // A message a step would keep the page busy where there are hundreds a second.
      const untold: StepRecord[] = []
      return {
        wantsFrame: throttle(),
        onStep: ({ step: index, steps, sigma, xHat, records }) => {
          if (step.signal.aborted) return
          untold.push(...records.map(recordOf))
          if (!xHat && index + 1 < steps) return
          const label = `${stepInWords(index + 1, settings)}, σ = ${sigma.toPrecision(2)}`
          step.report((index + 1) / steps, label)
          host.publish({
            type: 'step',
            job,
            step: index + 1,
            steps,
            records: untold.splice(0),
            ...(xHat && { frames: picturesOf(xHat, shape) }),
          })
        },
      }
    })
    step.signal.throwIfAborted()
    host.publish({ type: 'result', job, result: resultOf(result, prepared, settings) })
  })
}

/** One method after the other on the same observation, with the same seed. A method that fails leaves the others alone. */
export async function runCompare(
  parts: JobParts,
  {
    job,
    task,
    methods,
  }: { readonly job: number; readonly task: TaskRequest; readonly methods: readonly ImageMethodName[] },
): Promise<void> {
  const { host, tasks, pausable } = parts
  await pausable.run(job, 'The comparison', async (step) => {
    const prepared = await tasks.prepare(task)
    const all = comparedSettings(task.settings, methods)
    const say = (label: string) => host.publish({ type: 'job', name: 'compare', job, patch: { label } })
    for (const [k, settings] of all.entries()) {
      const { method } = settings
      const publish = (patch: Partial<CompareRow>) => {
        if (!step.signal.aborted) host.publish({ type: 'compareRow', job, method, patch })
      }
      publish({ status: 'running', steps: settings.steps, fraction: 0 })
      try {
        const run = await sample(parts, prepared, settings, step, { say }, (shape) => ({
          wantsFrame: throttle(),
          onStep: ({ step: index, steps, xHat }) => {
            if (!xHat) return
            const fraction = (index + 1) / steps
            step.report(
              (k + fraction) / all.length,
              `Method ${k + 1} of ${all.length}, ${stepInWords(index + 1, settings)}`,
            )
            publish({ fraction, picture: picturesOf(xHat, shape)[0]! })
          },
        }))
        publish(rowOf(run, prepared.measured.shape))
      } catch (error) {
        if (step.signal.aborted || !isOfMethod(error)) throw error
        publish({ status: 'failed', message: error.message })
      }
    }
  })
}

/** Draws samples on the present device; once more on another where it is lost. */
async function sample(
  { device, models }: JobParts,
  { measured }: PreparedTask,
  settings: ImagesSettings,
  { signal, ready, countFromHere }: StepControl,
  { say }: Labels,
  control: (shape: ImageShape) => Pick<ImageRunControl, 'wantsFrame' | 'onStep'>,
): Promise<ImageRun> {
  say('Preparing the model')
  return await device.use(
    async (present) => {
      const denoiser = await models.denoiser(present, settings.side, settings.samples, say)
      signal.throwIfAborted()
      const { contract } = models
      say('Sampling')
      countFromHere()
      return await runImages(
        { denoiser, primitives: present.primitives, range: contract, measured, settings },
        { signal, ready, ...control(measured.shape) },
      )
    },
    () => say('The graphics device was lost: starting again on a new one'),
  )
}

/** Whether a frame is due: the first, then at most some a second. */
function throttle(): () => boolean {
  let last = -Infinity
  return () => {
    const now = performance.now()
    if (now - last < FRAME_MILLISECONDS) return false
    last = now
    return true
  }
}
