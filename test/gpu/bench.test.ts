import { afterAll, expect, it } from 'vitest'
import { createInputs } from '../../bench/cases'
import { passes, twinReference } from '../../bench/checks'
import { Counting } from '../../bench/counting'
import { measureCase } from '../../bench/measure'
import type { CaseName } from '../../bench/peer'
import { open } from '../../bench/peers/ours'
import type { NetworkShape } from '../../src/diffusion/types'
import { gpu } from './adapter'

// shapes of other tests, whose compiled kernels the driver then keeps: it takes half a minute for each of the larger ones
const network = { features: 3, embedding: 6, hidden: 20, hiddenLayers: 2 }
const cases: readonly (readonly [CaseName, NetworkShape])[] = [
  ['forward', network],
  ['training', network],
  ['mmps-cg', { features: 5, embedding: 6, hidden: 16, hiddenLayers: 3 }],
]

const counting = await Counting.install(gpu)
afterAll(() => counting.uninstall())

it.each(cases)('computes the case %s as the float64 twin does', async (name, network) => {
  const peer = await open(gpu)
  const inputs = createInputs(network, 37)
  const bound = await peer.bind(name, inputs)
  const comparisons = (await twinReference(name, inputs)).compare(await bound.result())
  expect(comparisons.filter((each) => !passes(each))).toEqual([])
  bound.dispose()
  peer.destroy()
})

it('counts a step and compares in rounds, at the largest batch that a peer can hold', async () => {
  const report = await measureCase('forward', 64, {
    gpu,
    network,
    counting,
    seconds: 0,
    rounds: [3, 3],
    log: () => undefined,
    contenders: [
      { label: 'ours', open },
      {
        label: 'small',
        open: async (gpu) => {
          const peer = await open(gpu)
          return {
            ...peer,
            async bind(name, inputs) {
              if (inputs.batch > 16) throw new Error('too large')
              return peer.bind(name, inputs)
            },
          }
        },
      },
    ],
  })
  const [ours, small] = report.measured
  expect(ours!.counts.dispatches).toBe(1)
  expect(ours!.counts.bytesReadBack).toBe(0)
  expect(ours!.peakBytes).toBeGreaterThan(64 * 3 * 4 * 2)
  expect(ours!.rounds).toHaveLength(3)
  expect(small!.batch).toBe(16)
  expect(small!.note).toContain('batch 32 failed: too large')
  expect(small!.ratio!.low).toBeGreaterThan(0)
})
