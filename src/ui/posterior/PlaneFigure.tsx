/** The picture of Figure 1 for one panel: prior, constraint, exact posterior and one method's samples. */
import type { StoreApi } from 'zustand'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'

export interface PlaneFigureProps {
  readonly lab: StoreApi<PosteriorLab>
  readonly panel: PanelName
}

export function PlaneFigure({ lab, panel }: PlaneFigureProps) {
  return <figure data-testid={`plane-${panel}`}>{lab.getState().panels[panel].settings.method}</figure>
}
