/** Settings that are the sampler's alone: the observation does not depend on them. */
import type { ImagesSettings } from '../../experiments/images/settings'

const SAMPLER_KEYS: ReadonlySet<string> = new Set([
  'model',
  'method',
  'solver',
  'iterations',
  'guidance',
  'proximity',
  'sampler',
  'eta',
  'steps',
  'samples',
  'seed',
  'equal',
] satisfies (keyof ImagesSettings)[])

export function isSamplerSetting(key: string): boolean {
  return SAMPLER_KEYS.has(key)
}
