/**
 * The benchmark's numbers as Markdown, for the terminal and for bench/RESULTS.md alike.
 *
 * RESULTS.md holds a section an adapter and environment, between marks, so that the tables of several machines live side by
 * side and a new run replaces its own.
 */
import { paperNetwork } from './cases'
import { describe } from './ceilings'
import { passes } from './checks'
import type { KernelShare } from './kernelShares'
import { type CaseReport, type Measured, isSound } from './measure'
import type { BenchReport } from './run'
import type { Spread } from './statistics'
import type { UnetMeasurement, UnetReport } from './unet'

/** Where and how a report came about. */
export interface Provenance {
  /** For example "Node 20.20.2, Dawn". */
  readonly environment: string
  /** ISO, for example 2026-11-24. */
  readonly date: string
  readonly command: string
  /** For example "linux x64, 2 cores". */
  readonly machine: string
}

/** Three digits that count. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (value === 0) return '0'
  const magnitude = Math.floor(Math.log10(Math.abs(value)))
  return magnitude >= 2 ? Math.round(value).toLocaleString('en') : value.toFixed(2 - magnitude)
}

/** A Markdown table whose columns also line up as plain text; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, ...[title, ...rows.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  )
  const isNumeric = header.map(
    (_, column) => column > 0 && rows.every((row) => /^(\W*\d|\?|-?$)/.test(row[column] ?? '')),
  )
  const line = (cells: readonly string[]): string =>
    `| ${widths
      .map((width, column) => {
        const cell = cells[column] ?? ''
        const padding = ' '.repeat(width - cell.length)
        return isNumeric[column] ? padding + cell : cell + padding
      })
      .join(' | ')} |`
  const rule = widths.map((width, column) =>
    isNumeric[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

function percent(share: number): string {
  return `${digits(100 * share)} %`
}

function ratio(spread: Spread | undefined): string {
  return spread ? `${digits(spread.median)} (${digits(spread.low)}–${digits(spread.high)})` : ''
}

function check({ comparisons, errors }: Measured): string {
  const failed = comparisons.filter((each) => !passes(each))
  const worst = (failed.length > 0 ? failed : comparisons).map(
    ({ what, error, tolerance }) =>
      `${what} ${error.toExponential(0)}${failed.length > 0 ? ` > ${tolerance}` : ''}`,
  )
  return isSound({ comparisons, errors })
    ? worst.join(', ')
    : `WRONG: ${[...worst, ...errors.slice(0, 1)].join('; ')}`
}

const networkName = (() => {
  const { features, embedding, hidden, hiddenLayers } = paperNetwork
  return [features + embedding, ...Array.from({ length: hiddenLayers }, () => hidden), features].join('-')
})()

const integer = (value: number): string => value.toLocaleString('en')

function caseTable({ name, batch, flops, measured, failed }: CaseReport, gigaflopsCeiling: number): string {
  const hasCpu = measured.some(({ cpuMilliseconds }) => cpuMilliseconds !== undefined)
  const header = [
    'implementation',
    'ms a step',
    ...(hasCpu ? ['CPU ms'] : []),
    'GFLOP/s',
    'of FMA',
    'ours is × as fast',
    ...(hasCpu ? ['by CPU time'] : []),
    'dispatches',
    'submits',
    'peak MB',
    'read back, B',
    'rounds × steps',
    'relative error',
  ]
  const rows = measured.map((each) => [
    each.batch === batch ? each.name : `${each.name}, at batch ${integer(each.batch)}`,
    digits(each.milliseconds),
    ...(hasCpu ? [digits(each.cpuMilliseconds ?? Number.NaN)] : []),
    digits(each.gigaflops),
    percent(each.gigaflops / gigaflopsCeiling),
    ratio(each.ratio),
    ...(hasCpu ? [ratio(each.cpuRatio)] : []),
    digits(each.counts.dispatches),
    digits(each.counts.submits),
    digits(each.peakBytes / 1e6),
    digits(each.counts.bytesReadBack),
    `${each.rounds.length} × ${integer(each.repetitions)}`,
    check(each),
  ])
  const notes = [
    ...measured.flatMap((each) => (each.note ? [`${each.name}: ${each.note}`] : [])),
    ...failed.map((each) => `${each.name} could not run: ${each.reason}`),
    ...bestPeer(measured),
  ]
  return [
    `**${name}, batch ${integer(batch)}** (${digits(flops / 1e9)} GFLOP a step)`,
    '',
    table(header, rows),
    ...notes.map((note) => `\n${note.replace(/\.$/, '')}.`),
  ].join('\n')
}

/** How this project stands against the better of its sound peers. */
function bestPeer(measured: readonly Measured[]): string[] {
  const others = measured.filter((each) => each.ratio && isSound(each))
  const best = others.toSorted((a, b) => a.ratio!.median - b.ratio!.median)[0]
  return best && others.length > 1
    ? [`Against the better peer (${best.name}) ours is ${digits(best.ratio!.median)} times as fast`]
    : []
}

function kernelTable(kernels: readonly KernelShare[]): string {
  return table(
    ['kernel', 'batch', 'ms', 'GFLOP/s', 'of FMA', 'GB/s', 'of copy'],
    kernels.map((each) => [
      each.kernel,
      integer(each.batch),
      digits(each.milliseconds),
      digits(each.gigaflops),
      percent(each.shareOfFma),
      digits(each.gigabytesPerSecond),
      percent(each.shareOfCopy),
    ]),
  )
}

export const unetLabels: Readonly<Record<UnetMeasurement['work'], string>> = {
  plain: 'ONNX Runtime, forward',
  forward: 'ours, forward',
  linearize: 'ours, forward with residuals',
  vjp: 'ours, VJP',
  mmps: 'ours, MMPS(1) step',
}

/** Case (d): times are of a call. */
export function unetTables({ cases }: UnetReport): string {
  const header = ['', 'ms', 'of the forward', 'GFLOP/s', 'dispatches', 'submits', 'read back, B']
  return cases
    .map(({ model, batch, shape, provider, agrees, agreement, measurements }) => {
      const rows = measurements.map((each) => [
        unetLabels[each.work],
        digits(each.milliseconds),
        ratio(each.ratio),
        digits(each.flops / each.milliseconds / 1e6),
        digits(each.counts?.dispatches ?? Number.NaN),
        digits(each.counts?.submits ?? Number.NaN),
        digits(each.counts?.bytesReadBack ?? Number.NaN),
      ])
      const verdict = agrees ? 'agrees with it' : 'WRONG: differs from it'
      return [
        `**U-Net ${model}, ${batch} × ${shape.join(' × ')}, ONNX Runtime's ${provider}** (ours ${verdict}: ${agreement.denoised.toExponential(0)})`,
        '',
        table(header, rows),
      ].join('\n')
    })
    .join('\n\n')
}

/** Everything that was measured, under one heading. */
export function markdown(report: BenchReport, provenance: Provenance, more: readonly string[] = []): string {
  const { adapter, ceilings, cases, kernels } = report
  const { environment, date, command, machine } = provenance
  const variants = describe(ceilings)
  return [
    `## ${adapter}, ${environment}`,
    `${date}, ${machine}: \`${command}\`. Network ${networkName}.`,
    `Ceilings: ${digits(ceilings.gigaflops)} GFLOP/s (${variants.fma}); ${digits(ceilings.gigabytesPerSecond)} GB/s read and written (${variants.copy}).`,
    "Dispatches, submits and bytes read back are a step's share of a run; a run of this project's training uploads the samples and reads the weights back, once. Memory is all that an implementation's device held at a time in the case.",
    ...cases.map((each) => caseTable(each, ceilings.gigaflops)),
    ...(kernels.length > 0 ? ['**Kernels, one by one**', kernelTable(kernels)] : []),
    ...more,
  ].join('\n\n')
}

function mark(which: 'begin' | 'end', key: string): string {
  return `<!-- ${which} ${key.replaceAll('--', '- -')} -->`
}

/** `text` with the section of `key` replaced by `section`, or put at the end. */
export function withSection(text: string, key: string, section: string): string {
  const begin = mark('begin', key)
  const end = mark('end', key)
  const block = `${begin}\n\n${section.trim()}\n\n${end}\n`
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) return `${text.trimEnd()}\n\n${block}`.trimStart()
  return text.slice(0, from) + block + text.slice(to + end.length).replace(/^\n/, '')
}
