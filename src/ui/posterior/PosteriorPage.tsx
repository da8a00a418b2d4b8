/** The posterior lab as the page's frame sees it: the lab itself, and its tools in the header. */
import { useStore } from 'zustand'
import type { ExportFailure } from '../exportFailure'
import { Adapter } from '../Header'
import { PosteriorLab } from './PosteriorLab'
import { PosteriorMenu } from './PosteriorMenu'
import { posteriorLab } from './stores'

export function PosteriorPage({ onHelp }: { onHelp: () => void }) {
  return <PosteriorLab lab={posteriorLab()} onHelp={onHelp} />
}

export function PosteriorTools({ onFailure }: { onFailure: ExportFailure }) {
  const lab = posteriorLab()
  const adapter = useStore(lab, (state) => state.adapter)
  return (
    <>
      <Adapter adapter={adapter} />
      <PosteriorMenu lab={lab} onFailure={onFailure} />
    </>
  )
}
