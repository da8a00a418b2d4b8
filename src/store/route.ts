/**
 * Which lab is shown and which step of the tour, and the page's one address bar: only the lab that is shown reads and
 * writes the URL fragment. Each lab's last fragment is kept, so that a lab comes back as it was left.
 *
 *     #lab=posterior&tour=3&…     the rest belongs to the lab; the manifold lab is the default and needs no `lab`
 */
import { createStore } from 'zustand/vanilla'
import { parametersOf } from './fragment'

const labNames = ['manifold', 'posterior', 'images'] as const
export type LabName = (typeof labNames)[number]

/** Steps of the tour, from 1. */
export const TOUR_STEPS = 6

export interface Route {
  readonly lab: LabName
  readonly tour: number | null
  /** Shows a lab as it was left. The browser's back button returns. */
  go(lab: LabName): void
  /** Goes to a step of the tour (and to the lab that it is about), or leaves the tour. */
  setTour(step: number | null, lab?: LabName): void
}

export const activeLab = createStore<Route>()((_, get) => ({
  ...readRoute(currentHash()),
  go: (lab) => move(lab, get().tour),
  setTour: (step, lab = get().lab) => move(lab, step),
}))

/** Called when the fragment of the lab that is shown has changed by other means than the lab: back, forward, typing. */
type Follower = () => void

const followers = new Map<LabName, Follower>()
/** Each lab's own part of the fragment, as it was last written or read. */
const remembered = new Map<LabName, string>()
let listening = false

/** Lets a lab hear of changes of the address while it is shown. */
export function followLab(lab: LabName, follower: Follower): void {
  followers.set(lab, follower)
  const { lab: shown, tour } = readRoute(currentHash())
  activeLab.setState({ lab: shown, tour })
  if (listening) return
  listening = true
  window.addEventListener('popstate', followAddress)
  window.addEventListener('hashchange', followAddress)
}

/** A lab's own part of the address, without `lab` and `tour`; as it was last where another lab is shown. */
export function labFragment(lab: LabName): string {
  return activeLab.getState().lab === lab ? ownPart(currentHash()) : (remembered.get(lab) ?? '')
}

/**
 * Writes a lab's own part: to the address, as a new entry of the history or in place of the present one. Where another
 * lab is shown, it is kept for the next visit.
 */
export function writeLabFragment(lab: LabName, own: string, how: 'push' | 'replace'): void {
  const { lab: shown, tour } = activeLab.getState()
  remembered.set(lab, own)
  if (shown !== lab || ownPart(location.hash) === own) return
  write(compose(lab, own, tour), how)
}

/** What is wrong with the fragment's `lab` and `tour`. */
export function routeProblems(fragment: string): string[] {
  const parameters = parametersOf(fragment)
  const { lab, tour } = readRoute(fragment)
  const problems: string[] = []
  const labText = parameters.get('lab')
  if (labText !== null && labText !== lab) {
    problems.push(`lab = "${labText}" is not one of: ${labNames.join(', ')}. Showing ${lab}.`)
  }
  const tourText = parameters.get('tour')
  if (tourText !== null && tour === null) {
    problems.push(`tour = "${tourText}" is not a step from 1 to ${TOUR_STEPS}; the tour stays closed.`)
  }
  return problems
}

function move(lab: LabName, tour: number | null): void {
  const present = activeLab.getState()
  if (lab === present.lab && tour === present.tour) return
  remembered.set(present.lab, ownPart(location.hash))
  // A link to a step of the tour need not name its lab: finding that lab is no step of the visitor's.
  const how = tour !== null && tour === present.tour ? 'replace' : 'push'
  write(compose(lab, remembered.get(lab) ?? '', tour), how)
  activeLab.setState({ lab, tour })
}

function followAddress(): void {
  const { lab, tour } = readRoute(location.hash)
  remembered.set(lab, ownPart(location.hash))
  activeLab.setState({ lab, tour })
  followers.get(lab)?.()
}

function readRoute(fragment: string): Pick<Route, 'lab' | 'tour'> {
  const parameters = parametersOf(fragment)
  const step = Number(parameters.get('tour') ?? Number.NaN)
  return {
    lab: labNames.find((name) => name === parameters.get('lab')) ?? 'manifold',
    tour: Number.isInteger(step) && step >= 1 && step <= TOUR_STEPS ? step : null,
  }
}

function ownPart(hash: string): string {
  const parts = hash.replace(/^#/, '').split('&')
  return parts.filter((part) => part !== '' && !/^(lab|tour)(=|$)/.test(part)).join('&')
}

/** The shortest fragment; empty for the manifold lab's defaults. */
function compose(lab: LabName, own: string, tour: number | null): string {
  const parts = [lab === 'manifold' ? '' : `lab=${lab}`, tour === null ? '' : `tour=${tour}`, own]
  const text = parts.filter(Boolean).join('&')
  return text === '' ? '' : `#${text}`
}

function write(hash: string, how: 'push' | 'replace'): void {
  if (hash === location.hash) return
  const url = hash === '' ? location.pathname + location.search : hash
  if (how === 'push') history.pushState(null, '', url)
  else history.replaceState(null, '', url)
}

/** Empty where there is no address, as in the command line. */
function currentHash(): string {
  return typeof location === 'undefined' ? '' : location.hash
}
