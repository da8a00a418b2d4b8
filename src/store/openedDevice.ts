/** The device of one worker: opened on first use, and again where it was lost. */
import type { Backend } from '../diffusion/backend'

export class OpenedDevice {
  private opened: Promise<Backend> | undefined

  /** `openDevice` may fail: the next call tries again. */
  constructor(private readonly openDevice: () => Promise<Backend>) {}

  open(): Promise<Backend> {
    if (this.opened) return this.opened
    const opened = this.openDevice()
    this.opened = opened
    void opened.then(
      (backend) => backend.lost.then(() => this.forget(opened)),
      () => this.forget(opened),
    )
    return opened
  }

  /** The next `open` opens another, if `opened` is still the present one. */
  forget(opened: Promise<Backend>): void {
    if (this.opened === opened) this.opened = undefined
  }

  /** Destroys the device as a driver reset would. For tests. */
  async lose(): Promise<void> {
    const backend = await this.opened
    backend?.destroy()
  }
}
