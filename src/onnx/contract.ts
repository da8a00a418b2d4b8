/**
 * The contract of a model, `denoiser.json`: what a person must know to use an ONNX file as a denoiser.
 *
 * The zod schema below is the single source: its types are the program's, public/models/denoiser.schema.json is made of
 * it (test/onnx/contract.test.ts), and its descriptions are the documentation of the format. Units: images run over
 * [-1, 1] in this program whatever `range` says, and `sigmaMin`, `sigmaMax` and `sigmaData` are in those units. The model
 * itself sees pixels over `range`, and there sigma is (range[1] - range[0]) / 2 times as large; `takes` speaks of that one.
 */
import * as z from 'zod/mini'

/** The contract cannot be used; the message lists every field that is wrong. */
export class ContractError extends Error {
  override readonly name = 'ContractError'
}

/** Longest contract that is read: a list of 10,000 alphas with all digits is a fifth of it. */
const MAX_TEXT = 1_000_000
const MAX_SIDE = 4096
const MAX_STEPS = 10_000

const note = <T extends z.ZodMiniType>(schema: T, description: string): T =>
  schema.check(z.describe(description))

const text = (most: number) => z.string().check(z.maxLength(most))
const name = (description: string) => note(z.string().check(z.minLength(1), z.maxLength(200)), description)
const positive = (description: string) => note(z.number().check(z.gt(0), z.lte(1e6)), description)

const side = z.union(
  [
    z.int().check(z.gte(1), z.lte(MAX_SIDE)),
    z
      .strictObject({
        multipleOf: z.int().check(z.gte(1), z.lte(MAX_SIDE)),
        minimum: z.int().check(z.gte(1), z.lte(MAX_SIDE)),
        maximum: z.int().check(z.gte(1), z.lte(MAX_SIDE)),
      })
      .check(
        z.refine(({ multipleOf, minimum, maximum }) => {
          return Math.floor(maximum / multipleOf) * multipleOf >= minimum
        }, 'no multiple of multipleOf lies between minimum and maximum'),
      ),
  ],
  'is a number of pixels (1 to 4096), or { "multipleOf", "minimum", "maximum" } with a multiple between the two',
)

const steps = note(z.int().check(z.gte(2), z.lte(MAX_STEPS)), 'Number of timesteps T.')

const alphas = z.discriminatedUnion(
  'schedule',
  [
    z.strictObject({
      schedule: z.literal('list'),
      alphasCumprod: note(
        z
          .array(z.number().check(z.gt(0), z.lt(1)))
          .check(z.minLength(2), z.maxLength(MAX_STEPS), z.refine(isFalling, 'is not falling')),
        'ᾱ_0 > ᾱ_1 > … > ᾱ_{T-1}, each in (0, 1).',
      ),
    }),
    z.strictObject({
      schedule: z.enum(['linear', 'scaled-linear']),
      steps,
      betaStart: note(z.number().check(z.gt(0), z.lt(1)), 'β_0, for example 0.0001.'),
      betaEnd: note(z.number().check(z.gt(0), z.lt(1)), 'β_{T-1}, for example 0.02.'),
    }),
    z.strictObject({ schedule: z.literal('cosine'), steps }),
  ],
  'is { "schedule": "list", "alphasCumprod": […] }, { "schedule": "linear" or "scaled-linear", "steps", "betaStart", "betaEnd" } or { "schedule": "cosine", "steps" }',
)

const takes = z.discriminatedUnion(
  'kind',
  [
    note(z.strictObject({ kind: z.literal('sigma') }), 'The noise level itself.'),
    note(
      z.strictObject({
        kind: z.literal('log-sigma'),
        scale: positive('The network takes scale · ln(sigma); 0.25 for EDM.'),
      }),
      'A multiple of the natural logarithm of the noise level.',
    ),
    note(
      z.strictObject({
        kind: z.literal('timestep'),
        alphas: note(
          alphas,
          'ᾱ_t = Π (1 - β_s), s ≤ t. linear: β from betaStart to betaEnd; scaled-linear: √β so; cosine: Nichol & Dhariwal 2021.',
        ),
        scale: z.optional(positive('The network takes scale · t; 1 where this is left out.')),
      }),
      'The timestep t, 0 to T - 1, where sigma = √((1 - ᾱ_t)/ᾱ_t); between timesteps ln(sigma) is interpolated. An integer input takes the nearest one.',
    ),
  ],
  'is { "kind": "sigma" }, { "kind": "log-sigma", "scale" } or { "kind": "timestep", "alphas" }',
)

const constants = z
  .record(
    name('Name of the input.'),
    z.union([z.number(), z.array(z.number()).check(z.maxLength(65_536))], 'is a number or a list of numbers'),
  )
  .check(z.refine((values) => Object.keys(values).length <= 64, 'has more than 64 entries'))

const contractSchema = z
  .strictObject({
    $schema: z.optional(note(text(2000), 'For editors: the address of this schema.')),
    version: note(z.literal(1), 'Version of this format: 1.'),
    name: note(
      z
        .string()
        .check(
          z.regex(
            /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
            'has other characters than letters, digits, ".", "_" and "-"',
          ),
        ),
      'Short and unique; the bundled models are in a folder of this name.',
    ),
    title: note(z.string().check(z.minLength(1), z.maxLength(100)), 'What a list of models shows.'),
    description: note(text(2000), 'One or two sentences: what it was trained on, what it is good for.'),
    image: note(
      z.strictObject({
        channels: note(z.union([z.literal(1), z.literal(3)], 'is 1 or 3'), '1 (gray) or 3 (RGB).'),
        height: note(side, 'Height in pixels, or which heights the model takes.'),
        width: note(side, 'Width in pixels, or which widths the model takes.'),
      }),
      'Images are [batch, channels, height, width].',
    ),
    batch: note(
      z.union(
        [z.literal('dynamic'), z.int().check(z.gte(1), z.lte(1024))],
        'is "dynamic" or a number from 1 to 1024',
      ),
      'Images a run takes: any number ("dynamic") or exactly this many.',
    ),
    range: note(
      z
        .tuple([z.number(), z.number()])
        .check(
          z.refine(
            ([low, high]) => high - low > 1e-6 && high - low < 1e6,
            'is not [black, white] with black < white',
          ),
        ),
      'Pixel values of black and of white as the model sees them: [-1, 1], [0, 1] or [0, 255].',
    ),
    inputs: note(
      z.strictObject({
        x: name('Input that takes the noisy image.'),
        noise: name('Input that takes the noise level.'),
        constants: z.optional(
          note(
            constants,
            'Other inputs and their constant values (a class label); a single number fills the whole input.',
          ),
        ),
      }),
      'Names of the ONNX file.',
    ),
    output: note(
      z.strictObject({
        name: name('Output that holds the prediction.'),
        channels: z.optional(
          note(
            z
              .tuple([z.int().check(z.gte(0), z.lte(64)), z.int().check(z.gte(1), z.lte(64))])
              .check(z.refine(([first, end]) => first < end, 'is not [first, end] with first < end')),
            'Channels to keep, [first, end): [0, 3] where the network also gives a variance ("learned sigma").',
          ),
        ),
      }),
      'The prediction, by its name in the ONNX file.',
    ),
    predicts: note(
      z.enum(['x0', 'epsilon', 'v', 'score']),
      'x0: the clean image. epsilon: the noise ε. v: √ᾱ ε - √(1 - ᾱ) x_0. score: ∇ log p of the noisy image (unscaled).',
    ),
    takes: note(takes, 'How the network is told the noise level. Here sigma is in units of `range`.'),
    process: note(
      z.enum(['ve', 'vp']),
      've: the network takes x_0 + sigma ε. vp: it takes that over √(1 + sigma²), which is √ᾱ x_0 + √(1 - ᾱ) ε.',
    ),
    sigmaMin: positive('Smallest noise level it was trained for, images being over [-1, 1].'),
    sigmaMax: positive('Largest noise level it was trained for, images being over [-1, 1].'),
    sigmaData: z.optional(
      positive('Standard deviation of the training images about their mean, over [-1, 1].'),
    ),
    gaussianFit: z.optional(
      note(
        z.strictObject({
          standardDeviation: positive('Of a pixel about the mean, over [-1, 1].'),
          exponent: note(
            z.number().check(z.gte(0), z.lte(8)),
            'Power spectrum ∝ |frequency|^-exponent; about 2 for photographs.',
          ),
        }),
        'Gaussian with a power-law spectrum fitted to the training images: the covariance of JFPS.',
      ),
    ),
    licence: note(text(500), 'Licence of the weights, as an SPDX identifier where there is one.'),
    source: z.optional(note(text(2000), 'Where the file comes from: an address, or how it was made.')),
    trainingData: z.optional(note(text(4000), 'What it was trained on, with licences.')),
    sha256: z.optional(
      note(
        z.string().check(z.regex(/^[0-9a-f]{64}$/, 'is not 64 hexadecimal digits in lower case')),
        'SHA-256 of the ONNX file. A file that does not match is refused.',
      ),
    ),
    bytes: z.optional(
      note(z.int().check(z.gte(1)), 'Size of the ONNX file in bytes; shown while it is fetched.'),
    ),
  })
  .check(
    z.refine(({ sigmaMin, sigmaMax }) => sigmaMin < sigmaMax, {
      path: ['sigmaMin'],
      error: 'is not below sigmaMax',
    }),
    z.refine(({ image, output: { channels } }) => !channels || channels[1] - channels[0] === image.channels, {
      path: ['output', 'channels'],
      error: 'keeps another number of channels than image.channels',
    }),
  )

export type DenoiserContract = z.infer<typeof contractSchema>
/** The takes-timestep variant's alphas. */
export type AlphaSchedule = z.infer<typeof alphas>

/** A side of the image: fixed, or the sizes that the model takes. */
export type ImageSide = z.infer<typeof side>

/** Something that a bare ONNX file does not say. */
export interface ContractQuestion {
  /** Path in the contract: 'predicts', 'inputs.x', 'image.height'. */
  readonly field: string
  readonly question: string
  /** Answers to choose from. Empty: a number. */
  readonly options: readonly { readonly label: string; readonly value: unknown }[]
  /** What is right most often. */
  readonly suggestion: unknown
}

/** What could be inferred of a bare ONNX file, and what must be asked. */
export interface PartialContract {
  /** A contract in which the fields that `questions` name are missing. */
  readonly known: Readonly<Record<string, unknown>>
  readonly questions: readonly ContractQuestion[]
}

/** The schema as JSON Schema (draft 2020-12), for public/models/denoiser.schema.json. */
export function contractJsonSchema(): object {
  return {
    title: 'denoiser.json',
    description:
      'What must be known to use an ONNX file as a denoiser d(x_t, sigma) = E[x | x_t]. See README.md beside this file.',
    ...z.toJSONSchema(contractSchema, { io: 'input' }),
    examples: [exampleContract],
  }
}

/** A model with EDM preconditioning inside. */
const exampleContract: DenoiserContract = {
  $schema: '../denoiser.schema.json',
  version: 1,
  name: 'my-photos',
  title: 'Photographs',
  description: 'Colour photographs of landscapes, trained on 64 × 64 crops.',
  image: {
    channels: 3,
    height: { multipleOf: 8, minimum: 32, maximum: 256 },
    width: { multipleOf: 8, minimum: 32, maximum: 256 },
  },
  batch: 'dynamic',
  range: [-1, 1],
  inputs: { x: 'x', noise: 'sigma' },
  output: { name: 'x0' },
  predicts: 'x0',
  takes: { kind: 'sigma' },
  process: 've',
  sigmaMin: 0.002,
  sigmaMax: 80,
  sigmaData: 0.5,
  licence: 'CC-BY-4.0',
}

/**
 * Reads a contract: the text of a `denoiser.json`, or what JSON.parse made of it.
 * Errors: ContractError with one line a problem.
 */
export function parseContract(json: unknown): DenoiserContract {
  const value = typeof json === 'string' ? parseJson(json) : json
  const result = contractSchema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${describeIssue(issue, value)}.`)
  throw new ContractError(`The contract (denoiser.json) cannot be used:\n${problems.slice(0, 20).join('\n')}`)
}

function parseJson(text: string): unknown {
  if (text.length > MAX_TEXT) {
    throw new ContractError(
      `The contract has ${text.length} characters, more than the ${MAX_TEXT} allowed: is it a denoiser.json?`,
    )
  }
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
  } catch (error) {
    throw new ContractError(`The contract is not JSON: ${(error as Error).message}. Is it a denoiser.json?`)
  }
}

/** One problem in words: where, and what is expected there. */
function describeIssue(issue: z.core.$ZodIssue, json: unknown): string {
  const place = issue.path.length > 0 ? issue.path.map(String).join('.') : 'the contract'
  const given = valueAt(json, issue.path)
  if (given === undefined && issue.code !== 'unrecognized_keys') return `${place} is missing`
  const got = `, not ${shorten(inWords(given))}`
  if (issue.code === 'unrecognized_keys')
    return `${place} has unknown fields: ${shorten(issue.keys.join(', '))}`
  if (issue.message !== 'Invalid input') return `${place} ${issue.message}${got}`
  switch (issue.code) {
    case 'invalid_type':
      return `${place} is to be of type ${issue.expected}${got}`
    case 'invalid_value':
      return `${place} is to be ${issue.values.map((each) => JSON.stringify(each)).join(' or ')}${got}`
    case 'too_small':
      return `${place} is to be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}${got}`
    case 'too_big':
      return `${place} is to be ${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}${got}`
    default:
      return `${place} cannot be read${got}`
  }
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** As JSON; values that JSON cannot say (BigInt, cycles, a million brackets) by their type. */
function inWords(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value
  } catch {
    return typeof value
  }
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function isFalling(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value < values[i - 1]!)
}
