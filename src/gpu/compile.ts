/**
 * From WGSL modules to compute pipelines.
 *
 * A kernel is a header of constants (sizes known when the pipeline is built) followed by the text of its
 * modules: the shared ones first, the one with the entry point last. Sizes are constants rather than
 * `override`s because WGSL lets only constants size arrays outside workgroup memory.
 */

/** A header constant: integer → u32, `{ f32 }` or a fraction → f32, boolean → bool, string → verbatim expression. */
export type ShaderConstant = number | boolean | string | { readonly f32: number }

function literal(value: ShaderConstant): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isInteger(value)) return value < 0 ? `${value}i` : `${value}u`
  const number = typeof value === 'number' ? value : value.f32
  if (!Number.isFinite(number)) throw new RangeError(`A shader constant must be finite, not ${number}.`)
  return `f32(${number})`
}

/** Header of `const NAME = …;` lines, then the sources, joined in order. */
export function composeShader(
  constants: Readonly<Record<string, ShaderConstant>>,
  sources: readonly string[],
) {
  const header = Object.entries(constants).map(([name, value]) => `const ${name} = ${literal(value)};`)
  return [...header, ...sources].join('\n')
}

/** Shader code that does not compile: the program's own fault, with line and column. */
export class ShaderError extends Error {
  override readonly name = 'ShaderError'
}

export interface ComputeKernelOptions {
  readonly label: string
  readonly code: string
  readonly entryPoint: string
  readonly layout?: GPUPipelineLayout
}

/** A compiled entry point and the means to bind buffers to it. */
export interface ComputeKernel {
  readonly label: string
  readonly pipeline: GPUComputePipeline
  /** Binds buffers to group `group` (default 0); the binding number is the place in the list, undefined where the
   * entry point uses none. */
  bind(resources: readonly (GPUBuffer | GPUBufferBinding | undefined)[], group?: number): GPUBindGroup
}

/**
 * Compiles without blocking the page. Errors: ShaderError with "label:line:column message" for each
 * compilation error; whatever the pipeline creation reports otherwise.
 */
export async function createComputeKernel(
  device: GPUDevice,
  options: ComputeKernelOptions,
): Promise<ComputeKernel> {
  const { label, code, entryPoint, layout = 'auto' } = options
  // the compilation messages below say the same, with places
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ label, code })
  device.popErrorScope().catch(() => undefined)
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter((message) => message.type === 'error')
  if (errors.length > 0) {
    const lines = code.split('\n')
    const report = errors.map(
      ({ lineNum, linePos, message }) =>
        `${label}:${lineNum}:${linePos} ${message}\n  ${lines[lineNum - 1] ?? ''}`,
    )
    throw new ShaderError(report.join('\n'))
  }
  const pipeline = await device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint } })
  return {
    label,
    pipeline,
    bind(resources, group = 0) {
      return device.createBindGroup({
        label,
        layout: pipeline.getBindGroupLayout(group),
        entries: resources.flatMap((resource, binding) => {
          if (!resource) return []
          return { binding, resource: 'buffer' in resource ? resource : { buffer: resource } }
        }),
      })
    },
  }
}
