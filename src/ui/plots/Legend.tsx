/** Colours and what they stand for. */
import { Text } from '@mantine/core'
import classes from './legend.module.css'

export interface LegendItem {
  readonly colour: string
  readonly label: string
}

export function Legend({ items }: { items: readonly LegendItem[] }) {
  return (
    <ul className={classes.legend} aria-label="Colours">
      {items.map(({ colour, label }) => (
        <li key={label}>
          <span aria-hidden className={classes.swatch} style={{ background: colour }} />
          <Text size="xs" span>
            {label}
          </Text>
        </li>
      ))}
    </ul>
  )
}
