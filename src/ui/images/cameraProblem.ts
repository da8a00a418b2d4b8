/** Why the camera gives no picture, and what to do: from what getUserMedia throws. */
import type { Problem } from '../../store/labTypes'

const place = 'data'

/** Where the page may not ask for a camera at all. */
export const insecureCamera: Problem = {
  title: 'No camera here',
  message: 'The browser gives cameras only to pages that are served over https or from localhost.',
  nextStep:
    'Open the page by its https address, or take a photo with another program and drop the file here.',
  place,
}

export function cameraProblem(error: unknown): Problem {
  const name = error instanceof Error ? error.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        title: 'The camera was refused',
        message: 'This page may not use the camera: you, the browser or the system said no.',
        nextStep:
          'Allow the camera in the browser’s site settings (the icon beside the address), then try again.',
        place,
      }
    case 'NotFoundError':
    case 'OverconstrainedError':
      return {
        title: 'No camera was found',
        message: 'The browser knows of no camera on this device.',
        nextStep: 'Connect one and try again, or open an image file instead.',
        place,
      }
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: 'The camera is in use',
        message: 'The camera is there but gives no picture: another program may hold it.',
        nextStep: 'Close programs that use the camera, then try again.',
        place,
      }
    default:
      return {
        title: 'The camera gives no picture',
        message: error instanceof Error && error.message ? error.message : 'The browser did not say why.',
        nextStep: 'Try again, or open an image file instead.',
        place,
      }
  }
}
