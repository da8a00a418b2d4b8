/** Names of values that a graph does not use yet. */
import type { Graph } from './graph'

/** Gives `stem`, or the first of stem_2, stem_3, … that is free; each name once. */
export function uniqueNames({ inputs, initializers, nodes }: Graph): (stem: string) => string {
  const taken = new Set([...inputs.map(({ name }) => name), ...initializers.keys()])
  for (const { outputs } of nodes) for (const name of outputs) taken.add(name)
  return (stem) => {
    let name = stem
    for (let i = 2; taken.has(name); i++) name = `${stem}_${i}`
    taken.add(name)
    return name
  }
}
