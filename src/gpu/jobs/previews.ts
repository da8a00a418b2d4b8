/**
 * Histograms of samples while they are being drawn: counted on the GPU, read back without holding it up.
 */
import type { Histograms, SampleRequest } from '../../diffusion/backend'
import { featuresOf } from '../../diffusion/types'
import type { Encode } from '../dispatch'
import type { Job } from '../job'
import { HistogramKernel } from '../kernels/histogram'

/** Sums the counts of two histograms on the same grid. */
export function added(a: Histograms | undefined, b: Histograms): Histograms {
  if (!a) return b
  return {
    ...b,
    count: a.count + b.count,
    joint: a.joint.map((c, i) => c + b.joint[i]!),
    marginal: a.marginal.map((c, i) => c + b.marginal[i]!),
  }
}

/** Histograms of the samples as they are on the GPU: at most one under way, at most every so often. */
export class Previews {
  #last = 0
  #busy = false
  /** What counts the samples that were drawn last: a run of hours makes no buffers anew. */
  #counting: { readonly samples: GPUBuffer; readonly encode: Encode } | undefined

  private constructor(
    private readonly job: Job,
    private readonly kernel: HistogramKernel,
    private readonly range: number,
    private readonly counts: GPUBuffer,
    private readonly staging: GPUBuffer,
  ) {}

  static async create(job: Job, request: SampleRequest): Promise<Previews | undefined> {
    const { histogram } = request
    if (!histogram || !job.control?.onPreview) return undefined
    const { bins, range } = histogram
    const features = featuresOf(request.prior)
    const kernel = await job.context.kernel(`histogram ${features} ${bins}`, (device) =>
      HistogramKernel.create(device, features, bins),
    )
    return job.checked(() => {
      const counts = job.scope.storage('preview counts', kernel.length * 4)
      const staging = job.scope.staging('preview', kernel.length * 4)
      return new Previews(job, kernel, range, counts, staging)
    })
  }

  /** Whether enough time has passed for another. */
  get due(): boolean {
    return !this.#busy && performance.now() - this.#last >= (this.job.control?.previewMilliseconds ?? 250)
  }

  /** Prepares the counting of `count` samples, the same for the same buffer; the result records it and starts its read back. */
  draw(
    samples: GPUBuffer,
    count: number,
  ): { encode(encoder: GPUCommandEncoder): void; read(): Promise<Histograms> } {
    const { job, kernel, counts, staging, range } = this
    this.#busy = true
    this.#last = performance.now()
    if (this.#counting?.samples !== samples) {
      const step = kernel.bind(job.scope, { samples, counts }, { count, range })
      this.#counting = { samples, encode: step }
    }
    const step = this.#counting.encode
    return {
      encode(encoder) {
        encoder.clearBuffer(counts)
        const pass = encoder.beginComputePass()
        step(pass)
        pass.end()
        encoder.copyBufferToBuffer(counts, 0, staging, 0, kernel.length * 4)
      },
      read: async () => {
        try {
          const data = await job.guard(job.scope.mapped(staging, kernel.length * 4))
          return kernel.unpack(new Uint32Array(data), count, range)
        } finally {
          this.#busy = false
        }
      },
    }
  }
}
