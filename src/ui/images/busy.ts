/** Why nothing can be changed at present. */
import type { ImagesLabState } from '../../store/images/types'

/** Undefined while settings, image and model may be changed. */
export function whyBusy({ run, compare }: Pick<ImagesLabState, 'run' | 'compare'>): string | undefined {
  const underWay = (status: string) => status === 'running' || status === 'paused'
  if (underWay(run.status)) return 'A run is under way: cancel it to change settings.'
  if (underWay(compare.status)) return 'A comparison is under way: cancel it to change settings.'
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
