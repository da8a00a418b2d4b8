/** What can go wrong while ONNX Runtime builds or runs a model, in words that say what to do. */
import { DeviceLostError } from '../../diffusion/backend'
import { OnnxError } from '../graph'

/** ONNX Runtime refused a model or a run. */
export class OrtError extends Error {
  override readonly name = 'OrtError'
}

/** The device's or the tab's memory does not suffice. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError'
}

/** The model gave a number that is not finite. */
export class NonFiniteOutputError extends Error {
  override readonly name = 'NonFiniteOutputError'
}

const MEMORY =
  /out of memory|bad_alloc|fail(ed|ure) to allocate|allocation (failed|size)|cannot enlarge memory|exceeds the max(imum)? buffer size|memory access out of bounds|could not allocate/i

/** @param action what was attempted, as in "run the VJP" */
export function translateError(cause: unknown, action: string): Error {
  const known = [DeviceLostError, OutOfMemoryError, OrtError, OnnxError]
  if (cause instanceof Error && known.some((kind) => cause instanceof kind)) return cause
  // aborted by the caller
  if (cause instanceof DOMException && cause.name === 'AbortError') return cause
  // Emscripten throws pointers to C++ exceptions as numbers
  const message = cause instanceof Error ? cause.message : `error ${String(cause)}`
  const memory = MEMORY.test(message) || (cause instanceof RangeError && /memory|buffer/i.test(message))
  if (memory) {
    return new OutOfMemoryError(
      `There is not enough memory to ${action}. Use a smaller image or fewer samples, or close other tabs. (${firstLine(message)})`,
      { cause },
    )
  }
  return new OrtError(
    `ONNX Runtime could not ${action}: ${firstLine(message)}. Try the other provider (WebGPU or WASM), or export the model again.`,
    { cause },
  )
}

function firstLine(message: string): string {
  const line = message
    .trim()
    .split('\n', 1)[0]!
    .replace(/[.\s]+$/, '')
  return line.length > 400 ? `${line.slice(0, 399)}…` : line
}
