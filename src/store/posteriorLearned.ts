/** Priors learned in the manifold lab, as the posterior lab finds them: in the browser's storage or in a run file. */
import type { StoreApi } from 'zustand/vanilla'
import type { MixtureSettings } from '../experiments/mixture/settings'
import { peekRun } from './autosave'
import type { PosteriorClient } from './posteriorClient'
import type { LearnedAnswer, LearnedRequest } from './posteriorMessages'
import type { PosteriorLab } from './posteriorTypes'

export class LearnedPriors {
  /** Whether the worker holds a learned prior. */
  isOpen = false

  constructor(
    private readonly client: PosteriorClient,
    private readonly lab: StoreApi<PosteriorLab>,
  ) {}

  /** Looks whether the manifold lab has saved a run with a trained prior. */
  async look(): Promise<void> {
    if (this.isOpen) return
    // Without storage there is nothing to open.
    const saved = await peekRun('a').catch(() => undefined)
    if (this.isOpen) return
    const available = saved !== undefined && saved.trained > 0
    this.lab.setState({
      learned: {
        available,
        description: available
          ? `The manifold lab’s run in R^${saved.features}, EM iteration ${saved.trained}`
          : 'No run with a trained prior is saved: press Run in the manifold lab first.',
      },
    })
  }

  /** The manifold lab's saved run. Returns the settings that show it; without one the lab has a problem instead. */
  async openSaved(): Promise<Partial<MixtureSettings> | undefined> {
    return this.adopt(await this.client.ask({ type: 'savedRun' }), 'The learned prior')
  }

  /** A run file. As `openSaved`. */
  async openFile(file: File): Promise<Partial<MixtureSettings> | undefined> {
    const request: LearnedRequest = { type: 'runFile', bytes: new Uint8Array(await file.arrayBuffer()) }
    return this.adopt(await this.client.ask(request), file.name)
  }

  /** The saved run that a link asks for. Returns why there is none. */
  async openForLink(): Promise<string | undefined> {
    const answer = await this.client.ask({ type: 'savedRun' })
    if ('error' in answer) return answer.error
    this.accept(answer.description)
    return undefined
  }

  private adopt(answer: LearnedAnswer, what: string): Partial<MixtureSettings> | undefined {
    if ('error' in answer) {
      this.lab.setState({
        problem: {
          title: `${what} was not opened`,
          message: answer.error,
          nextStep:
            'Make a run in the manifold lab, or open a run file that it exported; what is shown stays.',
          action: 'none',
          place: 'import',
        },
      })
      return undefined
    }
    const { features, description, sigmaMin, sigmaMax } = answer
    this.accept(description)
    const { observed } = this.lab.getState().settings
    return {
      shape: 'learned',
      features: Math.min(features, 3),
      observed: features === 2 ? 1 : observed,
      index: 0,
      sigmaMin,
      sigmaMax,
    }
  }

  private accept(description: string): void {
    this.isOpen = true
    this.lab.setState({ learned: { available: true, description } })
  }
}
