/**
 * The visual language: one colour a role, the same in plots, legends, equations and tables. The roles take the
 * Okabe-Ito palette (distinguishable with any colour vision), darkened or lightened until text in them reads on
 * either background. Everything that is not data is grey, so that colour always means something.
 * Source: Okabe and Ito, Color Universal Design, 2008.
 */
import { createTheme, type MantineColorsTuple } from '@mantine/core'
import type { CovarianceName } from '../diffusion/types'
import type { MethodId } from '../experiments/mixture/settings'

/** Things that keep their colour everywhere. */
export interface RoleColours {
  /** Ground truth. */
  readonly truth: string
  /** What run A learned. */
  readonly learned: string
  /** What the run beside it, run B, learned. */
  readonly comparison: string
  /** Observations y = A x + n and what follows from them. */
  readonly observation: string
}

/** Colours of everything that is drawn without Mantine. */
export interface Colours extends RoleColours {
  readonly text: string
  readonly dimmed: string
  readonly grid: string
  readonly frame: string
  readonly panel: string
  readonly background: string
  readonly covariances: Readonly<Record<CovarianceName, string>>
  /** A method named after its covariance has that covariance's colour; MMPS itself has Tweedie's. */
  readonly methods: Readonly<Record<MethodId, string>>
}

export type ColourScheme = 'light' | 'dark'

// Chosen so that any two of them, and the truth and the observation beside them, stay apart for normal, red-blind and
// green-blind eyes: OKLab distances of simulated colours (Machado et al. 2009) of at least 0.09 for the six newest.
const covariances: Readonly<Record<ColourScheme, Readonly<Record<CovarianceName, string>>>> = {
  light: {
    tweedie: '#b87700',
    gaussian: '#2f8fc9',
    pigdm: '#5d58e7',
    identity: '#7c8794',
    zero: '#1c2430',
    tmpd: '#382f00',
  },
  dark: {
    tweedie: '#f0b13c',
    gaussian: '#a5dcfc',
    pigdm: '#8c75fb',
    identity: '#8b95a3',
    zero: '#eef1f5',
    tmpd: '#f0df95',
  },
}

function methodColours(
  scheme: ColourScheme,
  others: Readonly<Record<Exclude<MethodId, CovarianceName | 'mmps'>, string>>,
): Readonly<Record<MethodId, string>> {
  const { tweedie, ...named } = covariances[scheme]
  return { mmps: tweedie, ...named, ...others }
}

export const colours: Readonly<Record<ColourScheme, Colours>> = {
  light: {
    truth: '#0069a6',
    learned: '#c44f00',
    comparison: '#a0457d',
    observation: '#007a59',
    text: '#1c2430',
    dimmed: '#5a6779',
    grid: '#e3e7ec',
    frame: '#c3cad4',
    panel: '#ffffff',
    background: '#ffffff',
    covariances: covariances.light,
    methods: methodColours('light', { dps: '#aa4800', diffpir: '#6d1e5f', jfps: '#6e3e32', tds: '#5c2095' }),
  },
  dark: {
    truth: '#5cb8ef',
    learned: '#f58b45',
    comparison: '#e394c3',
    observation: '#35c69b',
    text: '#dde2e9',
    dimmed: '#9aa5b4',
    grid: '#2f3844',
    frame: '#465060',
    panel: '#171c23',
    background: '#1b2129',
    covariances: covariances.dark,
    methods: methodColours('dark', { dps: '#bd461b', diffpir: '#8d6572', jfps: '#c4843c', tds: '#954eb8' }),
  },
}

/** The colour of what a run learned. */
export function runColour(scheme: ColourScheme, slot: 'a' | 'b'): string {
  return slot === 'a' ? colours[scheme].learned : colours[scheme].comparison
}

/** A colour as [red, green, blue], each 0..255. */
export function rgb(hex: string): readonly [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

/**
 * A sequential colour map on a transparent ground, as 256 RGBA entries: opacity grows first, then the colour
 * moves towards ink (light theme) or paper (dark theme), so that lightness is monotone in the density.
 */
export function sequentialRamp(hex: string, scheme: ColourScheme): Uint8ClampedArray {
  const ramp = new Uint8ClampedArray(256 * 4)
  const base = rgb(hex)
  const end = scheme === 'light' ? 0 : 255
  for (let level = 1; level < 256; level += 1) {
    const value = level / 255
    const opacity = Math.min(1, 0.1 + value / 0.75)
    const towardsEnd = 0.55 * Math.max(0, (value - 0.6) / 0.4)
    for (let channel = 0; channel < 3; channel += 1) {
      ramp[4 * level + channel] = base[channel]! + (end - base[channel]!) * towardsEnd
    }
    ramp[4 * level + 3] = 255 * opacity
  }
  return ramp
}

const ink: MantineColorsTuple = [
  '#f5f7f9',
  '#e8ebf0',
  '#d3d9e1',
  '#b3bdc9',
  '#8896a8',
  '#66758a',
  '#4d5b70',
  '#3b475a',
  '#2a3444',
  '#1c2430',
]

const dark: MantineColorsTuple = [
  '#dde2e9',
  '#b4bdc9',
  '#9aa5b4',
  '#6b7686',
  '#465060',
  '#353e4b',
  '#252c36',
  '#1b2129',
  '#151a21',
  '#0f1317',
]

export const fontFamily =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif'

export const mantineTheme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 8, dark: 5 },
  colors: { ink, dark },
  fontFamily,
  headings: { fontFamily, fontWeight: '600' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: {
      defaultProps: {
        multiline: true,
        maw: 300,
        withArrow: true,
        events: { hover: true, focus: true, touch: true },
      },
    },
  },
})
