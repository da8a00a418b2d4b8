/** The posterior lab as the page's frame sees it: the lab itself, and its tools in the header. */
import { useStore } from 'zustand'
import { lazyMenu } from '../ExportButton'
import type { ExportFailure } from '../exportFailure'
import { Adapter } from '../Header'
import { PosteriorLab } from './PosteriorLab'
import type { PosteriorMenuProps } from './PosteriorMenu'
import { posteriorLab } from './stores'

const PosteriorMenu = lazyMenu<PosteriorMenuProps>(
  async () => (await import('./PosteriorMenu')).PosteriorMenu,
)

export function PosteriorPage({ onHelp }: { onHelp: () => void }) {
  return <PosteriorLab lab={posteriorLab()} onHelp={onHelp} />
}

export function PosteriorTools({ onFailure }: { onFailure: ExportFailure }) {
  const lab = posteriorLab()
  const adapter = useStore(lab, (state) => state.adapter)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  return (
    <>
      <Adapter adapter={adapter} />
      {!hidden && <PosteriorMenu lab={lab} onFailure={onFailure} />}
    </>
  )
}
