import { beforeEach, describe, expect, it, vi } from 'vitest'

type RouteModule = typeof import('../../src/store/route')

/** A browser's history: entries, where it stands, and the events of going back. */
function openAddress(hash: string) {
  const entries = [hash]
  let at = 0
  const listeners = new Map<string, () => void>()
  const location = { hash, pathname: '/', search: '' }
  const visit = (url: string) => (location.hash = url.startsWith('#') ? url : '')
  vi.stubGlobal('location', location)
  vi.stubGlobal('window', { addEventListener: (type: string, f: () => void) => listeners.set(type, f) })
  vi.stubGlobal('history', {
    pushState: (_: unknown, __: unknown, url: string) => {
      entries.splice(++at, Infinity, visit(url))
    },
    replaceState: (_: unknown, __: unknown, url: string) => {
      entries[at] = visit(url)
    },
  })
  return {
    location,
    entries,
    back: () => {
      visit(entries[--at]!)
      listeners.get('popstate')!()
    },
  }
}

async function open(hash: string) {
  const address = openAddress(hash)
  vi.resetModules()
  const route: RouteModule = await import('../../src/store/route')
  return { ...route, address, state: () => route.activeLab.getState() }
}

describe('route', () => {
  beforeEach(() => vi.unstubAllGlobals())

  it('switches labs and brings each back as it was left', async () => {
    const { address, state, followLab, writeLabFragment, labFragment } = await open('#preset=tiny')
    const followed = { manifold: vi.fn<() => void>(), posterior: vi.fn<() => void>() }
    followLab('manifold', followed.manifold)
    followLab('posterior', followed.posterior)
    state().go('posterior')
    expect(address.location.hash).toBe('#lab=posterior')
    writeLabFragment('posterior', 'y1=0.5', 'push')
    expect(address.location.hash).toBe('#lab=posterior&y1=0.5')
    // A run that goes on in the lab that is hidden leaves the address alone.
    writeLabFragment('manifold', 'preset=tiny&seed=2', 'replace')
    expect(address.location.hash).toBe('#lab=posterior&y1=0.5')
    state().go('manifold')
    expect(address.location.hash).toBe('#preset=tiny&seed=2')
    expect(labFragment('posterior')).toBe('y1=0.5')
    address.back()
    expect(state().lab).toBe('posterior')
    expect(followed.posterior).toHaveBeenCalledTimes(1)
    address.back()
    expect(address.location.hash).toBe('#lab=posterior')
    address.back()
    expect(state().lab).toBe('manifold')
    expect(followed.manifold).toHaveBeenCalledTimes(1)
    expect(labFragment('manifold')).toBe('preset=tiny')
  })

  it('keeps the step of the tour beside what a lab writes, and finds its lab without a new entry', async () => {
    const { address, state, followLab, writeLabFragment } = await open('#tour=3')
    followLab('manifold', () => {})
    expect(state()).toMatchObject({ lab: 'manifold', tour: 3 })
    state().setTour(3, 'posterior')
    expect(address.entries).toEqual(['#lab=posterior&tour=3'])
    writeLabFragment('posterior', 'y1=1', 'replace')
    expect(address.location.hash).toBe('#lab=posterior&tour=3&y1=1')
    state().setTour(4)
    expect(address.entries).toHaveLength(2)
    state().setTour(null)
    expect(address.location.hash).toBe('#lab=posterior&y1=1')
    address.back()
    expect(state().tour).toBe(4)
  })

  it.each([
    ['#lab=kitchen', /kitchen.*manifold, posterior, images/],
    ['#tour=9', /9.*1 to 6/],
    ['#tour=1.5&lab=posterior', /1\.5/],
  ])('reports %s and opens all the same', async (hash, message) => {
    const { routeProblems, state } = await open(hash)
    expect(routeProblems(hash).join(' ')).toMatch(message)
    expect(state().tour).toBeNull()
  })
})
