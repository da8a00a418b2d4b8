/** All samples, their mean, and how much they differ in each pixel. */
import { Text, UnstyledButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import type { Picture, RunResult } from '../../store/images/types'
import { download } from '../download'
import { formatMeasure } from '../format'
import { Figure } from '../plots/Figure'
import { shownResult } from './busy'
import { fileStem } from './fileNames'
import classes from './images.module.css'
import { PictureCanvas } from './PictureCanvas'
import { samplesPng } from './pictureFiles'
import { decibels, similarity } from './pictureText'
import pictures from './pictures.module.css'
import type { ImagesStore } from './stores'
import { view } from './view'

export function SamplesFigure({ lab }: { lab: ImagesStore }) {
  const run = useStore(lab, (state) => state.run)
  const present = useStore(lab, (state) => state.settings.samples)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  const chosen = useStore(view, (state) => state.sample)
  const finished = shownResult(run)
  const samples = finished?.samples ?? run.frames
  // Of a run that was cancelled, too, the frames stay.
  const wanted = samples.length || present
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
        finished && finished.samples.length > 1
          ? 'Each is an image that fits the observation; choose one to see it large. The mean has the least error, and is blurred where the samples differ.'
          : wanted === 1
            ? 'One image that fits the observation. Raise the number of samples to see what is uncertain.'
            : 'Every sample starts from other noise and becomes another image that fits the observation; then come their mean, and where they differ.'
      }
    >
      {/* Places of what is to come, so that nothing moves when it does. */}
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
        {Array.from({ length: wanted - samples.length }, (_, k) => (
          <Tile key={`place ${samples.length + k + 1}`}>sample {samples.length + k + 1}</Tile>
        ))}
        {!finished && wanted > 1 && (
          <>
            <Tile>mean</Tile>
            <Deviation />
          </>
        )}
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
    </Figure>
  )
}

interface TileProps {
  /** Absent: a place for it. */
  readonly picture?: Picture
  readonly label?: string
  readonly children: ReactNode
}

function Tile({ picture, label = '', children }: TileProps) {
  return (
    <div>
      <div className={pictures.frame}>{picture && <PictureCanvas picture={picture} label={label} />}</div>
      <Text size="xs" className={classes.numbers} c={picture ? undefined : 'dimmed'}>
        {children}
      </Text>
    </div>
  )
}

function Deviation({ deviation }: { deviation?: NonNullable<RunResult['deviation']> }) {
  const maximum = deviation && formatMeasure(deviation.maximum)
  return (
    <div>
      <div className={pictures.frame}>
        {deviation && (
          <PictureCanvas
            picture={deviation.picture}
            label={`Standard deviation over the samples in each pixel, up to ${maximum}`}
            testId="deviation"
          />
        )}
      </div>
      <Text size="xs" fw={deviation && 700} c={deviation ? undefined : 'dimmed'}>
        deviation
      </Text>
      <div className={pictures.scale} style={{ visibility: deviation ? undefined : 'hidden' }}>
        <Text size="xs">0</Text>
        <div className={pictures.ramp} aria-hidden />
        <Text size="xs">{maximum ?? 1}</Text>
      </div>
    </div>
  )
}
