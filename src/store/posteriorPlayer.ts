/** Plays the reverse diffusion: the frame advances with time from where it stands to x_0. */

/** From t = 1 to x_0. */
const PLAY_SECONDS = 2.5

export interface Stage {
  readonly frame: number
  readonly lastFrame: number
}

/** `show` is called with each new frame, `ended` when the last one has been shown. */
export class Player {
  private stop: (() => void) | undefined

  constructor(
    private readonly stage: () => Stage,
    private readonly show: (frame: number) => void,
    private readonly ended: () => void,
  ) {}

  /** From the present frame; from the first where the last is shown. */
  play(): void {
    this.pause()
    const { frame, lastFrame } = this.stage()
    const from = frame >= lastFrame ? 0 : frame
    this.show(from)
    let begin: number | undefined
    let cancel = () => {}
    const tick = (now: number) => {
      begin ??= now
      // A result may have come with another number of frames.
      const last = this.stage().lastFrame
      const next = Math.min(from + Math.floor(((now - begin) / 1000 / PLAY_SECONDS) * last), last)
      if (next !== this.stage().frame) this.show(next)
      if (next < last) {
        cancel = schedule(tick)
        return
      }
      this.stop = undefined
      this.ended()
    }
    cancel = schedule(tick)
    this.stop = () => cancel()
  }

  pause(): void {
    this.stop?.()
    this.stop = undefined
  }
}

/** With the next picture of the screen; without a screen, in as long a time. */
function schedule(tick: (now: number) => void): () => void {
  if (typeof requestAnimationFrame === 'function') {
    const handle = requestAnimationFrame(tick)
    return () => cancelAnimationFrame(handle)
  }
  const handle = setTimeout(() => tick(performance.now()), 16)
  return () => clearTimeout(handle)
}
