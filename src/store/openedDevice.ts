/** The device of one worker: opened on first use, and again where it was lost. */
import { DeviceLostError } from '../diffusion/backend'

/** What may be lost. */
export interface Losable {
  /** Resolves with the reason when the device is lost; never for the CPU. */
  readonly lost: Promise<string>
  destroy(): void
}

export class OpenedDevice<Device extends Losable> {
  private opened: Promise<Device> | undefined

  /** `openDevice` may fail: the next call tries again. */
  constructor(private readonly openDevice: () => Promise<Device>) {}

  open(): Promise<Device> {
    if (this.opened) return this.opened
    const opened = this.openDevice()
    this.opened = opened
    void opened.then(
      (device) => device.lost.then(() => this.forget(opened)),
      () => this.forget(opened),
    )
    return opened
  }

  /** Runs `task` on the device. Where the device is lost under it, another is opened and the task repeated, once. */
  async use<Result>(
    task: (device: Device) => Promise<Result>,
    onRepeat?: (reason: string) => void,
  ): Promise<Result> {
    const opened = this.open()
    try {
      return await task(await opened)
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error
      this.forget(opened)
      onRepeat?.(error.message)
      return await task(await this.open())
    }
  }

  /** Destroys the device as a driver reset would. For tests. */
  async lose(): Promise<void> {
    const device = await this.opened
    device?.destroy()
  }

  /** The next `open` opens another, if `opened` is still the present one. */
  private forget(opened: Promise<Device>): void {
    if (this.opened === opened) this.opened = undefined
  }
}
