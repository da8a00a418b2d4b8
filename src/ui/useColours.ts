/** The colours of the theme in use. */
import { useComputedColorScheme } from '@mantine/core'
import { colours, type Colours, type ColourScheme } from './theme'

export function useScheme(): ColourScheme {
  return useComputedColorScheme('light', { getInitialValueInEffect: false })
}

export function useColours(): Colours {
  return colours[useScheme()]
}
