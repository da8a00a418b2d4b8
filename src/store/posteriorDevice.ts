/** The device of one worker of the posterior lab: opened on first use, and again where it was lost. */
import { DeviceLimitError, DeviceLostError, type Backend } from '../diffusion/backend'
import type { Problem } from './labTypes'
import type { PosteriorEvent } from './posteriorMessages'

/** What the lab's workers need from where they run. */
export interface PosteriorHost {
  openBackend(): Promise<{ backend: Backend; fallback: Problem | null }>
  publish(event: PosteriorEvent): void
}

export class PosteriorDevice {
  private opened: Promise<Backend> | undefined

  constructor(private readonly host: PosteriorHost) {}

  /** Runs `task` on the device. Where the device is lost under it, another is opened and the task repeated, once. */
  async use<Result>(task: (backend: Backend) => Promise<Result>): Promise<Result> {
    const opened = this.open()
    try {
      return await task(await opened)
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error
      if (this.opened === opened) this.opened = undefined
      return await task(await this.open())
    }
  }

  /** Destroys the device as a driver reset would. For tests. */
  async lose(): Promise<void> {
    const backend = await this.opened
    backend?.destroy()
  }

  private open(): Promise<Backend> {
    this.opened ??= this.openDevice().catch((error: unknown) => {
      this.opened = undefined
      throw error
    })
    return this.opened
  }

  private async openDevice(): Promise<Backend> {
    const { backend, fallback } = await this.host.openBackend()
    void backend.lost.then(() => (this.opened = undefined))
    this.host.publish({ type: 'device', adapter: backend.adapter, fallback })
    return backend
  }
}

/** What went wrong, in a person's words, with the next step. `what`: for example "ΠGDM's samples". */
export function explainPosterior(error: unknown, what: string): Problem {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof DeviceLostError) {
    return {
      title: 'The graphics device was lost twice',
      message: `${message} ${what} could not be finished; what was drawn before stays.`,
      nextStep:
        'Try again. If it happens again, draw fewer samples, or close other programs that use the GPU.',
      action: 'retry',
      place: 'run',
    }
  }
  if (error instanceof DeviceLimitError) {
    return {
      title: 'Too large for this device',
      message: `${message} ${what} could not be computed; what was drawn before stays.`,
      nextStep: 'Lower the setting that the message names.',
      action: 'none',
      place: 'run',
    }
  }
  if (error instanceof RangeError) {
    return {
      title: `${what} cannot be computed with these settings`,
      message,
      nextStep: 'Change the setting that the message names; what was drawn before stays.',
      action: 'none',
      place: 'run',
    }
  }
  return {
    title: `${what} could not be computed`,
    message,
    nextStep: 'Try again; what was drawn before stays. If it fails again, reload the page.',
    action: 'retry',
    place: 'run',
  }
}
