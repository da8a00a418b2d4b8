import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { backportsSource } from '../../scripts/apt.mjs'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A folder like /etc/apt with these files in it. */
function sources(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'diem-apt-'))
  folders.push(folder)
  mkdirSync(join(folder, 'sources.list.d'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

it('gives backports the mirror and key of a deb822 source', () => {
  const folder = sources({
    'sources.list.d/debian.sources': `Types: deb
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
Signed-By: /keys/debian.gpg
`,
  })
  expect(backportsSource('bookworm', folder)).toBe(`Types: deb
URIs: http://mirror.test/debian
Suites: bookworm-backports
Components: main
Signed-By: /keys/debian.gpg
`)
})

it('gives backports the mirror of a one-line source, and its key where it names one', () => {
  const plain = sources({ 'sources.list': 'deb http://mirror.test/debian bookworm main contrib\n' })
  expect(backportsSource('bookworm', plain)).toBe(
    'Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm-backports\nComponents: main\n',
  )
  const signed = sources({
    'sources.list.d/x.list': 'deb [arch=amd64 signed-by=/keys/x.gpg] https://x.test/debian bookworm main\n',
  })
  expect(backportsSource('bookworm', signed)).toContain('URIs: https://x.test/debian\n')
  expect(backportsSource('bookworm', signed)).toContain('Signed-By: /keys/x.gpg\n')
})

it('adds nothing where backports are there already, and ignores disabled sources', () => {
  const there = sources({
    'sources.list': 'deb http://mirror.test/debian bookworm main\n',
    'sources.list.d/b.list': 'deb http://mirror.test/debian bookworm-backports main\n',
  })
  expect(backportsSource('bookworm', there)).toBe('')
  const disabled = sources({
    'sources.list.d/b.sources':
      'Enabled: no\nTypes: deb\nURIs: http://old.test\nSuites: bookworm-backports\n',
  })
  expect(backportsSource('bookworm', disabled)).toContain('URIs: http://deb.debian.org/debian\n')
})
