/**
 * Installs Debian packages where that is possible without a question: apt-get exists and this is root, or
 * sudo works without a password. Otherwise says which command the person should run.
 *
 * Everything is printed to stderr, because `npm run diem -- --json` keeps stdout for its results.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'

/** Something that is missing, with the sentence that tells a person what to do about it. */
export class MissingSoftwareError extends Error {
  /** @override */
  name = 'MissingSoftwareError'
}

/**
 * A package, and the release whose backports must be used for it, if any.
 *
 * @typedef {{ name: string, backportsOn?: string }} DebianPackage
 */

/** The fields of /etc/os-release, {} where there is none. */
export function osRelease() {
  const path = '/etc/os-release'
  if (!existsSync(path)) return /** @type {Record<string, string>} */ ({})
  const pairs = [...readFileSync(path, 'utf8').matchAll(/^(\w+)="?(.*?)"?$/gm)]
  return /** @type {Record<string, string>} */ (
    Object.fromEntries(pairs.map(([, key, value]) => [key, value]))
  )
}

/**
 * The source of `<release>-backports`, written like the Debian source the machine already uses: same mirror, same key.
 *
 * @param {string} release for example "bookworm"
 * @param {string} sourcesFolder for example "/etc/apt"
 * @returns {string} a deb822 stanza, or '' when backports are already there
 */
export function backportsSource(release, sourcesFolder) {
  const parts = `${sourcesFolder}/sources.list.d`
  const files = existsSync(parts) ? readdirSync(parts).map((file) => `${parts}/${file}`) : []
  const stanzas = files.filter((file) => file.endsWith('.sources')).flatMap(readStanzas)
  const lines = [`${sourcesFolder}/sources.list`, ...files.filter((file) => file.endsWith('.list'))]
    .filter((file) => existsSync(file))
    .flatMap(readOneLineSources)
  const all = [...stanzas, ...lines]
  const suite = `${release}-backports`
  if (all.some((source) => source.suites.includes(suite))) return ''
  const base = all.find((source) => source.suites.includes(release))
  const { uri, signedBy } = base ?? {
    uri: 'http://deb.debian.org/debian',
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
  }
  const key = signedBy ? `Signed-By: ${signedBy}\n` : ''
  return `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: main\n${key}`
}

/** @param {string} file a deb822 .sources file */
function readStanzas(file) {
  const stanzas = readFileSync(file, 'utf8')
    .replace(/^#.*\n/gm, '')
    .split(/\n\s*\n/)
  return stanzas
    .map((stanza) =>
      Object.fromEntries([...stanza.matchAll(/^([\w-]+):\s*(.*)$/gm)].map(([, k, v]) => [k, v])),
    )
    .filter(
      (fields) => fields['Enabled']?.toLowerCase() !== 'no' && fields['Types']?.split(/\s+/).includes('deb'),
    )
    .map((fields) => ({
      uri: fields['URIs']?.split(/\s+/)[0],
      suites: fields['Suites']?.split(/\s+/) ?? [],
      signedBy: fields['Signed-By'] || undefined,
    }))
}

/** @param {string} file a sources.list file of one-line sources */
function readOneLineSources(file) {
  const lines = readFileSync(file, 'utf8').matchAll(/^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)/gm)
  return [...lines].map(([, options, uri, suite]) => ({
    uri,
    suites: [suite],
    signedBy: options?.match(/signed-by=(\S+)/i)?.[1],
  }))
}

/**
 * What a person would type to install `packages`.
 *
 * @param {DebianPackage[]} packages
 */
export function installCommands(packages) {
  const { VERSION_CODENAME: release = '' } = osRelease()
  const fromBackports = packages.filter((wanted) => wanted.backportsOn === release)
  const rest = packages.filter((wanted) => wanted.backportsOn !== release)
  const source = fromBackports.length > 0 ? backportsSource(release, '/etc/apt') : ''
  return [
    ...(source
      ? [
          `printf '${source.replaceAll('\n', '\\n')}' | sudo tee /etc/apt/sources.list.d/${release}-backports.sources`,
        ]
      : []),
    'sudo apt-get update',
    ...fromBackports.map((wanted) => `sudo apt-get install -y -t ${release}-backports ${wanted.name}`),
    ...(rest.length > 0 ? [`sudo apt-get install -y ${rest.map((wanted) => wanted.name).join(' ')}`] : []),
  ]
}

/**
 * Installs `packages`, or throws MissingSoftwareError with the commands a person should run.
 *
 * @param {DebianPackage[]} packages
 * @param {string} purpose completes "… is needed for"
 */
export function installDebianPackages(packages, purpose) {
  const names = packages.map((wanted) => wanted.name).join(', ')
  const advice = `Please run:\n\n${installCommands(packages)
    .map((line) => `    ${line}`)
    .join('\n')}\n`
  const become = rootPrefix()
  if (process.env['DIEM_NO_INSTALL'] || become === undefined) {
    const reason = become === undefined ? 'installing it needs root' : 'DIEM_NO_INSTALL is set'
    throw new MissingSoftwareError(`${names} is needed for ${purpose}, and ${reason}. ${advice}`)
  }
  process.stderr.write(`Installing ${names} with apt-get, for ${purpose} (once; some minutes) …\n`)
  const { VERSION_CODENAME: release = '' } = osRelease()
  const source = packages.some((wanted) => wanted.backportsOn === release)
    ? backportsSource(release, '/etc/apt')
    : ''
  if (source) run(become, ['tee', `/etc/apt/sources.list.d/${release}-backports.sources`], source)
  // A broken third-party source makes an update fail in part: what counts is whether the packages install.
  const updated = run(become, ['apt-get', 'update', '-q'])
  for (const wanted of packages) {
    const target = wanted.backportsOn === release ? ['-t', `${release}-backports`] : []
    const options = ['-q', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300']
    const installed = run(become, ['apt-get', 'install', ...options, ...target, wanted.name])
    if (installed.status !== 0) {
      const output = `${updated.output}\n${installed.output}`
      throw new MissingSoftwareError(
        `${explainFailure(wanted.name, output)} It is needed for ${purpose}. ${advice}`,
      )
    }
  }
}

/** The command prefix that gives root: [] for root, sudo where it asks nothing, undefined where neither works. */
function rootPrefix() {
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

/**
 * @param {string[]} become
 * @param {string[]} command
 * @param {string} [input]
 */
function run(become, command, input) {
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8']
  const [program = '', ...args] = [...become, ...environment, ...command]
  const result = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
  return { status: result.status, output: `${result.stdout ?? ''}${result.stderr ?? ''}` }
}

/**
 * @param {string} name
 * @param {string} output of apt-get
 */
function explainFailure(name, output) {
  const complaints = output.split('\n').filter((line) => /^(E|Err|W):?/.test(line.trim()))
  const shown = (complaints.length > 0 ? complaints : output.split('\n').slice(-6)).slice(-6).join('\n    ')
  const cause = /Could not resolve|Temporary failure|Could not connect|Unable to connect|timed out/i.test(
    output,
  )
    ? 'the package mirror cannot be reached: is this machine online?'
    : /No space left|not have enough free space/i.test(output)
      ? 'the disk is full.'
      : /Could not get lock/i.test(output)
        ? 'another package manager is running.'
        : 'apt-get says:'
  return `apt-get could not install ${name}: ${cause}\n\n    ${shown}\n\n`
}
