/** Pictures and measurements of the tasks that the worker is given, kept while they do not change. */
import { measureImage, type MeasuredImage } from '../../experiments/images/run'
import { measurementPicture, observationPicture } from '../../experiments/images/measurement'
import { imageOfPicture, pictureOfImage, scaledSquare } from '../../experiments/images/pictures'
import { createCpuVectors } from '../../linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../operators/cpuPrimitives'
import { isSamplerSetting } from './samplerSettings'
import type { TaskRequest } from './messages'
import type { Picture } from './types'

export interface PreparedTask {
  readonly measured: MeasuredImage
  readonly truth: Picture
  readonly observation: Picture
  readonly measurement: Picture | null
}

export class PreparedTasks {
  private readonly primitives = createCpuImagePrimitives(createCpuVectors())
  private original: { readonly image: number; readonly picture: Picture } | undefined
  private last: { readonly key: string; readonly prepared: PreparedTask } | undefined

  /** A picture for the tasks to come. */
  setImage(image: number, picture: Picture): void {
    this.original = { image, picture }
  }

  get shown(): Picture | undefined {
    return this.original?.picture
  }

  /** Cuts the truth out, and measures it, on the CPU. Errors: RangeError where the task does not fit the image. */
  async prepare(task: TaskRequest): Promise<PreparedTask> {
    const key = keyOf(task)
    if (this.last?.key === key) return this.last.prepared
    const prepared = await this.measure(task)
    this.last = { key, prepared }
    return prepared
  }

  private async measure(task: TaskRequest): Promise<PreparedTask> {
    const { settings, channels, crop, image } = task
    if (this.original?.image !== image) throw new Error('The picture is not here any more: open it again.')
    const { side } = settings
    const shape = { channels, height: side, width: side }
    const pixels = imageOfPicture(scaledSquare(this.original.picture, crop, side), channels)
    const { space } = this.primitives
    return await measureImage(
      this.primitives,
      settings,
      task,
      pixels,
      shape,
      async (measured, operator, y) => ({
        measured,
        truth: pictureOfImage(pixels, shape),
        observation: await observationPicture(space, operator, y),
        measurement: measurementPicture(measured.description, shape),
      }),
    )
  }
}

/** All that a measurement depends on. */
function keyOf({ settings, strokes, drawnKernel, image, crop, channels }: TaskRequest): string {
  const own = Object.entries(settings).filter(([name]) => !isSamplerSetting(name))
  return JSON.stringify([own, strokes, drawnKernel, image, crop, channels])
}
