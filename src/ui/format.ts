/** Numbers as a reader wants them: units, and no more digits than mean something. */

/** A setting's value, exactly, in the shortest form: 8192, 0.01, 1e-6. */
export function formatValue(value: number): string {
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e10)) {
    return value.toExponential().replace('e+', 'e')
  }
  return String(Number(value.toPrecision(12)))
}

/** A measured number with three significant digits; a dash where there is none. */
export function formatMeasure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (!Number.isFinite(value)) return 'not finite'
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 100_000)) return value.toExponential(2)
  return Number(value.toPrecision(3)).toString()
}

/** A label inside a sentence: "Seed" becomes "seed", "EM iterations" stays. */
export function inSentence(label: string): string {
  return /^[A-Z][a-z]/.test(label) && !label.startsWith('Adam')
    ? label[0]!.toLowerCase() + label.slice(1)
    : label
}

export function formatPercent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** A duration, rounded as one would say it: 40 s, 3 min, 5 h. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return '< 1 s'
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86400)} days`
}

/** Seconds that something took: 0.42 s, 12.3 s. */
export function formatSeconds(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(2)} s` : `${seconds.toFixed(1)} s`
}

export function formatGflops(gflops: number): string {
  return `${gflops < 10 ? gflops.toFixed(1) : Math.round(gflops).toLocaleString('en-US')} GFLOP/s`
}
