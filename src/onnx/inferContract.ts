/**
 * What a bare ONNX file says about how to use it: names, ranks and channel counts of its inputs and outputs; the rest is a
 * list of questions. Inferred are only readings that are usual among exporters; every one of them can be overruled by a
 * `denoiser.json`.
 */
import {
  ContractError,
  type ContractQuestion,
  type DenoiserContract,
  type PartialContract,
  parseContract,
} from './contract'
import { coarsestFactor } from './coarsestFactor'
import type { Graph, GraphPort } from './graph'
import { isFloat } from './tensor'
import { timestepSigmas } from './timesteps'

/** What the name of an input or output says; lower case, without anything but letters and digits. */
const NOISE_NAMES: Readonly<Record<string, 'sigma' | 'log-sigma' | 'timestep'>> = {
  sigma: 'sigma',
  sigmas: 'sigma',
  sigmat: 'sigma',
  noiselevel: 'sigma',
  noiselabels: 'sigma',
  logsigma: 'log-sigma',
  cnoise: 'log-sigma',
  timestep: 'timestep',
  timesteps: 'timestep',
}
const OUTPUT_NAMES: Readonly<Record<string, DenoiserContract['predicts']>> = {
  x0: 'x0',
  xhat: 'x0',
  denoised: 'x0',
  predx0: 'x0',
  predoriginalsample: 'x0',
  eps: 'epsilon',
  epsilon: 'epsilon',
  noise: 'epsilon',
  noisepred: 'epsilon',
  prednoise: 'epsilon',
  v: 'v',
  velocity: 'v',
  vpred: 'v',
  score: 'score',
}
const IMAGE_NAMES = ['x', 'xt', 'sample', 'noisysample', 'input', 'noisy', 'noisyimage', 'image', 'latent']

const DDPM = { schedule: 'linear', steps: 1000, betaStart: 0.0001, betaEnd: 0.02 } as const
const ALPHAS = [
  { label: 'Linear β, 0.0001 to 0.02, 1,000 steps (DDPM, guided diffusion)', value: DDPM },
  { label: 'Cosine, 1,000 steps (improved DDPM)', value: { schedule: 'cosine', steps: 1000 } },
  {
    label: 'Scaled linear β, 0.00085 to 0.012, 1,000 steps (latent diffusion)',
    value: { schedule: 'scaled-linear', steps: 1000, betaStart: 0.00085, betaEnd: 0.012 },
  },
] as const

const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

type Fields = Record<string, unknown>

/**
 * Errors: ContractError where the model is no denoiser of images: no image-like input, no input for the noise level, no
 * output like an image.
 *
 * @param file its name, and where known its size and checksum, for the contract
 */
export function inferContract(
  graph: Graph,
  file: { readonly name?: string; readonly bytes?: number; readonly sha256?: string } = {},
): PartialContract {
  const questions: ContractQuestion[] = []
  const ask = (
    field: string,
    question: string,
    options: readonly (readonly [string, unknown])[],
    suggestion: unknown,
  ) =>
    questions.push({
      field,
      question,
      options: options.map(([label, value]) => ({ label, value })),
      suggestion,
    })

  const image = imageInput(graph, ask)
  const channels = image.shape[1] as number
  const noise = noiseInput(graph, image, ask)
  const kind = noise && (NOISE_NAMES[plain(noise.name)] ?? (isFloat(noise.type) ? undefined : 'timestep'))
  // Models that give the clean image are told sigma, most others a timestep: suggestions have to fit each other.
  const givesClean = graph.outputs.some(({ name }) => OUTPUT_NAMES[plain(name)] === 'x0')
  const likely = kind ?? (givesClean ? 'sigma' : 'timestep')
  if (!kind) {
    const what = noise ? `the input "${noise.name}"` : 'the input for the noise level'
    const suggestion = likely === 'sigma' ? { kind: 'sigma' } : { kind: 'timestep', alphas: DDPM }
    ask('takes', `What is ${what} given?`, takesOptions(), suggestion)
  }
  if (kind === 'timestep') {
    ask(
      'takes.alphas',
      'Which noise schedule was the model trained with?',
      ALPHAS.map(({ label, value }) => [label, value]),
      DDPM,
    )
  }
  const output = imageOutput(graph, channels, ask)
  const learned = output?.shape[1] === 2 * channels
  const predicts = output && (learned ? 'epsilon' : OUTPUT_NAMES[plain(output.name)])
  if (!predicts) {
    ask(
      'predicts',
      `What does the output${output ? ` "${output.name}"` : ''} hold?`,
      [
        ['The noise ε', 'epsilon'],
        ['The clean image x₀', 'x0'],
        ['The velocity v = √ᾱ ε - √(1 - ᾱ) x₀', 'v'],
        ['The score ∇ log p', 'score'],
      ],
      likely === 'timestep' ? 'epsilon' : 'x0',
    )
  }
  const process = kind === 'timestep' ? 'vp' : kind === 'sigma' && predicts === 'x0' ? 've' : undefined
  if (!process) {
    ask(
      'process',
      'How is the noisy image scaled before it enters the model?',
      [
        ['Not at all: x₀ + σ ε (variance exploding)', 've'],
        ['By 1/√(1 + σ²): √ᾱ x₀ + √(1 - ᾱ) ε (variance preserving)', 'vp'],
      ],
      likely === 'timestep' ? 'vp' : 've',
    )
  }
  ask(
    'range',
    'Which values do black and white have for the model?',
    [
      ['-1 and 1', [-1, 1]],
      ['0 and 1', [0, 1]],
    ],
    [-1, 1],
  )

  const constants: Fields = {}
  for (const port of graph.inputs) {
    if (!noise || port === image || port === noise) continue
    ask(
      `inputs.constants.${port.name}`,
      `The model has another input, "${port.name}" (${port.type} [${port.shape.join(', ')}]). Which constant is it given (a class label, 0 for none)?`,
      [],
      0,
    )
  }
  return {
    known: {
      version: 1,
      name: identifier(file.name),
      title: (file.name ?? 'Own model').slice(0, 100) || 'Own model',
      description:
        'A model without a contract: its reading was inferred from the file and completed by hand.',
      image: { channels, ...sides(graph, image) },
      batch: typeof image.shape[0] === 'number' ? image.shape[0] : 'dynamic',
      inputs: { x: image.name, ...(noise && { noise: noise.name }), constants },
      output: { ...(output && { name: output.name }), ...(learned && { channels: [0, channels] }) },
      ...(predicts && { predicts }),
      ...takesOf(kind),
      ...(process && { process }),
      licence: 'not stated',
      ...(file.bytes !== undefined && { bytes: file.bytes }),
      ...(file.sha256 !== undefined && { sha256: file.sha256 }),
    },
    questions,
  }
}

type Ask = (
  field: string,
  question: string,
  options: readonly (readonly [string, unknown])[],
  suggestion: unknown,
) => void

function isImage({ type, shape }: GraphPort): boolean {
  return isFloat(type) && shape.length === 4
}

/** The input that takes the noisy image; asks where there are several. */
function imageInput(graph: Graph, ask: Ask): GraphPort {
  const found = graph.inputs.filter((port) => isImage(port) && (port.shape[1] === 1 || port.shape[1] === 3))
  const best =
    IMAGE_NAMES.map((name) => found.find((port) => plain(port.name) === name)).find(Boolean) ?? found[0]
  if (!best) {
    throw new ContractError(
      `The model takes no image: an input [batch, 1 or 3, height, width] is needed, it has ${describePorts(graph.inputs)}. Choose a denoiser that works on pixels.`,
    )
  }
  if (found.length > 1) ask('inputs.x', 'Which input takes the noisy image?', names(found), best.name)
  return best
}

/** The input that takes the noise level, or undefined where it is asked for. */
function noiseInput(graph: Graph, image: GraphPort, ask: Ask): GraphPort | undefined {
  const rest = graph.inputs.filter((port) => port !== image)
  const found = rest.filter(({ shape }) =>
    shape.every((size, axis) => typeof size === 'string' || size === 1 || axis === 0),
  )
  const small = found.filter(({ shape }) => shape.length < 3)
  const known = small.filter(({ name }) => Object.hasOwn(NOISE_NAMES, plain(name)))
  const one = known.length === 1 ? known[0] : small.length === 1 ? small[0] : undefined
  if (one) return one
  if (small.length === 0) {
    throw new ContractError(
      `The model has no input for the noise level (one number an image); it has ${describePorts(graph.inputs)}. Export it with the noise level as an input.`,
    )
  }
  ask('inputs.noise', 'Which input takes the noise level?', names(small), (known[0] ?? small[0]!).name)
  return undefined
}

/** The output that holds the prediction, or undefined where it is asked for. */
function imageOutput(graph: Graph, channels: number, ask: Ask): GraphPort | undefined {
  const found = graph.outputs.filter(
    (port) =>
      isImage(port) &&
      (typeof port.shape[1] === 'string' || port.shape[1] === channels || port.shape[1] === 2 * channels),
  )
  if (found.length === 0) {
    throw new ContractError(
      `The model gives no image of ${channels} channel${channels === 1 ? '' : 's'}: its outputs are ${describePorts(graph.outputs)}. Choose a denoiser that works on pixels.`,
    )
  }
  if (found.length === 1) return found[0]
  ask('output.name', 'Which output holds the prediction?', names(found), found[0]!.name)
  return undefined
}

/** Fixed sides as they are; open ones are multiples of how much smaller the coarsest feature map is. */
function sides(graph: Graph, image: GraphPort): Fields {
  const factor = coarsestFactor(graph, image.name)
  const open = {
    multipleOf: factor,
    minimum: Math.max(factor, Math.ceil(32 / factor) * factor),
    maximum: Math.max(factor, 256),
  }
  const side = (size: number | string | undefined) => (typeof size === 'number' ? size : open)
  return { height: side(image.shape[2]), width: side(image.shape[3]) }
}

function takesOf(kind: 'sigma' | 'log-sigma' | 'timestep' | undefined): Fields {
  if (kind === 'sigma') return { takes: { kind } }
  // EDM's c_noise = ln(sigma)/4
  if (kind === 'log-sigma') return { takes: { kind, scale: 0.25 } }
  return kind === 'timestep' ? { takes: { kind } } : {}
}

function takesOptions(): (readonly [string, unknown])[] {
  return [
    ['The noise level σ', { kind: 'sigma' }],
    ['ln(σ)/4 (EDM)', { kind: 'log-sigma', scale: 0.25 }],
    ['ln(σ)', { kind: 'log-sigma', scale: 1 }],
    ...ALPHAS.map(
      ({ label, value }) => [`The timestep. ${label}`, { kind: 'timestep', alphas: value }] as const,
    ),
  ]
}

/**
 * The contract, once the questions are answered: `answers` by field. Fields that were not asked for may be answered too.
 * Noise levels that nobody gave are those of the schedule, else EDM's 0.002 to 80. Errors: ContractError.
 */
export function completeContract(
  partial: PartialContract,
  answers: Readonly<Record<string, unknown>>,
): DenoiserContract {
  const contract = structuredClone(partial.known) as Fields
  for (const [field, value] of Object.entries(answers)) place(contract, field, value)
  const open = partial.questions.filter(({ field }) => valueAt(contract, field) === undefined)
  if (open.length > 0) {
    throw new ContractError(`Still to be answered: ${open.map(({ question }) => question).join(' ')}`)
  }
  // parsed once to have a schedule that can be trusted, then with its own levels
  const contractWith = (sigmaMin: number, sigmaMax: number) =>
    parseContract({ sigmaMin, sigmaMax, ...contract })
  const { takes, range } = contractWith(0.002, 80)
  if (takes.kind !== 'timestep') return contractWith(0.002, 80)
  const sigmas = timestepSigmas(takes.alphas)
  const gain = (range[1] - range[0]) / 2
  return contractWith(sigmas[0]! / gain, sigmas.at(-1)! / gain)
}

function place(contract: Fields, field: string, value: unknown): void {
  // names of inputs may hold dots
  const constant = /^inputs\.constants\.(.+)$/s.exec(field)
  const path = constant ? ['inputs', 'constants', constant[1]!] : field.split('.')
  let at = contract
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(at, key) ? at[key] : undefined
    const inner: Fields = typeof next === 'object' && next !== null ? (next as Fields) : {}
    setOwn(at, key, inner)
    at = inner
  }
  setOwn(at, path.at(-1)!, value)
}

/** Also for a key such as __proto__. */
function setOwn(object: Fields, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

function valueAt(contract: Fields, field: string): unknown {
  const constant = /^inputs\.constants\.(.+)$/s.exec(field)
  const path = constant ? ['inputs', 'constants', constant[1]!] : field.split('.')
  let value: unknown = contract
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Fields)[key]
  }
  return value
}

function identifier(fileName = 'model'): string {
  const stem = fileName
    .replace(/\.onnx$/i, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
  return stem.slice(0, 64) || 'model'
}

function names(ports: readonly GraphPort[]): (readonly [string, unknown])[] {
  return ports.map((port) => [describePort(port), port.name] as const)
}

function describePort({ name, type, shape }: GraphPort): string {
  return `"${name}" (${type} [${shape.map((size) => size || '?').join(', ')}])`
}

function describePorts(ports: readonly GraphPort[]): string {
  return ports.length === 0 ? 'none' : ports.map(describePort).join(', ')
}
