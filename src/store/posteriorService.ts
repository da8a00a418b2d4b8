/** The posterior lab's work behind its messages, wherever it runs: in a Web Worker, or beside a test. */
import { readRun, type SavedRun } from '../experiments/manifold/runFile'
import { learnedPrior } from '../experiments/mixture/learned'
import { PosteriorController } from './posteriorController'
import { PausableJob } from './pausableJob'
import {
  createPosteriorDevice,
  explainPosterior,
  type PosteriorDevice,
  type PosteriorHost,
} from './posteriorDevice'
import { runFigure2, runTable } from './posteriorJobs'
import type { JobName, LearnedAnswer, LearnedRequest, PosteriorCommand } from './posteriorMessages'

export interface ServiceHost extends PosteriorHost {
  /** The manifold lab's saved run, if there is one. */
  loadSavedRun(): Promise<SavedRun | undefined>
}

export class PosteriorService {
  private readonly device: PosteriorDevice
  private readonly controller: PosteriorController
  private readonly jobs: { readonly table: PausableJob; readonly figure2: PausableJob }

  constructor(private readonly host: ServiceHost) {
    this.device = createPosteriorDevice(host)
    this.controller = new PosteriorController(host, this.device)
    const job = (name: JobName) =>
      new PausableJob({
        publish: (number, patch) => host.publish({ type: 'job', name, job: number, patch }),
        explain: explainPosterior,
      })
    this.jobs = { table: job('table'), figure2: job('figure2') }
  }

  async execute(command: PosteriorCommand): Promise<void> {
    const { host, device, controller, jobs } = this
    switch (command.type) {
      case 'sample':
        return await controller.request(command.wanted)
      case 'runTable': {
        const { job, scene, methods } = command
        const parts = { host, device, pausable: jobs.table }
        return await runTable(parts, job, () => controller.sceneOf(scene), scene.settings, methods)
      }
      case 'runFigure2': {
        const { job, settings, seeds } = command
        return await runFigure2({ host, device, pausable: jobs.figure2 }, job, settings, seeds)
      }
      case 'pause':
        return jobs[command.name].pause()
      case 'resume':
        return jobs[command.name].resume()
      case 'cancel':
        return jobs[command.name].cancel()
      case 'loseDevice':
        return await device.lose()
    }
  }

  /** Opens a learned prior; it serves `shape = 'learned'` from now on. */
  async answer(request: LearnedRequest): Promise<LearnedAnswer> {
    try {
      const saved = request.type === 'runFile' ? readRun(request.bytes) : await this.host.loadSavedRun()
      if (!saved) {
        return {
          error:
            'The manifold lab has no saved run here: press Run there, wait for its first M and E step, and come back.',
        }
      }
      const learned = learnedPrior(saved)
      this.controller.useLearned(learned)
      const { network, description, sigmaMin, sigmaMax } = learned
      return { features: network.features, description, sigmaMin, sigmaMax }
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }
}
