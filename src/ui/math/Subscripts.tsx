/** Short plain text with indices, σ_t, x_0, x_t or σ_y, shown as such. */
import { createElement, Fragment } from 'react'

export function Subscripts({ text }: { text: string }) {
  // Every second part is an index.
  const parts = text.split(/_([0-9a-z])/u)
  const nodes = parts.map((part, k) => (k % 2 === 1 ? createElement('sub', null, part) : part))
  return createElement(Fragment, null, ...nodes)
}
