/** The film of a run as WebM: made while one waits, with progress, and cancelled by closing. */
import { Button, Group, Modal, Progress, Text } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { download } from '../download'
import { ProblemCard } from '../ProblemAlert'
import { fileStem } from './fileNames'
import type { ImagesStore } from './stores'

interface FilmDialogProps {
  readonly lab: ImagesStore
  readonly onClose: () => void
}

export function FilmDialog({ lab, onClose }: FilmDialogProps) {
  const [fraction, setFraction] = useState(0)
  const [failure, setFailure] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  const close = useRef(onClose)
  useEffect(() => {
    close.current = onClose
  }, [onClose])
  useEffect(() => {
    const control = new AbortController()
    const make = async () => {
      try {
        const film = await lab.getState().exportFilm(setFraction, control.signal)
        if (control.signal.aborted) return
        download(film, `${fileStem(lab.getState())}-film.${film.type.includes('mp4') ? 'mp4' : 'webm'}`)
        close.current()
      } catch (error) {
        if (!control.signal.aborted) setFailure(error instanceof Error ? error.message : String(error))
      }
    }
    void make()
    return () => control.abort()
  }, [lab, attempt])
  return (
    <Modal opened onClose={onClose} title="Film of the run" centered size="sm">
      {failure === null ? (
        <>
          <Text size="sm" role="status">
            Encoding the film: {Math.round(100 * fraction)} %
          </Text>
          <Progress mt={6} value={100 * fraction} aria-label="Progress of the film" />
        </>
      ) : (
        <ProblemCard
          problem={{
            title: 'The film could not be made',
            message: failure,
            nextStep: 'Try again, or save the pictures as PNG: nothing that was computed is lost.',
            place: 'run',
          }}
        >
          <Button
            size="xs"
            mt="xs"
            onClick={() => {
              setFailure(null)
              setFraction(0)
              setAttempt(attempt + 1)
            }}
          >
            Try again
          </Button>
        </ProblemCard>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose} data-testid="film-cancel">
          {failure === null ? 'Cancel' : 'Close'}
        </Button>
      </Group>
    </Modal>
  )
}
