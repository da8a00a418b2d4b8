/** Numbers of the probed sample: how uncertain x is at x_t along A, in truth and as each approximation has it. */
import { ActionIcon, Button, Group, Text } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconX } from '@tabler/icons-react'
import { useEffect, useMemo } from 'react'
import { useStore, type StoreApi } from 'zustand'
import type { CovarianceName } from '../../diffusion/types'
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'
import { formatMeasure } from '../format'
import { Subscripts } from '../math/Subscripts'
import { useColours } from '../useColours'
import { covarianceOrder, createProbeReader } from './planeContent'
import classes from './plane.module.css'
import { useThrottled } from './useThrottled'

const labels: Readonly<Record<CovarianceName, string>> = {
  tweedie: 'Tweedie, σ_t² Jᵀ (MMPS)',
  gaussian: 'Gaussian fit',
  tmpd: 'TMPD, diagonal',
  pigdm: 'ΠGDM',
  identity: 'σ_t² I',
  zero: 'V = 0',
}

const READ_MILLISECONDS = 100
/** Noise level at which the covariances differ most visibly. */
const TELLING_SIGMA = 0.5

export function ProbeReadout({ lab, panel }: { lab: StoreApi<PosteriorLab>; panel: PanelName }) {
  const probed = useStore(lab, ({ probe }) => (probe?.panel === panel ? probe.index : null))
  const count = useStore(lab, ({ panels }) => panels[panel].result?.count ?? 0)
  useEffect(() => {
    if (probed === null) return
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) lab.getState().setProbe(null)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [lab, probed])
  if (count === 0) return null
  const pick = (index: number) => lab.getState().setProbe({ panel, index: (index + count) % count })
  if (probed === null) {
    return (
      <Group gap={4} className={classes.probe}>
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => pick(0)}
          data-testid={`probe-start-${panel}`}
        >
          Probe a sample
        </Button>
        <Text size="xs" c="dimmed">
          or click one
        </Text>
      </Group>
    )
  }
  return (
    <section className={classes.probe} aria-label="Probed sample" data-testid={`probe-${panel}`}>
      <Group gap={4} wrap="nowrap">
        <ActionIcon
          size="sm"
          variant="subtle"
          aria-label="Sample before"
          onClick={() => pick(Math.min(probed, count) - 1)}
        >
          <IconChevronLeft size={16} />
        </ActionIcon>
        <Text size="xs" fw={600}>
          Sample {probed + 1}
        </Text>
        <ActionIcon size="sm" variant="subtle" aria-label="Next sample" onClick={() => pick(probed + 1)}>
          <IconChevronRight size={16} />
        </ActionIcon>
        <ActionIcon
          size="sm"
          variant="subtle"
          ml="auto"
          aria-label="Stop probing (Esc)"
          onClick={() => lab.getState().setProbe(null)}
        >
          <IconX size={16} />
        </ActionIcon>
      </Group>
      <Numbers lab={lab} panel={panel} />
    </section>
  )
}

function Numbers({ lab, panel }: { lab: StoreApi<PosteriorLab>; panel: PanelName }) {
  const colours = useColours()
  const read = useMemo(() => createProbeReader(panel), [panel])
  const reading = useThrottled(lab, read, READ_MILLISECONDS)
  const scene = useStore(lab, (state) => state.scene)
  const method = useStore(lab, (state) => state.panels[panel].result?.method.method)
  if (!reading || !scene) {
    return (
      <Text size="xs" c="dimmed">
        This sample is not among those shown, or not finite.
      </Text>
    )
  }
  const { moments, sigma } = reading
  if (!moments) {
    return (
      <Group gap={8}>
        <Text size="xs" c="dimmed">
          At <Subscripts text="x_0" /> nothing is left to estimate.
        </Text>
        <Button size="compact-xs" variant="default" onClick={() => showTelling(lab, panel)}>
          Go back to&nbsp;
          <Subscripts text="σ_t" />
          &nbsp;≈ {TELLING_SIGMA}
        </Button>
      </Group>
    )
  }
  const used = method && methodDefinitions[method].covariance
  const along = (covariance: Float64Array) => deviationAlong(scene.A, scene.observed, covariance)
  const truth = along(moments.truth)
  const rows = [
    { key: 'truth', label: 'V[x | x_t], the truth', colour: colours.truth, value: truth, width: 4 },
    ...covarianceOrder.map((name) => ({
      key: name,
      label: labels[name],
      colour: colours.covariances[name],
      value: along(moments.approximations[name]),
      width: name === used ? 3 : 1.5,
    })),
  ]
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">
            at <Subscripts text="σ_t" /> = {formatMeasure(sigma)}
          </th>
          <th
            scope="col"
            title="Standard deviation of A x given x_t: the square root of the mean diagonal of A V Aᵀ"
          >
            √(A V Aᵀ)
          </th>
          <th scope="col">÷ truth</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, label, colour, value, width }) => (
          <tr key={key} data-used={key === used || undefined}>
            <th scope="row">
              <span
                aria-hidden
                className={classes.line}
                style={{ borderColor: colour, borderWidth: width }}
              />
              <Subscripts text={label} />
              {key === used && ' ← this method’s'}
            </th>
            <td>{formatMeasure(value)}</td>
            <td>{key === 'truth' ? '' : `${formatMeasure(value / truth)} ×`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Root of the mean diagonal of A V Aᵀ. A [observed, n], V [n, n]. */
function deviationAlong(A: Float64Array, observed: number, V: Float64Array): number {
  const n = A.length / observed
  let sum = 0
  for (let r = 0; r < observed; r += 1) {
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < n; j += 1) sum += A[r * n + i]! * V[i * n + j]! * A[r * n + j]!
    }
  }
  return Math.sqrt(Math.max(0, sum / observed))
}

function showTelling(lab: StoreApi<PosteriorLab>, panel: PanelName): void {
  const state = lab.getState()
  const sigmas = state.panels[panel].result?.sigmas ?? []
  const frame = sigmas.findIndex((sigma) => sigma <= TELLING_SIGMA)
  state.pausePlaying()
  state.showFrame(Math.max(0, frame))
}
