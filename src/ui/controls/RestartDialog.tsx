/** Says what a restart would forget, and asks. */
import { Button, Group, Modal, Text } from '@mantine/core'

interface RestartDialogProps {
  readonly opened: boolean
  /** Iterations that would be lost. */
  readonly iterations: number
  /** What would happen, for the button. */
  readonly action: string | undefined
  readonly onKeep: () => void
  readonly onRestart: () => void
}

export function RestartDialog({ opened, iterations, action, onKeep, onRestart }: RestartDialogProps) {
  return (
    <Modal opened={opened} onClose={onKeep} title="This restarts the run" centered size="sm">
      <Text size="sm">
        {iterations === 0
          ? 'The step that was paused is forgotten.'
          : `The ${iterations === 1 ? 'iteration' : `${iterations} iterations`} computed so far ${iterations === 1 ? 'is' : 'are'} forgotten.`}{' '}
        Export the run first if you want to keep it.
      </Text>
      <Group mt="md" justify="flex-end">
        <Button variant="default" onClick={onKeep} data-testid="restart-cancel">
          Keep the run
        </Button>
        <Button onClick={onRestart} data-testid="restart-confirm" data-autofocus>
          {action}
        </Button>
      </Group>
    </Modal>
  )
}
