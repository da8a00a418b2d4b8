/** A miniature of each task: the same small landscape, measured in eight ways. 32 × 32, in greys of the theme. */
import type { ReactNode } from 'react'
import type { TaskName } from '../../experiments/images/settings'

const SKY = 'var(--icon-sky)'
const LAND = 'var(--icon-land)'
const SUN = 'var(--icon-sun)'
const GONE = 'var(--icon-gone)'

const landscape = (
  <>
    <rect width="32" height="32" fill={SKY} />
    <circle cx="22" cy="10" r="4.5" fill={SUN} />
    <path d="M0 26 9 15l7 8 6-6 10 11v4H0z" fill={LAND} />
  </>
)

/** Cells of an 8 × 8 grid that the random mask keeps. */
const KEPT = [3, 8, 13, 18, 22, 24, 31, 33, 38, 42, 45, 50, 55, 57, 60] as const

function blurred(deviation: string, name: string): ReactNode {
  return (
    <>
      <filter id={name} x="-20%" y="-20%" width="140%" height="140%">
        <feGaussianBlur stdDeviation={deviation} />
      </filter>
      <rect width="32" height="32" fill={SKY} />
      <g filter={`url(#${name})`}>{landscape}</g>
    </>
  )
}

export const taskIcons: Readonly<Record<TaskName, ReactNode>> = {
  box: (
    <>
      {landscape}
      <rect x="9" y="9" width="14" height="14" fill={GONE} />
    </>
  ),
  brush: (
    <>
      {landscape}
      <path
        d="M4 22C10 6 14 28 19 14s6-4 9-5"
        fill="none"
        stroke={GONE}
        strokeWidth="4"
        strokeLinecap="round"
      />
    </>
  ),
  random: (
    <>
      {landscape}
      <path
        d={Array.from({ length: 64 }, (_, k) => k)
          .filter((k) => !KEPT.includes(k as never))
          .map((k) => `M${4 * (k % 8)} ${4 * Math.floor(k / 8)}h4.1v4.1h-4.1z`)
          .join('')}
        fill={GONE}
      />
    </>
  ),
  motion: blurred('2.8 0', 'icon-motion'),
  gaussian: blurred('2', 'icon-gaussian'),
  superres: (
    <>
      <rect width="32" height="32" fill={SKY} />
      <path d="M16 0h8v8h8v8h-8V8h-8z" fill={SUN} opacity="0.55" />
      <rect x="16" y="8" width="8" height="8" fill={SUN} />
      <path d="M0 24h8v-8h8v8h8v8H0z" fill={LAND} />
      <rect x="24" y="24" width="8" height="8" fill={LAND} opacity="0.8" />
    </>
  ),
  mri: (
    <>
      <rect width="32" height="32" fill="#0d1117" />
      <ellipse cx="16" cy="16" rx="9.5" ry="12" fill="none" stroke="#c9d1da" strokeWidth="2" />
      <path
        d="M16 7v18M11 12c3 2 3 6 0 8M21 12c-3 2-3 6 0 8"
        fill="none"
        stroke="#8a95a3"
        strokeWidth="1.6"
      />
      <path d="M3 0h2v32H3zM27 0h2v32h-2zM8 0h1v32H8zM23 0h1v32h-1z" fill="#c9d1da" opacity="0.35" />
    </>
  ),
  gray: (
    <>
      <rect width="32" height="32" fill="#b9bec6" />
      <circle cx="22" cy="10" r="4.5" fill="#eceef1" />
      <path d="M0 26 9 15l7 8 6-6 10 11v4H0z" fill="#5c636d" />
    </>
  ),
}
