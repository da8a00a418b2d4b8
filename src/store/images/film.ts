/**
 * The sampling as a film: frames kept while it runs, thinned where there are many, and recorded from a canvas by the
 * browser's MediaRecorder (WebM; Safari records MP4).
 */
import { drawEnlarged } from './exports'
import type { ImageRunState } from './types'

type Film = ImageRunState['film']

/** More are thinned: 240 frames of 256 × 256 pixels take 63 MB. */
const MOST_FRAMES = 240
const FRAMES_A_SECOND = 15
/** Films of few frames are slower, so that they can be followed. */
const SHORTEST_MILLISECONDS = 3000
const LONGEST_FRAME_MILLISECONDS = 500
/** The last frame stands still. */
const LAST_FRAME_SECONDS = 1
const SIDE = 512

const TYPES = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'] as const

/** Adds a frame; of a full film every second one is given up, and the newest always stays. */
export function extendFilm(film: Film, frame: Film[number]): Film {
  if (film.length < MOST_FRAMES) return [...film, frame]
  return [...film.filter((_, i) => i % 2 === 0), frame]
}

/** Errors: there is no film, the browser records none, or the signal's reason. */
export async function recordFilm(
  film: Film,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  if (film.length === 0) throw new Error('There is no film yet: run the sampler first.')
  const type =
    typeof MediaRecorder === 'undefined'
      ? undefined
      : TYPES.find((candidate) => MediaRecorder.isTypeSupported(candidate))
  if (!type) {
    throw new Error(
      'This browser records no video (MediaRecorder with WebM or MP4). Use a current Chrome, Edge, Firefox or Safari, or export the pictures.',
    )
  }
  signal.throwIfAborted()
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIDE
  const context = canvas.getContext('2d')
  if (!context) throw new Error('The browser gave no canvas: close other tabs and try again.')
  const show = ({ picture }: Film[number]) => drawEnlarged(context, picture, 0, 0, SIDE)
  show(film[0]!)
  const stream = canvas.captureStream(FRAMES_A_SECOND)
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 4_000_000 })
  const chunks: Blob[] = []
  recorder.addEventListener('dataavailable', ({ data }) => chunks.push(data))
  const stopped = new Promise<void>((resolve, reject) => {
    recorder.addEventListener('stop', () => resolve())
    recorder.addEventListener('error', () => reject(new Error('The browser stopped recording the film.')))
  })
  const refresh = 1000 / FRAMES_A_SECOND
  const each = Math.max(refresh, Math.min(SHORTEST_MILLISECONDS / film.length, LONGEST_FRAME_MILLISECONDS))
  // Where the film is given up, nobody waits for it.
  stopped.catch(() => undefined)
  try {
    recorder.start(1000)
    for (const [i, frame] of film.entries()) {
      show(frame)
      onProgress((i + 1) / film.length)
      await Promise.race([pause(each), stopped])
      signal.throwIfAborted()
    }
    // A canvas that does not change is not captured: the last picture is drawn again until it has stood long enough.
    for (let i = 0; i < LAST_FRAME_SECONDS * FRAMES_A_SECOND; i++) {
      show(film.at(-1)!)
      await pause(refresh)
      signal.throwIfAborted()
    }
  } finally {
    if (recorder.state !== 'inactive') recorder.stop()
    for (const track of stream.getTracks()) track.stop()
  }
  await stopped
  return new Blob(chunks, { type: type.split(';')[0]! })
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
