/** The camera's picture, and a button that takes it. The camera is off as soon as the dialog closes. */
import { Button, Group, Loader, Modal, Text } from '@mantine/core'
import { IconCamera } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { Problem } from '../../store/labTypes'
import { ProblemCard } from '../ProblemAlert'
import { cameraProblem, insecureCamera } from './cameraProblem'
import classes from './images.module.css'

interface CameraDialogProps {
  readonly onClose: () => void
  readonly onPhoto: (photo: Blob) => void
}

export function CameraDialog({ onClose, onPhoto }: CameraDialogProps) {
  return (
    <Modal opened onClose={onClose} title="Take a photo" size="lg" centered>
      <Camera onClose={onClose} onPhoto={onPhoto} />
    </Modal>
  )
}

function Camera({ onClose, onPhoto }: CameraDialogProps) {
  const video = useRef<HTMLVideoElement>(null)
  const [ready, setReady] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let ended = false
    let stream: MediaStream | undefined
    const stop = () => stream?.getTracks().forEach((track) => track.stop())
    const start = async () => {
      // Absent where the page is not served securely.
      const devices = navigator.mediaDevices as MediaDevices | undefined
      if (!devices) {
        setProblem(insecureCamera)
        return
      }
      try {
        stream = await devices.getUserMedia({ video: { facingMode: 'environment' }, audio: false })
        if (ended) {
          stop()
          return
        }
        video.current!.srcObject = stream
        await video.current!.play()
        setReady(true)
      } catch (error) {
        if (!ended) setProblem(cameraProblem(error))
      }
    }
    void start()
    return () => {
      ended = true
      stop()
    }
  }, [attempt])
  const take = () => {
    const { videoWidth, videoHeight } = video.current!
    const canvas = document.createElement('canvas')
    canvas.width = videoWidth
    canvas.height = videoHeight
    canvas.getContext('2d')!.drawImage(video.current!, 0, 0)
    canvas.toBlob((blob) => {
      if (blob) onPhoto(blob)
      else setProblem(cameraProblem(new Error('The picture could not be encoded.')))
    })
  }
  const retry = () => {
    setProblem(null)
    setReady(false)
    setAttempt(attempt + 1)
  }
  return (
    <>
      {problem ? (
        <ProblemCard problem={problem}>
          <Button size="xs" mt="xs" onClick={retry}>
            Try again
          </Button>
        </ProblemCard>
      ) : (
        <div className={classes.camera}>
          {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- a live picture without sound */}
          <video ref={video} playsInline muted aria-label="What the camera sees" />
          {!ready && (
            <Group className={classes.cameraWaiting} justify="center" gap="xs">
              <Loader size="sm" />
              <Text size="sm">Waiting for the camera: the browser may ask you.</Text>
            </Group>
          )}
        </div>
      )}
      <Group justify="space-between" mt="sm" wrap="nowrap">
        <Text size="xs" c="dimmed">
          The photo stays on this device.
        </Text>
        <Group gap="xs" wrap="nowrap">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            leftSection={<IconCamera size={16} />}
            disabled={!ready || problem !== null}
            onClick={take}
            data-testid="take-photo"
          >
            Take photo
          </Button>
        </Group>
      </Group>
    </>
  )
}
