/**
 * Turns a model into the denoiser d(x, sigma) = E[x_0 | x] as one graph, so that derivatives cover its preconditioning:
 *
 *     d = skip x + out N(scale x + shift, noise) + offset
 *
 * with numbers of shape [1] that the host computes from sigma (src/onnx/precondition.ts). Terms that are 1 or 0 at every
 * sigma are left out. Where the model computes in float16 or float64, x and the prediction are cast, and d is float32. Of a
 * learned variance the channels to keep are sliced out. Constant inputs become initializers.
 */
import type { ImageShape } from '../operators/types'
import { ContractError, type DenoiserContract, type ImageSide } from './contract'
import { ELEMENT_TYPE_CODES } from './elementTypes'
import type { Attribute, FloatType, Graph, GraphNode, GraphPort, GraphTensor, ValueType } from './graph'
import { uniqueNames } from './names'
import { type Coefficient, coefficients, noiseLevels, usedCoefficients } from './precondition'
import { elementCount, encodeTensor, isFloat } from './tensor'

/** Numbers for one input of a run. */
export interface Feed extends ValueType {
  readonly values: readonly number[]
}

export interface WrappedModel {
  /** Inputs `x` [batch, channels, height, width] and those of `feeds`; one output `output`, of the shape of x; float32. */
  readonly graph: Graph
  readonly x: string
  readonly noise: string
  readonly output: string
  /** Value of the graph: what the model predicts, without a learned variance. */
  readonly prediction: string
  /** Types of all inputs. */
  readonly inputTypes: Readonly<Record<string, ValueType>>
  /** All inputs but x, at a noise level. */
  feeds(sigma: number): Readonly<Record<string, Feed>>
}

/**
 * Errors: ContractError where contract and graph, or contract and shape, do not go together.
 *
 * @param batch images a run takes; where the contract fixes it, that number
 */
export function wrapModel(
  graph: Graph,
  contract: DenoiserContract,
  shape: ImageShape,
  batch: number,
): WrappedModel {
  checkShape(contract, shape, batch)
  const { inputs, output, range, predicts, process } = contract
  const image = portOf(graph.inputs, inputs.x, 'input', 'inputs.x')
  const noise = portOf(graph.inputs, inputs.noise, 'input', 'inputs.noise')
  const prediction = portOf(graph.outputs, output.name, 'output', 'output.name')
  const imageShape = [batch, shape.channels, shape.height, shape.width]
  const imageType = checkPort(image, imageShape, 'inputs.x')
  checkFloat(prediction, 'output.name')
  if (image === noise) throw refusal('inputs.noise', `is "${noise.name}", as inputs.x: choose another input`)

  const free = uniqueNames(graph)
  const unique = (stem: string) => free(`denoiser_${stem}`)
  const build = new GraphEdit(unique)
  const constants = new Map<string, GraphTensor>()
  for (const port of graph.inputs) {
    if (port !== image && port !== noise) constants.set(port.name, constantInput(port, contract, batch))
  }
  for (const name of Object.keys(inputs.constants ?? {})) {
    if (!constants.has(name)) throw refusal(`inputs.constants.${name}`, 'is no other input of the model')
  }

  const used = usedCoefficients(contract)
  const coefficient = (which: Coefficient): string => build.input(which)
  const x = unique('x')
  // before the network
  let fed = x
  if (used.has('scale')) fed = build.node('Mul', [fed, coefficient('scale')])
  if (used.has('shift')) fed = build.node('Add', [fed, coefficient('shift')])
  if (imageType !== 'float32') fed = build.cast(fed, imageType)
  const network = graph.nodes.map((node) => renamed(node, image.name, fed))
  const before = build.take()
  // after it
  let kept = prediction.name === image.name ? fed : prediction.name
  if (prediction.type !== 'float32') kept = build.cast(kept, 'float32')
  if (output.channels) kept = build.slice(kept, output.channels)
  const predicted = kept
  if (used.has('out')) kept = build.node('Mul', [kept, coefficient('out')])
  if (used.has('skip')) kept = build.node('Add', [kept, build.node('Mul', [x, coefficient('skip')])])
  if (used.has('offset')) kept = build.node('Add', [kept, coefficient('offset')])
  const denoised = build.node('Identity', [kept])
  const after = build.take()

  const noiseType: ValueType = { type: noise.type, shape: noiseShape(noise, batch) }
  const scalarType: ValueType = { type: 'float32', shape: [1] }
  const scalars = [...build.inputs]
  const levelOf = noiseLevels(contract, noise.type)
  const gain = (range[1] - range[0]) / 2
  const count = elementCount(noiseType.shape)
  return {
    graph: {
      ...graph,
      inputs: [
        { name: x, type: 'float32', shape: imageShape },
        { ...noise, shape: noiseType.shape },
        ...scalars.map(([name]) => ({ name, ...scalarType })),
      ],
      outputs: [{ name: denoised, type: 'float32', shape: imageShape }],
      initializers: new Map([...graph.initializers, ...constants, ...build.initializers]),
      nodes: [...before, ...network, ...after],
    },
    x,
    noise: noise.name,
    output: denoised,
    prediction: predicted,
    inputTypes: {
      [x]: { type: 'float32', shape: imageShape },
      [noise.name]: noiseType,
      ...Object.fromEntries(scalars.map(([name]) => [name, scalarType])),
    },
    feeds(sigma) {
      const values = coefficients(gain * sigma, range, predicts, process)
      return {
        [noise.name]: { ...noiseType, values: Array.from({ length: count }, () => levelOf(gain * sigma)) },
        ...Object.fromEntries(
          scalars.map(([name, which]) => [name, { ...scalarType, values: [values[which]] }]),
        ),
      }
    },
  }
}

/** The batch where the first dimension is open, 1 where others are. */
function closedShape({ shape }: GraphPort, batch: number): number[] {
  return shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? batch : 1))
}

/** [batch] in most models; also a single number, [1], [batch, 1]. */
function noiseShape(port: GraphPort, batch: number): number[] {
  const shape = closedShape(port, batch)
  const count = elementCount(shape)
  if (count !== 1 && count !== batch) {
    throw refusal(
      'inputs.noise',
      `"${port.name}" holds [${shape.join(', ')}] numbers; one for each image is needed`,
    )
  }
  return shape
}

function constantInput(port: GraphPort, { inputs }: DenoiserContract, batch: number): GraphTensor {
  const given = inputs.constants?.[port.name]
  if (given === undefined) {
    throw refusal(
      `inputs.constants.${port.name}`,
      `is missing: the model has an input "${port.name}" besides the image and the noise level. Give its value`,
    )
  }
  const shape = closedShape(port, batch)
  const count = elementCount(shape)
  if (count > 1 << 24) throw refusal(`inputs.constants.${port.name}`, `would hold ${count} numbers`)
  const list = typeof given === 'number' ? [given] : given
  // a list for one image serves all
  if (list.length === 0 || count % list.length !== 0) {
    throw refusal(
      `inputs.constants.${port.name}`,
      `has ${list.length} numbers for an input of shape [${shape.join(', ')}]`,
    )
  }
  const data = Float64Array.from({ length: count }, (_, i) => list[i % list.length]!)
  return encodeTensor({ type: port.type, shape, data })
}

function checkShape({ image, batch: fixed }: DenoiserContract, shape: ImageShape, batch: number): void {
  if (shape.channels !== image.channels) {
    throw refusal('image.channels', `is ${image.channels}, the image has ${shape.channels}`)
  }
  checkSide(image.height, shape.height, 'image.height')
  checkSide(image.width, shape.width, 'image.width')
  if (fixed !== 'dynamic' && fixed !== batch)
    throw refusal('batch', `is ${fixed}, ${batch} images were asked for`)
}

function checkSide(allowed: ImageSide, size: number, field: string): void {
  if (typeof allowed === 'number') {
    if (size !== allowed) throw refusal(field, `is ${allowed} pixels, the image has ${size}`)
    return
  }
  const { multipleOf, minimum, maximum } = allowed
  if (size < minimum || size > maximum || size % multipleOf !== 0) {
    throw refusal(
      field,
      `takes multiples of ${multipleOf} from ${minimum} to ${maximum}, the image has ${size}`,
    )
  }
}

function portOf(ports: readonly GraphPort[], name: string, kind: string, field: string): GraphPort {
  const port = ports.find((each) => each.name === name)
  if (port) return port
  const names = ports.map((each) => `"${each.name}"`).join(', ')
  throw refusal(field, `is "${name}", but the model has no ${kind} of that name. It has ${names}`)
}

/** Errors: ContractError where the file fixes a dimension to another number. */
function checkPort(port: GraphPort, shape: readonly number[], field: string): FloatType {
  const fits =
    port.shape.length === shape.length &&
    port.shape.every((size, axis) => typeof size === 'string' || size === shape[axis])
  if (fits) return checkFloat(port, field)
  throw refusal(
    field,
    `"${port.name}" takes [${port.shape.join(', ')}] and would be given [${shape.join(', ')}]. Correct image or batch in the contract`,
  )
}

function checkFloat({ name, type }: GraphPort, field: string): FloatType {
  if (isFloat(type)) return type
  throw refusal(field, `"${name}" is of type ${type}; images are floating-point numbers`)
}

function refusal(field: string, message: string): ContractError {
  return new ContractError(
    `The contract (denoiser.json) cannot be used with this model: ${field} ${message}.`,
  )
}

/** A node that reads `to` where it read `from`. */
function renamed(node: GraphNode, from: string, to: string): GraphNode {
  if (from === to || !node.inputs.includes(from)) return node
  return { ...node, inputs: node.inputs.map((name) => (name === from ? to : name)) }
}

/** Nodes around the network. */
class GraphEdit {
  readonly inputs: [name: string, which: Coefficient][] = []
  readonly initializers = new Map<string, GraphTensor>()
  #nodes: GraphNode[] = []

  constructor(private readonly unique: (stem: string) => string) {}

  input(which: Coefficient): string {
    const name = this.unique(which)
    this.inputs.push([name, which])
    return name
  }

  node(op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const output = this.unique(op.toLowerCase())
    this.#nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attributes })
    return output
  }

  cast(value: string, to: FloatType): string {
    return this.node('Cast', [value], { to: { kind: 'int', value: ELEMENT_TYPE_CODES[to] } })
  }

  slice(value: string, [first, end]: readonly [number, number]): string {
    const integers = (stem: string, number: number): string => {
      const name = this.unique(stem)
      this.initializers.set(name, encodeTensor({ type: 'int64', shape: [1], data: Float64Array.of(number) }))
      return name
    }
    return this.node('Slice', [value, integers('first', first), integers('end', end), integers('axis', 1)])
  }

  /** The nodes since the last call. */
  take(): GraphNode[] {
    const nodes = this.#nodes
    this.#nodes = []
    return nodes
  }
}
