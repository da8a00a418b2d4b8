/** The device of one worker: opened on first use, and again where it was lost. */

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

  /** The next `open` opens another, if `opened` is still the present one. */
  forget(opened: Promise<Device>): void {
    if (this.opened === opened) this.opened = undefined
  }

  /** Destroys the device as a driver reset would. For tests. */
  async lose(): Promise<void> {
    const device = await this.opened
    device?.destroy()
  }
}
