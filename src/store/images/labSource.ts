/** The picture in the image lab's store: chosen, opened, cropped, and measured by the worker. */
import type { StoreApi } from 'zustand/vanilla'
import type { Problem } from '../labTypes'
import { addressOf, type Site } from './catalogue'
import type { ImagesClient } from './client'
import { centralCrop, clampCrop, ImageError, openPicture, type DecodeImage } from './imageSource'
import type { ImagesEvent, TaskRequest } from './messages'
import type { Crop, ImageSource, ImagesLab, Picture } from './types'

type Present = Omit<ImageSource, 'truth'>

export class LabSource {
  /** The newest picture; `source` in the store follows when it was measured. */
  private present: Present | null = null
  /** Number of that picture, and the one that the worker has. */
  private image = 0
  private sent = -1
  /** Of the newest request to measure, and of the first that was about `present`. */
  private generation = 0
  private since = 0
  /** Grows with every picture asked for: a slower one that comes late is dropped. */
  private asked = 0

  constructor(
    private readonly client: ImagesClient,
    private readonly lab: () => StoreApi<ImagesLab>,
    private readonly site: Site,
    private readonly decode: DecodeImage | undefined,
  ) {}

  /** Whether there is a picture to restore. */
  get isThere(): boolean {
    return this.present !== null
  }

  /** Whether the picture has more than grays. */
  get hasColours(): boolean {
    return this.present !== null && !isGray(this.present.original)
  }

  /** The crop, where it is not the one that a picture opens with; for the link. */
  get crop(): Crop | null {
    if (!this.present) return null
    const { x, y, side } = centralCrop(this.present.original)
    const { crop } = this.present
    return crop.x === x && crop.y === y && crop.side === side ? null : crop
  }

  /** Opens a bundled picture. False where it could not be opened; the problem is in the store. */
  async openBundled(name: string, crop?: Crop | null): Promise<boolean> {
    const entry = this.lab()
      .getState()
      .catalogue.images.find((image) => image.name === name)
    if (!entry) {
      this.fail(`There is no bundled picture “${name}”`, 'Choose one of the list, or open your own.')
      return false
    }
    return await this.open(
      async () => {
        const response = await this.site.fetch(addressOf(this.site, 'images', entry.file))
        if (!response.ok) throw new Error(`The server answered ${response.status} for ${entry.file}.`)
        return await response.blob()
      },
      'bundled',
      name,
      crop,
    )
  }

  /** Opens a picture. False where it could not be opened; the problem is in the store, and the present one stays. */
  async open(
    content: () => Promise<Blob>,
    kind: ImageSource['kind'],
    name: string,
    crop?: Crop | null,
  ): Promise<boolean> {
    this.asked += 1
    const { asked } = this
    try {
      const { original, notices } = await openPicture(await content(), name, this.decode)
      if (asked !== this.asked) return false
      this.present = {
        kind,
        name,
        original,
        crop: crop ? clampCrop(crop, original) : centralCrop(original),
      }
      this.image += 1
      this.since = this.generation + 1
      this.lab().setState(({ problem, notices: before }) => ({
        problem: problem?.place === 'data' ? null : problem,
        notices: [...before, ...notices],
      }))
      return true
    } catch (error) {
      if (asked !== this.asked) return false
      const message = error instanceof Error ? error.message : String(error)
      this.fail(message, error instanceof ImageError ? error.nextStep : 'Try again, or choose another.')
      return false
    }
  }

  setCrop(crop: Crop): void {
    if (!this.present) return
    this.present = { ...this.present, crop: clampCrop(crop, this.present.original) }
    const { source } = this.lab().getState()
    // The frame follows the pointer; what is in it comes a moment later.
    if (source?.original === this.present.original)
      this.lab().setState({ source: { ...source, crop: this.present.crop } })
  }

  /** The crop of a link; null is the one that a picture opens with. */
  resetCrop(crop: Crop | null): void {
    if (this.present) this.setCrop(crop ?? centralCrop(this.present.original))
  }

  /** Measures the present picture with the present settings. The worker answers the newest request. */
  observe(): void {
    const task = this.task()
    if (!task) return
    this.generation += 1
    this.client.send({ type: 'observe', generation: this.generation, task })
  }

  /** What a run restores; sends the picture where the worker does not have it. Null while there is none. */
  task(): TaskRequest | null {
    const { present, image } = this
    if (!present) return null
    if (this.sent !== image) this.client.send({ type: 'image', image, original: present.original })
    this.sent = image
    const { settings, strokes, drawnKernel } = this.lab().getState()
    return { settings, strokes, drawnKernel, image, crop: present.crop, channels: this.channels() }
  }

  receive(event: Extract<ImagesEvent, { type: 'observed' | 'observeFailed' }>): void {
    if (event.type === 'observeFailed') {
      if (event.generation === this.generation) this.lab().setState({ problem: event.problem })
      return
    }
    const { present } = this
    // About a picture that another has replaced meanwhile.
    if (!present || event.generation < this.since) return
    const { truth, observation, measurement } = event
    const { problem, status } = this.lab().getState()
    this.lab().setState({
      source: { ...present, truth },
      observation,
      measurement,
      status: status === 'failed' ? status : 'ready',
      problem: problem?.place === 'data' && problem.action === 'retry' ? null : problem,
    })
  }

  /** The worker is gone, and its pictures with it. */
  forgetSent(): void {
    this.sent = -1
  }

  /** The model's; before its contract is there, those of the list, or of the picture. */
  private channels(): number {
    const { model, settings, catalogue } = this.lab().getState()
    const listed = catalogue.models.find(({ name }) => name === settings.model)
    return model.contract?.image.channels ?? listed?.channels ?? (isGray(this.present?.original) ? 1 : 3)
  }

  private fail(message: string, nextStep: string): void {
    const problem: Problem = {
      title: 'The picture could not be opened',
      message: `${message} ${this.present ? 'The present picture stays.' : ''}`.trim(),
      nextStep,
      action: 'none',
      place: 'data',
    }
    this.lab().setState({ problem })
  }
}

/** Between two channels of a gray pixel, of 255. */
const MOST_CAST = 6

/** Whether a picture has no more colour than lossy files of gray ones; false where there is none. */
export function isGray(picture: Picture | undefined): boolean {
  if (!picture) return false
  const { data } = picture
  // Lossy files of gray pictures have a little colour.
  const near = (a: number, b: number) => Math.abs(a - b) <= MOST_CAST
  for (let i = 0; i < data.length; i += 4)
    if (!near(data[i]!, data[i + 1]!) || !near(data[i]!, data[i + 2]!)) return false
  return true
}
