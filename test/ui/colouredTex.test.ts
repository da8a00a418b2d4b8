import { renderToString } from 'katex'
import { expect, test } from 'vitest'
import { methodDefinitions } from '../../src/experiments/mixture/methodDefinitions'
import { methodIds } from '../../src/experiments/mixture/settings'
import { colours } from '../../src/ui/theme'
import { colouredTex, estimateTex } from '../../src/ui/math/methodTex'

test('symbols are coloured, letters of names and commands are not', () => {
  expect(colouredTex('\\operatorname*{argmin}_x y - A x', '#111111', '#222222')).toBe(
    '\\operatorname*{argmin}_x \\textcolor{#222222}{y} - \\textcolor{#222222}{A} x',
  )
  expect(colouredTex('\\Sigma_y + A V A^\\top', '#111111', '#222222')).toBe(
    '\\textcolor{#222222}{\\Sigma_y} + \\textcolor{#222222}{A} \\textcolor{#111111}{V} \\textcolor{#222222}{A}^\\top',
  )
})

test.each(methodIds)('KaTeX sets the coloured equation of %s', (method) => {
  const tex = estimateTex(method, colours.dark)
  expect(() => renderToString(tex, { displayMode: true, throwOnError: true })).not.toThrow()
  expect(tex).toContain(colours.dark.observation)
  expect(methodDefinitions[method].explanation).toMatch(/\.$/)
})
