/** Words in the colour that their subject has in the plots. */
import { Text } from '@mantine/core'
import type { ReactNode } from 'react'

export function Coloured({ colour, children }: { colour: string; children: ReactNode }) {
  return (
    <Text span inherit fw={600} style={{ color: colour }}>
      {children}
    </Text>
  )
}
