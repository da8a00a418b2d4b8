/** Files that the image lab gives away: tables, settings, and pictures as PNG. */
import { methodLabel } from '../../experiments/images/compare'
import type { CompareState, ExportedPicture, ImagesLabState, Picture, StepRecord } from './types'

/** A line a step. */
export function stepsCsv(records: readonly StepRecord[]): Blob {
  const lines = records.map(({ step, sigma, misfit, solverResidual }) =>
    [step, sigma, misfit, solverResidual ?? ''].join(','),
  )
  return csv(['step,sigma,misfit,solverResidual', ...lines])
}

const COMPARE_COLUMNS = ['steps', 'evaluations', 'psnr', 'ssim', 'misfit', 'seconds', 'status'] as const

/** A line a method. */
export function compareCsv({ rows }: Pick<CompareState, 'rows'>): Blob {
  const lines = rows.map((row) =>
    [row.method, quoted(row.label), ...COMPARE_COLUMNS.map((column) => row[column] ?? '')].join(','),
  )
  return csv([['method', 'label', ...COMPARE_COLUMNS].join(','), ...lines])
}

/** All that makes the result, as JSON: of the last run, where there is one. */
export function settingsJson({
  settings,
  strokes,
  drawnKernel,
  model,
  adapter,
  compare,
  run: { result },
}: ImagesLabState): Blob {
  const shown = result?.settings ?? settings
  const content = {
    lab: 'images',
    settings: shown,
    ...(shown.task === 'brush' && { strokes }),
    ...(shown.task === 'motion' && drawnKernel && { drawnKernel }),
    compare: compare.methods,
    model: model.contract && { name: model.name, sha256: sha256Of(model.contract) },
    computedOn: adapter,
    ...(result && {
      result: {
        psnr: result.psnr,
        ssim: result.ssim,
        meanPsnr: result.meanPsnr,
        meanSsim: result.meanSsim,
        misfit: result.misfit,
        passes: result.passes,
        seconds: result.seconds,
      },
    }),
  }
  return new Blob([`${JSON.stringify(content, null, 2)}\n`], { type: 'application/json' })
}

/** Pictures of the result go with its own original and observation: the lab may show another picture by now. */
export async function exportedPicture(
  { run: { result }, source, observation }: ImagesLabState,
  which: ExportedPicture,
): Promise<Blob> {
  const missing = (what: string) => new Error(`There is no ${what} yet: run the sampler first.`)
  switch (which) {
    case 'original':
      if (!source) throw new Error('There is no picture yet: open one.')
      return await picturePng(source.truth)
    case 'observation':
      if (!observation) throw new Error('There is no observation yet: open a picture.')
      return await picturePng(observation)
    case 'restoration':
      if (!result) throw missing('restoration')
      return await picturePng(result.samples[0]!)
    case 'mean':
      if (!result) throw missing('mean')
      return await picturePng(result.mean)
    case 'deviation':
      if (!result?.deviation) throw missing('deviation of several samples')
      return await picturePng(result.deviation.picture)
    case 'sheet': {
      if (!result) throw missing('restoration')
      return await sheetPng([
        { label: 'Original', picture: result.truth },
        { label: 'Observation', picture: result.observation },
        {
          label: `${methodLabel(result.settings)}, PSNR ${result.psnr[0]!.toFixed(2)} dB`,
          picture: result.samples[0]!,
        },
      ])
    }
  }
}

/** A picture's own pixels as PNG. */
export async function picturePng(picture: Picture): Promise<Blob> {
  const { canvas, context } = canvasOf(picture.width, picture.height)
  context.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0)
  return await canvas.convertToBlob({ type: 'image/png' })
}

const SHEET_SIDE = 512
const SHEET_GAP = 16
const SHEET_LABEL = 36
const CHECK = 16

/** Original, observation and restoration side by side on white, each under its name. */
async function sheetPng(parts: readonly { label: string; picture: Picture }[]): Promise<Blob> {
  const width = parts.length * (SHEET_SIDE + SHEET_GAP) + SHEET_GAP
  const { canvas, context } = canvasOf(width, SHEET_SIDE + SHEET_LABEL + 2 * SHEET_GAP)
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.font = '600 18px system-ui, sans-serif'
  context.textBaseline = 'middle'
  for (const [i, { label, picture }] of parts.entries()) {
    const x = SHEET_GAP + i * (SHEET_SIDE + SHEET_GAP)
    context.fillStyle = '#1a1a1a'
    context.fillText(label, x, SHEET_GAP + SHEET_LABEL / 2, SHEET_SIDE)
    drawChecks(context, x, SHEET_GAP + SHEET_LABEL, SHEET_SIDE)
    drawEnlarged(context, picture, x, SHEET_GAP + SHEET_LABEL, SHEET_SIDE)
  }
  return await canvas.convertToBlob({ type: 'image/png' })
}

/** What shows through where nothing is known, as on the page: neither black nor white. */
function drawChecks(context: OffscreenCanvasRenderingContext2D, x: number, y: number, side: number): void {
  context.fillStyle = '#f5f7f9'
  context.fillRect(x, y, side, side)
  context.fillStyle = '#d3d9e1'
  for (let row = 0; row < side; row += CHECK)
    for (let column = row % (2 * CHECK); column < side; column += 2 * CHECK)
      context.fillRect(x + column, y + row, CHECK, CHECK)
}

/** Draws a picture into a square; small ones keep their pixels as squares. */
export function drawEnlarged(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  picture: Picture,
  x: number,
  y: number,
  side: number,
): void {
  const { canvas, context: own } = canvasOf(picture.width, picture.height)
  own.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0)
  context.imageSmoothingEnabled = picture.width > side
  const scale = side / Math.max(picture.width, picture.height)
  context.drawImage(canvas, x, y, picture.width * scale, picture.height * scale)
}

export function canvasOf(width: number, height: number) {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('The browser gave no canvas: close other tabs and try again.')
  return { canvas, context }
}

function sha256Of(contract: object): string | undefined {
  return 'sha256' in contract && typeof contract.sha256 === 'string' ? contract.sha256 : undefined
}

/** RFC 4180. */
function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function csv(lines: readonly string[]): Blob {
  return new Blob([`${lines.join('\n')}\n`], { type: 'text/csv' })
}
