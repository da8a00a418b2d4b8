/**
 * Numbers of a model that were computed elsewhere (PyTorch), in a safetensors file: the model's inputs by name, a cotangent
 * `v`, a tangent `u`, and `output`, `vjp` = Jᵀ v, `jvp` = J u, J = ∂output/∂(noisy image). Errors are relative, in norm.
 */
import type { SafetensorsFile, Tensor } from '../math/safetensors'
import { splitModel, type DerivativeMode, type SplitModel } from '../onnx/differentiate'
import { withFloatInput } from '../onnx/floatInput'
import { OnnxError, type Graph, type GraphPort, type Values } from '../onnx/graph'
import { evaluateModel } from '../onnx/session/evaluate'
import type { OrtRuntime } from '../onnx/session/runtime'
import { specialize, type TypedGraph } from '../onnx/simplify'
import { elementCount, isFloat } from '../onnx/tensor'
import { norm } from '../onnx/verify'

export const REFERENCE_BOUND = { wasm: 1e-4, webgpu: 1e-3 } as const

type Quantity = 'output' | 'vjp' | 'jvp'
const QUANTITIES: readonly Quantity[] = ['output', 'vjp', 'jvp']

export interface Comparison {
  readonly status: 'pass' | 'fail'
  readonly bound: number
  /** ‖a - b‖ / ‖b‖ of each quantity that the file has. */
  readonly errors: Readonly<Partial<Record<Quantity, number>>>
  /** On WebGPU: what has nodes that compute on the CPU, as "the VJP". */
  readonly onCpu: readonly string[]
  readonly seconds: number
}

export interface Reference {
  readonly input: string
  readonly output: string
  compare(runtime: OrtRuntime, bound: number): Promise<Comparison>
}

/**
 * Derives the model at the sizes of the file. Errors: OnnxError where file and model do not go together.
 *
 * @param names of the noisy image and the prediction, where a contract says them
 */
export function prepareReference(
  graph: Graph,
  { tensors }: SafetensorsFile,
  names: { readonly x?: string; readonly output?: string },
): Reference {
  const expected = QUANTITIES.filter((name) => tensors.has(name))
  if (expected.length === 0) {
    throw new OnnxError(
      'The reference file holds neither `output`, `vjp` nor `jvp`: there is nothing to compare with.',
    )
  }
  const feeds: Record<string, Values> = {}
  for (const port of graph.inputs) {
    const tensor = tensors.get(port.name)
    if (!tensor) {
      const held = [...tensors.keys()].join(', ')
      throw new OnnxError(`The reference file lacks the model's input "${port.name}"; it holds ${held}.`)
    }
    feeds[port.name] = { ...valuesOf(tensor), type: port.type }
  }
  const typed = floatInputs(specialize(graph, feeds, { float32: true }))
  const input = names.x ?? imageInput(graph, tensors)
  const output = names.output ?? imageOutput(typed.graph.outputs, tensors)
  const seeds = { v: tensors.get('v'), u: tensors.get('u') }
  for (const [name, seed] of [
    ['vjp', 'v'],
    ['jvp', 'u'],
  ] as const) {
    if (tensors.has(name) && !seeds[seed]) {
      throw new OnnxError(
        `The reference file holds \`${name}\` but not the vector \`${seed}\` that it belongs to.`,
      )
    }
  }
  const derivatives = (['vjp', 'jvp'] as const).filter((mode: DerivativeMode) => tensors.has(mode))
  const split: SplitModel =
    derivatives.length > 0
      ? splitModel(typed, { input, output, derivatives })
      : { forward: typed.graph, residuals: [] }
  return {
    input,
    output,
    async compare(runtime, bound) {
      const started = performance.now()
      const found = await evaluateModel(runtime, split, output, feeds, {
        ...(seeds.v && { v: { ...valuesOf(seeds.v), type: 'float32' as const } }),
        ...(seeds.u && { u: { ...valuesOf(seeds.u), type: 'float32' as const } }),
      })
      const errors = Object.fromEntries(
        expected.map((name) => [name, relativeError(name, found[name], tensors.get(name)!)]),
      )
      const status = Object.values(errors).every((error) => error <= bound) ? 'pass' : 'fail'
      return { status, bound, errors, onCpu: found.onCpu, seconds: (performance.now() - started) / 1000 }
    },
  }
}

/** Integers that are only cast become floats, as in the lab, so that WebGPU need not leave their nodes to the CPU. */
function floatInputs(typed: TypedGraph): TypedGraph {
  const changed = typed.graph.inputs.reduce((graph, { name }) => withFloatInput(graph, name), typed.graph)
  return changed === typed.graph ? typed : specialize(changed, {})
}

/** Infinite where the number is not finite. */
function relativeError(name: Quantity, found: Float32Array | undefined, tensor: Tensor): number {
  const exact = Float32Array.from(valuesOf(tensor).data)
  if (found?.length !== exact.length) {
    throw new OnnxError(
      `\`${name}\` of the reference file has ${exact.length} numbers, the model gives ${found?.length ?? 0}.`,
    )
  }
  const error = norm(found, exact) / Math.max(norm(exact), Number.MIN_VALUE)
  return Number.isFinite(error) ? error : Infinity
}

function valuesOf({ data, shape }: Tensor): {
  readonly shape: readonly number[]
  readonly data: Float64Array
} {
  return { shape, data: Float64Array.from(data as ArrayLike<number | bigint>, Number) }
}

/** The input that `u` and `vjp` are like; else the one with the most numbers. */
function imageInput(graph: Graph, tensors: ReadonlyMap<string, Tensor>): string {
  const like = tensors.get('u') ?? tensors.get('vjp')
  const floats = graph.inputs.filter(({ type }) => isFloat(type))
  const count = (port: GraphPort) => elementCount(tensors.get(port.name)!.shape)
  const fitting = like
    ? floats.filter(({ name }) => tensors.get(name)!.shape.join() === like.shape.join())
    : floats.toSorted((a, b) => count(b) - count(a))
  if (fitting[0]) return fitting[0].name
  throw new OnnxError(
    `No floating-point input of the model has the shape [${like?.shape.join(', ')}] of \`u\` and \`vjp\`.`,
  )
}

/** The output of that name, or of the shape of `output` and `v`. */
function imageOutput(outputs: readonly GraphPort[], tensors: ReadonlyMap<string, Tensor>): string {
  const like = tensors.get('output') ?? tensors.get('v')
  const fitting = outputs.filter(({ shape }) => !like || shape.join() === like.shape.join())
  const chosen = fitting.find(({ name }) => name === 'output') ?? fitting[0]
  if (chosen) return chosen.name
  throw new OnnxError(
    `No output of the model has the shape [${like?.shape.join(', ')}]; they are ${outputs.map(({ name, shape }) => `"${name}" [${shape.join(', ')}]`).join(', ')}.`,
  )
}
