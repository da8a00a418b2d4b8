/**
 * A model and its derivatives at inputs given on the host, as they are in the file: nothing is wrapped. For comparing with
 * numbers that were computed elsewhere.
 */
import type { Tensor } from 'onnxruntime-web'
import type { DerivativeMode, SplitModel } from '../differentiate'
import { OnnxError } from '../graph'
import type { Graph, Values } from '../graph'
import { encodeTensor } from '../tensor'
import { writeModel } from '../write'
import { withChannelsLast } from '../channelsLast'
import { withTurnedConvolutions } from '../turnedConvolution'
import { translateError } from './errors'
import type { OrtRuntime, OrtSession } from './runtime'

export interface Evaluation {
  readonly output: Float32Array
  /** Jᵀ v, where v was given. */
  readonly vjp?: Float32Array
  /** J u, where u was given. */
  readonly jvp?: Float32Array
  /** What of it had nodes that the provider webgpu left to the CPU: "the VJP". */
  readonly onCpu: readonly string[]
}

/**
 * @param feeds of all inputs of `model.forward`, by name
 * Errors: OnnxError where an input is missing or of another size; those of ONNX Runtime.
 */
export async function evaluateModel(
  runtime: OrtRuntime,
  model: SplitModel,
  output: string,
  feeds: Readonly<Record<string, Values>>,
  { v, u }: { readonly v?: Values; readonly u?: Values },
): Promise<Evaluation> {
  const split = runtime.provider === 'webgpu' ? withChannelsLast(model) : model
  const sessions: OrtSession[] = []
  const held: Tensor[] = []
  let forward: Readonly<Record<string, Tensor>> = {}
  const run = async (graph: Graph, what: string, given: Readonly<Record<string, Tensor>>) => {
    const session = await runtime.session(writeModel(withTurnedConvolutions(graph)), what)
    sessions.push(session)
    const outputs = await session.run(
      given,
      graph.outputs.map(({ name }) => name),
    )
    held.push(...Object.values(outputs))
    return outputs
  }
  const product = async (mode: DerivativeMode, seed: string, given: Values | undefined) => {
    const graph = split[mode]
    if (!graph || !given) return undefined
    const isSeed = ({ name }: { readonly name: string }) => name === seed
    const residuals = graph.inputs.filter((port) => !isSeed(port)).map(({ name }) => [name, forward[name]!])
    const seeds = hostFeeds(runtime, graph.inputs.filter(isSeed), { [seed]: given })
    const outputs = await run(graph, `the ${mode.toUpperCase()}`, {
      ...Object.fromEntries(residuals),
      ...seeds,
    })
    return numbers(outputs['result'])
  }
  try {
    forward = await run(split.forward, 'the model', hostFeeds(runtime, split.forward.inputs, feeds))
    const vjp = await product('vjp', 'cotangent', v)
    const jvp = await product('jvp', 'tangent', u)
    const result = await numbers(forward[output])
    const onCpu = sessions.filter(({ usesCpu }) => usesCpu).map(({ what }) => what)
    return { output: result, ...(vjp && { vjp }), ...(jvp && { jvp }), onCpu }
  } catch (error) {
    throw translateError(error, 'run the model')
  } finally {
    // tensors on the GPU outlive their session
    for (const tensor of held) tensor.dispose()
    for (const session of sessions) await session.release()
  }
}

function hostFeeds(
  runtime: OrtRuntime,
  ports: Graph['inputs'],
  feeds: Readonly<Record<string, Values>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    ports.map(({ name, type, shape }) => {
      const values = Object.hasOwn(feeds, name) ? feeds[name] : undefined
      if (!values) throw new OnnxError(`There are no numbers for the input "${name}" of the model.`)
      if (values.shape.join() !== shape.join()) {
        throw new OnnxError(
          `"${name}" has the shape [${values.shape.join(', ')}], not [${shape.join(', ')}].`,
        )
      }
      return [name, runtime.tensor({ type, shape: values.shape }, encodeTensor({ ...values, type }).bytes)]
    }),
  )
}

async function numbers(tensor: Tensor | undefined): Promise<Float32Array> {
  if (!tensor) throw new OnnxError('ONNX Runtime gave no such output.')
  // from the GPU where it is there
  return (await tensor.getData()) as Float32Array
}
