/** Short plain text with indices: σ_t, x_0, x_t, σ_y, shown as such. */
import { Fragment } from 'react'

export function Subscripts({ text }: { text: string }) {
  // Every second part is an index.
  const parts = text.split(/_([0-9a-z])/u)
  return parts.map((part, k) =>
    k % 2 === 1 ? <sub key={k}>{part}</sub> : <Fragment key={k}>{part}</Fragment>,
  )
}
