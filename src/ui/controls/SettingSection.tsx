/** A group of settings: its title, those that everybody sees, and the others under "Advanced". */
import { Collapse, Stack, Title } from '@mantine/core'
import { Children, useId, useState, type ReactNode } from 'react'
import { AdvancedButton } from './AdvancedButton'
import classes from './controls.module.css'

interface SettingSectionProps {
  readonly title: string
  /** For the test id of its button. */
  readonly name: string
  /** What everybody sees; may be nothing. */
  readonly children: ReactNode
  /** Mounted while it is open. */
  readonly advanced: ReactNode
  /** Leaves the button out. */
  readonly advancedHidden: boolean
}

export function SettingSection({ title, name, children, advanced, advancedHidden }: SettingSectionProps) {
  const [opened, setOpened] = useState(false)
  const regionId = useId()
  return (
    <section aria-label={title} className={classes.group}>
      <div className={classes.groupHeader}>
        <Title order={2} size="sm">
          {title}
        </Title>
        {!advancedHidden && (
          <AdvancedButton
            title={title}
            name={name}
            regionId={regionId}
            opened={opened}
            onToggle={() => setOpened(!opened)}
          />
        )}
      </div>
      <Stack gap="xs" mt={Children.toArray(children).length > 0 ? 6 : 0}>
        {children}
        <Collapse expanded={opened} id={regionId}>
          <Stack gap="xs">{opened && advanced}</Stack>
        </Collapse>
      </Stack>
    </section>
  )
}
