/** The image lab: settings, three pictures, samples and numbers, the comparison, and the transport bar. */
import { Text } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { useFirstView } from '../firstView'
import layout from '../labLayout.module.css'
import { laterPart, lazyPart } from '../lazyPart'
import { FallbackBanner, Notices, ProblemCard } from '../ProblemAlert'
import { PicturesExplanation } from './Explanations'
import classes from './images.module.css'
import type { OpenImage } from './ImageChooser'
import { ImagesSettings } from './ImagesSettings'
import { ImagesTransport } from './ImagesTransport'
import { sortFiles, useIncomingFiles } from './incomingFiles'
import { ObservationFigure } from './ObservationFigure'
import { OriginalFigure } from './OriginalFigure'
import { RestorationFigure } from './RestorationFigure'
import type { ImagesStore } from './stores'

const Results = laterPart(async () => (await import('./Results')).Results)
const Compare = laterPart(async () => (await import('./Compare')).Compare)
const CropDialog = lazyPart(async () => (await import('./CropDialog')).CropDialog)
const CameraDialog = lazyPart(async () => (await import('./CameraDialog')).CameraDialog)
const ContractDialog = lazyPart(async () => (await import('./ContractDialog')).ContractDialog)

export function ImagesLab({ lab, onHelp }: { lab: ImagesStore; onHelp: () => void }) {
  const [cropping, setCropping] = useState(false)
  const [camera, setCamera] = useState(false)
  const asking = useStore(lab, (state) => state.model.status === 'asking')
  const problem = useStore(lab, (state) => state.problem)
  const open = useCallback(
    (...[blob, kind, name]: Parameters<OpenImage>) => void lab.getState().openImage(blob, kind, name),
    [lab],
  )
  // A picture of the visitor's is shown once it was measured: then its square can be chosen.
  useEffect(
    () =>
      lab.subscribe(({ source }, { source: before }) => {
        if (!source || source.kind === 'bundled' || source.original === before?.original) return
        setCropping(source.original.width !== source.original.height)
      }),
    [lab],
  )
  const receive = useCallback(
    (files: readonly File[], how: 'drop' | 'paste') => {
      const sorted = sortFiles(files)
      if (sorted.kind === 'model') void lab.getState().openModel(sorted.files)
      else if (sorted.kind === 'image') open(sorted.file, how, sorted.file.name || 'pasted image')
    },
    [lab, open],
  )
  const dropping = useIncomingFiles(receive)
  useFirstView(useStore(lab, (state) => state.source !== null))
  return (
    <>
      <main className={layout.page}>
        <div className={layout.fallback}>
          <FallbackBanner lab={lab} />
        </div>
        <div className={layout.banners}>
          {problem && problem.place !== 'data' && (
            <ProblemCard problem={problem} onDismiss={lab.getState().dismissProblem} />
          )}
          <Notices lab={lab} />
        </div>
        <aside className={layout.controls} aria-label="Settings">
          <ImagesSettings
            lab={lab}
            onOpen={open}
            onCamera={() => setCamera(true)}
            onCrop={() => setCropping(true)}
          />
        </aside>
        <div className={layout.centre}>
          <Text size="sm" className={layout.invitation}>
            Part of this picture is lost: press <b>Run</b> and watch what it may have been, or try{' '}
            <b>your own image</b>.
          </Text>
          <div className={classes.pictures}>
            <OriginalFigure lab={lab} />
            <ObservationFigure lab={lab} />
            <RestorationFigure lab={lab} />
          </div>
          <PicturesExplanation lab={lab} />
        </div>
        <div className={layout.below}>
          <Results lab={lab} />
          <Compare lab={lab} />
        </div>
      </main>
      <ImagesTransport lab={lab} onHelp={onHelp} />
      {cropping && <CropDialog lab={lab} onClose={() => setCropping(false)} />}
      {camera && (
        <CameraDialog
          onClose={() => setCamera(false)}
          onPhoto={(photo) => {
            setCamera(false)
            open(photo, 'camera', 'photo')
          }}
        />
      )}
      {asking && <ContractDialog lab={lab} />}
      {dropping && (
        <div className={classes.drop} aria-hidden>
          <Text fw={600}>Drop an image to restore it, or denoiser.onnx (and denoiser.json) to use it.</Text>
        </div>
      )}
    </>
  )
}
