/**
 * The picture of Figure 1 for one panel: prior, constraint and exact posterior, and one method's samples over them, at
 * any moment of the reverse diffusion. The constraint can be dragged and samples probed; both panels follow.
 */
import { Loader, NativeSelect, Text } from '@mantine/core'
import { useCallback, useMemo, type CSSProperties } from 'react'
import { useStore, type StoreApi } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'
import { download } from '../download'
import { formatCount, formatMeasure } from '../format'
import { Subscripts } from '../math/Subscripts'
import { Figure } from '../plots/Figure'
import { Legend, type LegendItem } from '../plots/Legend'
import { scatterStyle, scatterToPng } from '../plots/scatterExport'
import { colours as themes, type Colours } from '../theme'
import { useScheme } from '../useColours'
import { camera, showCoordinate } from './camera'
import { PlaneCanvas } from './PlaneCanvas'
import { createProbeReader, planeContent, type Plane } from './planeContent'
import classes from './plane.module.css'
import { lostText, planeText } from './planeText'
import { PlaneWaiting } from './PlaneWaiting'
import { ProbeReadout } from './ProbeReadout'
import { SceneHandles } from './SceneHandles'
import { useThrottled } from './useThrottled'

interface PlaneFigureProps {
  readonly lab: StoreApi<PosteriorLab>
  readonly panel: PanelName
}

/** "₁"; eight features at most follow it. */
const SUBSCRIPT_ONE = 0x2081
/** The plot in words follows at leisure. */
const DESCRIBE_MILLISECONDS = 500

export function PlaneFigure({ lab, panel }: PlaneFigureProps) {
  const scheme = useScheme()
  const colours = themes[scheme]
  const plane = useMemo(() => createStore<Plane | null>(() => null), [])
  const method = useStore(
    lab,
    ({ panels }) => panels[panel].result?.method.method ?? panels[panel].settings.method,
  )
  const hasResult = useStore(lab, ({ panels }) => panels[panel].result !== null)
  const hasScene = useStore(lab, ({ scene }) => scene !== null)
  const lost = useStore(lab, ({ panels }) => panels[panel].result?.lost ?? 0)
  const features = useStore(lab, ({ scene }) => scene?.features ?? 2)
  const style = useMemo(() => scatterStyle(scheme, themes[scheme].methods[method]), [scheme, method])
  const describe = useCallback((state: PosteriorLab) => planeText(state, panel), [panel])
  const description = useThrottled(lab, describe, DESCRIBE_MILLISECONDS)
  const { label } = methodDefinitions[method]

  // On white paper, whatever the theme.
  const save = async () => {
    const state = lab.getState()
    const shown = plane.getState()
    if (!shown) return
    const content = planeContent(
      state,
      panel,
      camera.getState(),
      themes.light,
      createProbeReader(panel)(state),
    )
    const { result } = state.panels[panel]
    const time = content.sigma === 0 ? 'x_0' : `σ_t = ${formatMeasure(content.sigma)}`
    const blob = await scatterToPng(
      { ...content, reach: shown.reach },
      scatterStyle('light', themes.light.methods[method]),
      legendOf(
        themes.light,
        method,
        `${formatCount(result?.count ?? 0)} samples by ${label}, ${time}, seed ${state.settings.seed}`,
        features,
      ),
    )
    download(blob, `posterior-${method}-${panel}.png`)
  }
  return (
    <Figure
      testId={`plane-${panel}`}
      title={
        hasResult ? (
          <span className={classes.title}>
            Samples by <Subscripts text={label} />
          </span>
        ) : (
          'Prior and observation'
        )
      }
      onExport={hasScene ? save : undefined}
      exportLabel={`Save the picture of ${label} as PNG`}
      caption={captionOf(panel, features)}
    >
      <Legend items={legendOf(colours, method, 'samples', features)} />
      {features > 3 && <Coordinates features={features} />}
      <div
        className={classes.plane}
        style={{ '--handle': colours.observation, '--ground': colours.panel } as CSSProperties}
      >
        <PlaneCanvas
          lab={lab}
          panel={panel}
          plane={plane}
          colours={colours}
          style={style}
          label={description}
          className={classes.canvas}
        />
        <SceneHandles lab={lab} panel={panel} plane={plane} />
        <PlaneWaiting lab={lab} panel={panel} />
        {!hasScene && (
          <div className={classes.empty}>
            <Loader size="sm" aria-label="Drawing the prior" />
          </div>
        )}
      </div>
      {lost > 0 && (
        <Text size="xs" c="var(--mantine-color-error)" data-testid={`lost-${panel}`}>
          {lostText(lost)}.
        </Text>
      )}
      <ProbeReadout lab={lab} panel={panel} />
    </Figure>
  )
}

function legendOf(
  { truth, observation, methods }: Colours,
  method: keyof Colours['methods'],
  samples: string,
  features: number,
): LegendItem[] {
  return [
    { colour: truth, label: 'truth: prior (line), exact posterior (dots)' },
    { colour: methods[method], label: samples },
    ...(features > 3 ? [] : [{ colour: observation, label: 'A x = y' }]),
  ]
}

function captionOf(panel: PanelName, features: number): string {
  if (panel === 'b') return 'The same scene, steps and noise as in the other panel.'
  if (features > 3) {
    return `Three of ${features} coordinates; A x = y is no plane in them, so it is not drawn. Drag the ground to turn the view.`
  }
  return features === 3
    ? 'Drag the round handles to change y and turn A, the ground to turn the view; click a point to see its covariances.'
    : 'Drag the line or its handles to change y and turn A; click a point to see its covariances.'
}

/** Which coordinates of a learned prior are shown. */
function Coordinates({ features }: { features: number }) {
  const coordinates = useStore(camera, (state) => state.coordinates)
  const options = Array.from({ length: features }, (_, k) => ({
    value: String(k),
    label: `x${String.fromCodePoint(SUBSCRIPT_ONE + k)}`,
  }))
  return (
    <div className={classes.coordinates}>
      {([0, 1, 2] as const).map((axis) => (
        <NativeSelect
          key={axis}
          size="xs"
          aria-label={`Coordinate on axis ${axis + 1}`}
          data={options}
          value={String(coordinates[axis])}
          onChange={(event) => showCoordinate(axis, Number(event.currentTarget.value))}
        />
      ))}
    </div>
  )
}
