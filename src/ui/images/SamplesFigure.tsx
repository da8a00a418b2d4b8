/** All samples, their mean, and how much they differ in each pixel. */
import { Text, UnstyledButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import type { Picture, RunResult } from '../../store/images/types'
import { download } from '../download'
import { formatMeasure } from '../format'
import { Figure } from '../plots/Figure'
import { fileStem } from './fileNames'
import classes from './images.module.css'
import { PictureCanvas } from './PictureCanvas'
import { samplesPng } from './pictureFiles'
import { decibels, similarity } from './pictureText'
import pictures from './pictures.module.css'
import type { ImagesStore } from './stores'
import { view } from './view'

export function SamplesFigure({ lab }: { lab: ImagesStore }) {
  const { status, frames, result } = useStore(lab, (state) => state.run)
  const wanted = useStore(lab, (state) => state.settings.samples)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  const chosen = useStore(view, (state) => state.sample)
  const finished = result !== null && status !== 'running' && status !== 'paused' ? result : null
  const samples = finished?.samples ?? frames
  const save = async () => {
    if (finished) download(await samplesPng(finished), `${fileStem(lab.getState())}-samples.png`)
  }
  return (
    <Figure
      testId="figure-samples"
      title="Samples of the posterior"
      onExport={finished && !hidden ? save : undefined}
      exportLabel="Save all samples as PNG"
      caption={
        finished
          ? 'Each is an image that fits the observation; choose one to see it large. The mean has the least error, and is blurred where the samples differ.'
          : 'Every sample starts from other noise and becomes another image that fits the observation.'
      }
    >
      {samples.length === 0 ? (
        <Text size="xs" c="dimmed" p="md" ta="center" className="placeholder">
          {wanted === 1
            ? 'One sample appears here. Raise their number to see what is uncertain.'
            : `${wanted} samples appear here, with their mean and where they differ.`}
        </Text>
      ) : (
        <div className={classes.samples}>
          {samples.map((picture, k) => (
            <UnstyledButton
              // Samples have no name but their place.
              key={`sample ${k + 1}`}
              className={classes.sample}
              aria-pressed={k === Math.min(chosen, samples.length - 1)}
              onClick={() => view.setState({ sample: k, frame: null })}
              data-testid={`sample-${k}`}
            >
              <Tile
                picture={picture}
                label={`Sample ${k + 1}${finished ? `: PSNR ${decibels(finished.psnr[k]!)}` : ''}`}
              >
                {finished ? decibels(finished.psnr[k]!) : `sample ${k + 1}`}
              </Tile>
            </UnstyledButton>
          ))}
          {finished && finished.samples.length > 1 && (
            <Tile
              picture={finished.mean}
              label={`Mean of the samples: PSNR ${decibels(finished.meanPsnr)}, SSIM ${similarity(finished.meanSsim)}`}
            >
              <b>mean</b> {decibels(finished.meanPsnr)}
            </Tile>
          )}
          {finished?.deviation && <Deviation deviation={finished.deviation} />}
        </div>
      )}
    </Figure>
  )
}

function Tile({ picture, label, children }: { picture: Picture; label: string; children: ReactNode }) {
  return (
    <div>
      <div className={pictures.frame}>
        <PictureCanvas picture={picture} label={label} />
      </div>
      <Text size="xs" className={classes.numbers}>
        {children}
      </Text>
    </div>
  )
}

function Deviation({ deviation: { picture, maximum } }: { deviation: NonNullable<RunResult['deviation']> }) {
  return (
    <div>
      <div className={pictures.frame}>
        <PictureCanvas
          picture={picture}
          label={`Standard deviation over the samples in each pixel, up to ${formatMeasure(maximum)}`}
          testId="deviation"
        />
      </div>
      <Text size="xs" fw={700}>
        deviation
      </Text>
      <div className={pictures.scale}>
        <Text size="xs">0</Text>
        <div className={pictures.ramp} aria-hidden />
        <Text size="xs">{formatMeasure(maximum)}</Text>
      </div>
    </div>
  )
}
