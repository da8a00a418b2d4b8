/**
 * Methods of the benchmark by short names: a method, its number after "=", and for MMPS a solver after "/".
 *
 *     mmps=5   mmps=1/cg   dps=0.5 (ζ)   diffpir=8 (λ)   tmpd   pigdm   jfps
 */
import type { ImageMethodName, ImageMethodOptions, ImageSolverName } from '../../diffusion/image/types'
import { isSettingProblem, parseValue } from '../settings'
import { imageMethodNames, imageMethods } from './methodDefinitions'
import { defaultImagesSettings, imageSettings } from './settings'

export interface BenchmarkMethod {
  /** Short name, complete: what the table's rows are known by. */
  readonly name: string
  readonly label: string
  readonly options: ImageMethodOptions
}

/** The number that a method takes. */
const numbers = { mmps: 'iterations', dps: 'guidance', diffpir: 'proximity' } as const
const solvers: readonly ImageSolverName[] = ['cg', 'gmres', 'bicgstab']

function isNumbered(method: ImageMethodName): method is keyof typeof numbers {
  return method in numbers
}

/** Returns what is wrong instead of throwing. */
export function parseMethod(text: string): BenchmarkMethod | string {
  const [, given = '', number, solver] = /^([a-z]+)(?:=([^/]*))?(?:\/([a-z]+))?$/.exec(text) ?? []
  const method = imageMethodNames.find((name) => name === given)
  if (!method) return `"${text}" is not a method: use ${imageMethodNames.join(', ')}, as in mmps=5/cg.`
  const { solver: usual, iterations, guidance, proximity } = defaultImagesSettings
  const options = { method, solver: usual, iterations, guidance, proximity }
  if (number !== undefined) {
    if (!isNumbered(method)) return `"${text}": ${method} takes no number.`
    const key = numbers[method]
    const value = parseValue(key, imageSettings[key], number)
    if (isSettingProblem(value)) return `"${text}": ${value.message}`
    Object.assign(options, { [key]: value })
  }
  if (solver !== undefined) {
    const known = solvers.find((name) => name === solver)
    if (method !== 'mmps' || !known) return `"${text}": only mmps has a solver, one of ${solvers.join(', ')}.`
    options.solver = known
  }
  return { name: nameOf(options), label: labelOf(options), options }
}

function nameOf(options: ImageMethodOptions): string {
  const { method, solver } = options
  const number = isNumbered(method) ? `=${options[numbers[method]]}` : ''
  return `${method}${number}${method === 'mmps' ? `/${solver}` : ''}`
}

function labelOf({ method, solver, iterations, guidance, proximity }: ImageMethodOptions): string {
  const { label } = imageMethods[method]
  switch (method) {
    case 'mmps':
      return `${label}(${iterations}), ${{ cg: 'CG', gmres: 'GMRES', bicgstab: 'BiCGSTAB' }[solver]}`
    case 'dps':
      return `${label}, ζ = ${guidance}`
    case 'diffpir':
      return `${label}, λ = ${proximity}`
    case 'tmpd':
    case 'pigdm':
    case 'jfps':
      return label
  }
}
