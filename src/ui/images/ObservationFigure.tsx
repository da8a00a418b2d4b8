/** What is measured, with the editor of its mask drawn over it. */
import { Text } from '@mantine/core'
import { useState } from 'react'
import { useStore } from 'zustand'
import type { TaskName } from '../../experiments/images/settings'
import { download } from '../download'
import { formatMeasure } from '../format'
import { Figure } from '../plots/Figure'
import { BoxEditor } from './BoxEditor'
import { BrushEditor, BrushTools, defaultBrush } from './BrushEditor'
import { whyBusy } from './busy'
import { fileStem } from './fileNames'
import { KernelPad } from './KernelPad'
import { KSpaceEditor } from './KSpaceEditor'
import { PictureCanvas } from './PictureCanvas'
import pictures from './pictures.module.css'
import type { ImagesStore } from './stores'

/** What is seen in the picture, and what to do with it. */
const CAPTIONS: Readonly<Record<TaskName, string>> = {
  box: 'Drag the square to hide something else; its corners resize it.',
  brush: 'What you paint over is missing and will be filled in.',
  random: 'The pixels that are known; all others are to be found.',
  motion: 'The image smeared along a path: draw your own in the pad.',
  gaussian: 'The image out of focus.',
  superres: 'The small picture that is known, pixel by pixel.',
  mri: 'What the plain inverse makes of the measured columns: ghosts and blur.',
  gray: 'The brightness of the image; its colours are to be found.',
}

/** While nothing can be edited; no longer than the others, so that nothing moves. */
const FIXED_CAPTIONS: Partial<Readonly<Record<TaskName, string>>> = {
  box: 'The square is missing; cancel to move it.',
  brush: 'What is painted over is missing; cancel to paint.',
  motion: 'The image smeared along a path; cancel to draw another.',
}

export function ObservationFigure({ lab }: { lab: ImagesStore }) {
  const observation = useStore(lab, (state) => state.observation)
  const task = useStore(lab, (state) => state.settings.task)
  const sigmaY = useStore(lab, (state) => state.settings.sigmaY)
  const kernel = useStore(lab, (state) => state.measurement)
  const busy = useStore(lab, whyBusy)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  const [brush, setBrush] = useState(defaultBrush)
  const disabled = busy !== undefined
  const save = async () =>
    download(await lab.getState().exportPicture('observation'), `${fileStem(lab.getState())}-observation.png`)
  return (
    <Figure
      testId="figure-observation"
      title="Observation"
      onExport={observation && !hidden ? save : undefined}
      exportLabel="Save the observation as PNG"
      caption={
        <>
          {(disabled && FIXED_CAPTIONS[task]) || CAPTIONS[task]} Noise {formatMeasure(sigmaY)}.
        </>
      }
    >
      <div className={pictures.frame} data-tour="observation">
        {observation ? (
          <PictureCanvas
            picture={observation}
            label={`Observation, ${observation.width} × ${observation.height} pixels: ${CAPTIONS[task]}`}
            testId="observation"
          />
        ) : (
          <div className={pictures.empty}>
            <Text size="xs" c="dimmed">
              The observation appears with the image.
            </Text>
          </div>
        )}
        {observation && task === 'box' && <BoxEditor lab={lab} disabled={disabled} />}
        {observation && task === 'brush' && <BrushEditor lab={lab} brush={brush} disabled={disabled} />}
      </div>
      {task === 'brush' && <BrushTools lab={lab} brush={brush} disabled={disabled} onBrush={setBrush} />}
      {task === 'motion' && (
        <div className={pictures.below}>
          <KernelPad lab={lab} disabled={disabled} />
        </div>
      )}
      {task === 'gaussian' && kernel && (
        <div className={pictures.below} style={{ width: 92 }}>
          <div className={pictures.frame}>
            <PictureCanvas picture={kernel} label="Kernel of the blur" testId="kernel" />
          </div>
          <Text size="xs" c="dimmed">
            kernel
          </Text>
        </div>
      )}
      {task === 'mri' && (
        <div className={pictures.below}>
          <KSpaceEditor lab={lab} disabled={disabled} />
        </div>
      )}
    </Figure>
  )
}
