/** What goes wrong in the image lab is said by its name, beside what failed, and the page goes on. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBrowser } from './browser'
import { floats, handMadeContract, handMadeModel, integers, node, type HandMade } from './handMadeModels'
import {
  dropFiles,
  finishedNumbers,
  openFiles,
  PATIENCE,
  press,
  problem,
  restore,
  shown,
  status,
  type,
} from './imagesPage'
import { landscape, pngFile, pngHeader } from './pictureFiles'

const { openPage } = openBrowser()

const SMALL = 'lab=images&samples=1&steps=5&side=32'

const dropModel = (page: Page, buffer: Buffer, contract: Buffer | null = handMadeContract()) =>
  dropFiles(page, [
    { name: 'denoiser.onnx', buffer },
    ...(contract ? [{ name: 'denoiser.json', buffer: contract }] : []),
  ])
const verified = (page: Page) =>
  shown(page, 'model-status')
    .filter({ hasText: /checks/ })
    .waitFor(PATIENCE)

/** Files that cannot be used, and what is said of them. */
const wrongModels: Readonly<Record<string, readonly [file: Buffer | HandMade, message: RegExp]>> = {
  'a text': [
    Buffer.from('Dear diary, today I trained a network.'),
    /not an ONNX model: it looks like a text file/,
  ],
  'a picture': [pngFile(8, 8, () => [1, 2, 3]), /it looks like a PNG image/],
  nothing: [Buffer.alloc(0), /it looks like an empty file/],
  'half a file': [handMadeModel().subarray(0, 500), /It is damaged or cut off: download or export it again/],
  'a cycle': [
    { last: (input, output) => [node('Add', [input, 'back'], output), node('Neg', [output], 'back')] },
    /cycl/,
  ],
  'a hostile size': [
    {
      initializers: { much: integers([2_000_000, 2000, 32, 32]) },
      last: (input, output) => [
        node('Expand', [input, 'much'], 'large'),
        node('Add', [input, 'large'], output),
      ],
    },
    /elements, more than 2147483648/,
  ],
  'more constants than bytes': [
    {
      initializers: { much: { ...integers([1]), shape: [2 ** 40] } },
      last: (input, output) => [node('Expand', [input, 'much'], output)],
    },
    /"much"/,
  ],
  'an operator that nobody knows': [
    { last: (input, output) => [node('FlashAttention', [input], output, {}, 'com.example')] },
    /does not know: .*FlashAttention.*com\.example.*Export it with standard ONNX operators/,
  ],
}

describe('the image lab, when things go wrong', () => {
  it('names what is wrong with a model, keeps the one before, and goes on', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: SMALL })
    await status(page, /./)
    await dropModel(page, handMadeModel())
    await verified(page)
    for (const [what, [file, message]] of Object.entries(wrongModels)) {
      await dropModel(page, Buffer.isBuffer(file) ? file : handMadeModel(file))
      await problem(page, message)
      expect([what, await page.getByTestId('problem').count()]).toEqual([what, 1])
      await verified(page)
    }

    const color = { channels: 3, height: 32, width: 32 } as const
    await dropModel(page, handMadeModel(), handMadeContract({ image: color }))
    await problem(page, /takes \[batch, 1, height, width\] and would be given \[1, 3, 32, 32\]/)
    await dropModel(page, handMadeModel(), Buffer.from('{ "version": 1, "name": 7 }'))
    await problem(page, /name is to be of type string/)
    await dropModel(page, handMadeModel(), handMadeContract({ sha256: '0'.repeat(64) }))
    await problem(page, /SHA-256 is .* its contract says 0000/)
    await dropFiles(page, [{ name: 'denoiser.json', buffer: handMadeContract() }])
    await problem(page, /no ONNX file: open both together/)

    // A file that is whole, with numbers that are none: the check says so, and so does a run.
    await dropModel(page, handMadeModel({ gain: Number.NaN }))
    await shown(page, 'model-status')
      .filter({ hasText: /failed: Finite output/ })
      .waitFor(PATIENCE)
    expect(await page.getByTestId('problem').count()).toBe(0)
    await press(page, 'run')
    await problem(page, /not finite/)

    await dropModel(page, handMadeModel())
    await verified(page)
    expect((await restore(page)).misfit).toBeLessThan(2)
    expect(await page.getByTestId('problem').count()).toBe(0)
    expect(errors).toEqual([])
    await context.close()
  })

  it('names what is wrong with a picture, and keeps the one before', async () => {
    const { page, context, errors } = await openPage({ webgpu: false, hash: SMALL })
    await status(page, /./)
    await dropModel(page, handMadeModel())
    await verified(page)
    const wrong: readonly (readonly [Buffer, RegExp])[] = [
      [pngHeader(10_000, 10_000), /10000 × 10000 pixels, 100 megapixels; at most 64 are opened/],
      [Buffer.from('just some words'), /is a text file, whatever its name says/],
      [Buffer.alloc(0), /is empty/],
      [landscape(40, 40).subarray(0, 90), /the PNG is damaged or cut off/],
      [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /is an SVG/],
      [Buffer.from([1, 2, 3, 250, 0, 7]), /not a picture of a kind that is known/],
    ]
    for (const [buffer, message] of wrong) {
      await openFiles(page, 'image-file', [{ name: 'wrong.png', mimeType: 'image/png', buffer }])
      await problem(page, message)
      await problem(page, /The present picture stays/)
    }
    await openFiles(page, 'image-file', [{ name: 'right.png', buffer: landscape(40, 40) }])
    await page.getByTestId('problem').waitFor({ state: 'detached', ...PATIENCE })
    expect((await restore(page)).misfit).toBeLessThan(2)
    expect(errors).toEqual([])
    await context.close()
  })

  it('does one thing at a time, and says what is too large', async () => {
    const hash = `${SMALL.replace('steps=5', 'steps=500')}&compare=mmps,dps`
    const { page, context, errors } = await openPage({ webgpu: false, hash })
    await press(page, 'run')
    await status(page, /Step \d+ of/)
    await dropFiles(page, [{ name: 'other.png', buffer: landscape(40, 40), mimeType: 'image/png' }])
    await problem(page, /Not while sampling.*A run is under way: wait for it, or cancel it first/)
    await dropModel(page, handMadeModel())
    await problem(page, /Not while sampling/)
    expect(await shown(page, 'compare-run').isDisabled()).toBe(true)
    await page.getByText('A run is under way.', { exact: true }).waitFor()
    await status(page, /Step \d+ of/)
    await press(page, 'cancel')
    await page.getByTestId('problem').waitFor({ state: 'detached' })
    await press(page, 'compare-run')
    await page.locator('[data-testid=run][aria-disabled=true]').waitFor(PATIENCE)
    await page.keyboard.press(' ')
    await press(page, 'compare-cancel')
    await page.locator('[data-testid=run][aria-disabled=false]').waitFor(PATIENCE)

    // Its residuals are 600 images a sample.
    const side = { multipleOf: 8, minimum: 16, maximum: 256 }
    const wide = handMadeModel({
      initializers: {
        wide: floats(
          [600, 1, 1, 1],
          Array.from({ length: 600 }, () => 0.01),
        ),
      },
      last: (input, output) => [
        node('Conv', [input, 'wide'], 'many'),
        node('Tanh', ['many'], 'bent'),
        node('ReduceMean', ['bent'], 'mean', { axes: { kind: 'ints', value: [1] } }),
        node('Add', [input, 'mean'], output),
      ],
    })
    await dropModel(page, wide, handMadeContract({ image: { channels: 1, height: side, width: side } }))
    await verified(page)
    await type(page, 'steps', '5')
    await type(page, 'samples', '16')
    await press(page, 'advanced-image')
    await type(page, 'side', '256')
    await press(page, 'run')
    await problem(page, /Too large for this device’s memory.*16 samples of 256 × 256 pixels need about/)
    await problem(page, /At this side, at most \d+ fit/)
    await type(page, 'side', '16')
    await restore(page)
    expect(errors).toEqual([])
    await context.close()
  })

  it('computes without a GPU adapter and reports nonsense in the address', async () => {
    const { page, context, errors } = await openPage({
      webgpu: 'no-adapter',
      hash: `${SMALL}&model=nobody&image=own&kept=9&method=magic&crop=1,2&colour=red&run=1`,
    })
    await shown(page, 'fallback')
      .filter({ hasText: /adapter.*WebAssembly/ })
      .waitFor(PATIENCE)
    const notices = (await page.getByTestId('notice').allTextContents()).join(' ')
    for (const word of ['nobody', 'never left their device', 'kept', 'magic', 'crop', 'colour'])
      expect(notices).toContain(word)
    await finishedNumbers(page)
    expect(errors).toEqual([])
    await context.close()
  })
})
