/** Why nothing can be changed at present. */
import type { ImageRunState, ImagesLabState, RunResult } from '../../store/images/types'

/** Whether a run or a comparison has begun and not ended. */
export function isUnderWay({ status }: { readonly status: ImageRunState['status'] }): boolean {
  return status === 'running' || status === 'paused'
}

/** The result that is shown: while another run is under way, that of the one before is not. */
export function shownResult(run: Pick<ImageRunState, 'status' | 'result'>): RunResult | null {
  return isUnderWay(run) ? null : run.result
}

/** Undefined while settings, image and model may be changed. */
export function whyBusy({ run, compare }: Pick<ImagesLabState, 'run' | 'compare'>): string | undefined {
  if (isUnderWay(run)) return 'A run is under way: cancel it to change settings.'
  if (isUnderWay(compare)) return 'A comparison is under way: cancel it to change settings.'
  return undefined
}

/** Why neither a run nor a comparison can start. While a model loads it can: it then waits for the model. */
export function whyNoRun({
  status,
  model,
  source,
}: Pick<ImagesLabState, 'status' | 'model' | 'source'>): string | undefined {
  if (model.status === 'asking') return 'The model is not complete: answer what its file leaves open.'
  if (model.status === 'failed') return 'The model cannot be used: choose another one.'
  if (status === 'starting') return 'The device is being started.'
  if (model.status === 'none') return 'There is no model: choose one.'
  return source ? undefined : 'There is no image: choose one.'
}
