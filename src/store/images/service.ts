/** The image lab's work behind its messages, wherever it runs: in a Web Worker, or beside a test. */
import { PausableJob } from '../pausableJob'
import { createPresentDevice, type DeviceHost, type PresentDevice } from './device'
import { runCompare, runSampling } from './jobs'
import type { ImagesCommand, JobName } from './messages'
import { ModelKeeper, type ModelHost } from './modelKeeper'
import { Observer } from './observer'
import { PreparedTasks } from './preparedTask'
import { explainImages } from './problems'

export type ServiceHost = DeviceHost & ModelHost

export class ImagesService {
  private readonly device: PresentDevice
  private readonly models: ModelKeeper
  private readonly tasks = new PreparedTasks()
  private readonly observer: Observer
  private readonly jobs: Readonly<Record<JobName, PausableJob>>

  constructor(private readonly host: ServiceHost) {
    this.device = createPresentDevice(host)
    this.models = new ModelKeeper(host, this.device, () => this.tasks.shown)
    this.observer = new Observer(this.tasks, host.publish)
    const job = (name: JobName) =>
      new PausableJob({
        publish: (number, patch) => host.publish({ type: 'job', name, job: number, patch }),
        explain: explainImages,
      })
    this.jobs = { run: job('run'), compare: job('compare') }
  }

  async execute(command: ImagesCommand): Promise<void> {
    const { host, device, models, tasks, jobs } = this
    switch (command.type) {
      case 'image':
        return tasks.setImage(command.image, command.original)
      case 'observe':
        return await this.observer.request(command)
      case 'loadModel':
        return await models.load(command.job, command.source, command)
      case 'completeContract':
        return models.complete(command.contract)
      case 'cancelModel':
        return models.cancel()
      case 'run': {
        jobs.compare.cancel()
        await runSampling({ host, device, models, tasks, pausable: jobs.run }, command)
        return models.resumeVerifying(command.task.settings.side)
      }
      case 'compare': {
        jobs.run.cancel()
        await runCompare({ host, device, models, tasks, pausable: jobs.compare }, command)
        return models.resumeVerifying(command.task.settings.side)
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
}
