/**
 * Measures the present picture on the CPU, cheaply, whenever the task changes. One measurement is under way at a time;
 * requests that come meanwhile replace each other, and the newest is taken next.
 */
import { nextTask } from '../../diffusion/jobControl'
import type { ImagesEvent, TaskRequest } from './messages'
import type { PreparedTasks } from './preparedTask'
import { explainImages } from './problems'

interface Wanted {
  readonly generation: number
  readonly task: TaskRequest
}

export class Observer {
  private wanted: Wanted | undefined
  private working: Promise<void> | undefined

  constructor(
    private readonly tasks: PreparedTasks,
    private readonly publish: (event: ImagesEvent) => void,
  ) {}

  /** Takes the place of every earlier request. Resolves when nothing is left to do. */
  request(wanted: Wanted): Promise<void> {
    this.wanted = wanted
    this.working ??= this.work().finally(() => (this.working = undefined))
    return this.working
  }

  private async work(): Promise<void> {
    // Newer requests may be waiting behind the message of this one.
    await nextTask()
    while (this.wanted) {
      const { generation, task } = this.wanted
      this.wanted = undefined
      try {
        const { truth, observation, measurement } = await this.tasks.prepare(task)
        this.publish({
          type: 'observed',
          generation,
          truth,
          observation,
          measurement,
        })
      } catch (error) {
        this.publish({
          type: 'observeFailed',
          generation,
          problem: explainImages(error, 'The observation'),
        })
      }
      await nextTask()
    }
  }
}
