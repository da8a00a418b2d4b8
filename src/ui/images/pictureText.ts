/** Pictures and their numbers in words. */
import type { RunResult } from '../../store/images/types'
import { formatMeasure } from '../format'

export function decibels(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)} dB` : value > 0 ? '∞ dB' : '–'
}

export function similarity(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : '–'
}

/** "PSNR 24.31 dB, SSIM 0.912, misfit 1.02", of one sample. */
export function sampleNumbers({ psnr, ssim, misfit }: RunResult, k: number): string {
  return `PSNR ${decibels(psnr[k] ?? Number.NaN)}, SSIM ${similarity(ssim[k] ?? Number.NaN)}, misfit ${formatMeasure(misfit[k])}`
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
