/**
 * Finds (and on Debian installs, where it may) a Chromium for the end-to-end tests.
 *
 * In this order: CHROME_PATH or CHROMIUM_PATH, a Chromium, Chrome or Edge of the system, Playwright's cache.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { MissingSoftwareError, installDebianPackages, osRelease } from './apt.mjs'

const COMMANDS = [
  'chromium',
  'google-chrome',
  'google-chrome-stable',
  'chromium-browser',
  'chrome',
  'microsoft-edge',
]

const FIXED_PLACES = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((variable) => [
    join(process.env[variable] ?? '', 'Google', 'Chrome', 'Application', 'chrome.exe'),
    join(process.env[variable] ?? '', 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
  ]),
}

/** The path of a Chromium, after an attempt to install one. Errors: MissingSoftwareError with the command to run. */
export function prepareBrowser() {
  const found = findBrowser()
  if (found) return found
  const system = osRelease()
  const install = 'npx playwright-core install --with-deps chromium'
  if (process.platform !== 'linux' || system['ID'] !== 'debian') {
    // Ubuntu's chromium package is a snap, which containers cannot run.
    throw new MissingSoftwareError(
      `A Chromium is needed for the end-to-end tests. Please install Chrome or Chromium, or run:\n\n    ${install}\n\n` +
        'or name the executable in CHROME_PATH.',
    )
  }
  installDebianPackages([{ name: 'chromium' }], 'the end-to-end tests')
  const installed = findBrowser()
  if (!installed)
    throw new MissingSoftwareError('chromium was installed but not found: set CHROME_PATH to it.')
  return installed
}

/** The path of a Chromium, or undefined. */
export function findBrowser() {
  const named = process.env['CHROME_PATH'] ?? process.env['CHROMIUM_PATH']
  if (named) {
    if (existsSync(named)) return named
    throw new MissingSoftwareError(`CHROME_PATH or CHROMIUM_PATH names ${named}, which does not exist.`)
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const fixed =
    process.platform === 'darwin' || process.platform === 'win32' ? FIXED_PLACES[process.platform] : []
  const places = [...COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command))), ...fixed]
  return places.find((path) => isFile(path) && !isSnapStub(path)) ?? findInPlaywrightCache()
}

function findInPlaywrightCache() {
  const caches = [
    process.env['PLAYWRIGHT_BROWSERS_PATH'],
    join(homedir(), '.cache', 'ms-playwright'),
    join(homedir(), 'Library', 'Caches', 'ms-playwright'),
    join(process.env['LOCALAPPDATA'] ?? homedir(), 'ms-playwright'),
  ].filter((folder) => folder !== undefined && existsSync(folder))
  const executables = [
    ['chrome-linux64', 'chrome'],
    ['chrome-linux', 'chrome'],
    ['chrome-mac', 'Chromium.app', 'Contents', 'MacOS', 'Chromium'],
    ['chrome-mac-arm64', 'Google Chrome for Testing.app', 'Contents', 'MacOS', 'Google Chrome for Testing'],
    ['chrome-win64', 'chrome.exe'],
    ['chrome-win', 'chrome.exe'],
  ]
  return caches
    .flatMap((cache) =>
      readdirSync(/** @type {string} */ (cache))
        .filter((entry) => /^chromium-\d+$/.test(entry))
        .toSorted((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
        .flatMap((entry) => executables.map((parts) => join(/** @type {string} */ (cache), entry, ...parts))),
    )
    .find((path) => existsSync(path))
}

/** @param {string} path */
function isFile(path) {
  return existsSync(path) && statSync(path).isFile()
}

/**
 * Ubuntu's /usr/bin/chromium-browser only tells to install the snap.
 *
 * @param {string} path
 */
function isSnapStub(path) {
  return (
    path.endsWith('chromium-browser') && osRelease()['ID'] === 'ubuntu' && !existsSync('/snap/bin/chromium')
  )
}
