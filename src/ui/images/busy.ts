/** Why nothing can be changed at present. */
import type { ImagesLabState } from '../../store/images/types'

/** Undefined while settings, image and model may be changed. */
export function whyBusy({ run, compare }: Pick<ImagesLabState, 'run' | 'compare'>): string | undefined {
  const underWay = (status: string) => status === 'running' || status === 'paused'
  if (underWay(run.status)) return 'A run is under way: cancel it to change this.'
  if (underWay(compare.status)) return 'A comparison is under way: cancel it to change this.'
  return undefined
}

const LOADING: readonly string[] = ['downloading', 'building', 'compiling', 'verifying']

/** Why neither a run nor a comparison can start. */
export function whyNoRun(
  state: Pick<ImagesLabState, 'status' | 'run' | 'compare' | 'model' | 'source' | 'observation'>,
): string | undefined {
  const { status, model, source, observation } = state
  if (status === 'starting') return 'The device is being started.'
  if (model.status === 'asking')
    return 'The model’s contract is not complete: answer what its file leaves open.'
  if (LOADING.includes(model.status)) return `The model is not ready: ${model.label}.`
  if (model.status !== 'ready') return 'There is no model: choose one.'
  if (!source) return 'There is no image: choose one.'
  if (!observation) return 'The observation is being made.'
  return undefined
}
