/** The image lab as the page's frame sees it: the lab itself, and its tools in the header. */
import { useStore } from 'zustand'
import { lazyMenu } from '../ExportButton'
import type { ExportFailure } from '../exportFailure'
import { Adapter } from '../Header'
import { ImagesLab } from './ImagesLab'
import type { ImagesMenuProps } from './ImagesMenu'
import { imagesLab } from './stores'

const ImagesMenu = lazyMenu<ImagesMenuProps>(async () => (await import('./ImagesMenu')).ImagesMenu)

export function ImagesPage({ onHelp }: { onHelp: () => void }) {
  return <ImagesLab lab={imagesLab()} onHelp={onHelp} />
}

export function ImagesTools({ onFailure }: { onFailure: ExportFailure }) {
  const lab = imagesLab()
  const adapter = useStore(lab, (state) => state.adapter)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  return (
    <>
      <Adapter adapter={adapter} />
      {!hidden && <ImagesMenu lab={lab} onFailure={onFailure} />}
    </>
  )
}
