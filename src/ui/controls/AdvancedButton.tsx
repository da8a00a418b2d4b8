/** Opens and closes what most visitors never need. */
import { Button } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'

interface AdvancedButtonProps {
  /** Whose settings: "Prior". */
  readonly title: string
  /** Its test id ends with this. */
  readonly name: string
  /** Id of the part that it opens. */
  readonly regionId: string
  readonly opened: boolean
  readonly onToggle: () => void
}

export function AdvancedButton({ title, name, regionId, opened, onToggle }: AdvancedButtonProps) {
  return (
    <Button
      variant="subtle"
      size="compact-xs"
      c="dimmed"
      fw={400}
      aria-expanded={opened}
      aria-controls={regionId}
      aria-label={`Advanced settings: ${title}`}
      data-testid={`advanced-${name}`}
      onClick={onToggle}
      rightSection={
        <IconChevronDown size={14} style={{ transform: opened ? 'rotate(180deg)' : undefined }} />
      }
    >
      Advanced
    </Button>
  )
}
