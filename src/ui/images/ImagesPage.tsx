/** The image lab as the page's frame sees it: the lab itself, and its tools in the header. */
import { useStore } from 'zustand'
import type { ExportFailure } from '../exportFailure'
import { Adapter } from '../Header'
import { ImagesLab } from './ImagesLab'
import { ImagesMenu } from './ImagesMenu'
import { imagesLab } from './stores'

export function ImagesPage({ onHelp }: { onHelp: () => void }) {
  return <ImagesLab lab={imagesLab()} onHelp={onHelp} />
}

export function ImagesTools({ onFailure }: { onFailure: ExportFailure }) {
  const lab = imagesLab()
  const adapter = useStore(lab, (state) => state.adapter)
  return (
    <>
      <Adapter adapter={adapter} />
      <ImagesMenu lab={lab} onFailure={onFailure} />
    </>
  )
}
