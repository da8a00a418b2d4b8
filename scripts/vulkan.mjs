/**
 * Finds (and on Debian and Ubuntu installs, where it may) the Vulkan driver with which Dawn computes in Node.
 *
 * With a GPU the machine's own driver is right. Without one, and in every test, Mesa's software driver
 * "lavapipe" is chosen through VK_DRIVER_FILES (VK_ICD_FILENAMES for older loaders). Vulkan also wants an
 * XDG_RUNTIME_DIR. macOS and Windows need nothing: Dawn uses Metal and Direct3D there.
 *
 * The variables must be set before the package `webgpu` is loaded, in this process or in one it starts.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MissingSoftwareError, installDebianPackages } from './apt.mjs'

const MANIFEST_FOLDERS = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d']

/**
 * Dawn refuses the lavapipe of Mesa 22.3 (Debian 12), whose manifest says "1.1.230". The last number is that of the
 * Vulkan headers and grows with every release; the first two say little.
 */
const REFUSED_HEADERS = 230

/**
 * Sets the environment for Dawn. Errors: MissingSoftwareError with the command that installs the driver.
 *
 * @param {{ software: boolean }} options software: use lavapipe even if there is a GPU
 */
export function prepareVulkan({ software }) {
  if (process.platform !== 'linux') return
  prepareRuntimeFolder()
  const chosen = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES']
  if (chosen?.split(':').every((file) => existsSync(file))) return
  if (!software && !process.env['DIEM_SOFTWARE'] && hasHardwareDriver()) return
  const manifest = findLavapipe() ?? installLavapipe()
  process.env['VK_DRIVER_FILES'] = manifest
  process.env['VK_ICD_FILENAMES'] = manifest
}

/** The manifest of a lavapipe that Dawn accepts, or undefined. */
export function findLavapipe() {
  return manifests().find((path) => /\/lvp_icd[^/]*\.json$/.test(path) && isAccepted(path))
}

function installLavapipe() {
  const purpose = 'WebGPU in Node on a machine without a GPU'
  if (!existsSync('/usr/bin/apt-get')) {
    throw new MissingSoftwareError(
      `Mesa's software Vulkan driver (lavapipe, Mesa 23 or newer) is needed for ${purpose}. Please install it ` +
        '(Fedora: mesa-vulkan-drivers; Arch: vulkan-swrast; Alpine is not supported by the npm package webgpu), ' +
        'or name its manifest in VK_DRIVER_FILES.',
    )
  }
  installDebianPackages([{ name: 'mesa-vulkan-drivers', backportsOn: 'bookworm' }], purpose)
  const manifest = findLavapipe()
  if (!manifest) {
    throw new MissingSoftwareError(
      `mesa-vulkan-drivers is installed, but without a lavapipe that Dawn accepts (Mesa 23 or newer): ` +
        `looked in ${MANIFEST_FOLDERS.join(', ')}. Please name its lvp_icd*.json in VK_DRIVER_FILES.`,
    )
  }
  return manifest
}

/** Whether a GPU's device node and a Vulkan driver other than the software one are there. */
function hasHardwareDriver() {
  const nodes = existsSync('/dev/dri') ? readdirSync('/dev/dri') : []
  const hasDevice = nodes.some((node) => node.startsWith('renderD')) || existsSync('/dev/nvidia0')
  return hasDevice && manifests().some((path) => !path.includes('/lvp_icd'))
}

function manifests() {
  return MANIFEST_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => join(folder, file)),
  )
}

/** @param {string} path of a driver manifest */
function isAccepted(path) {
  const headers = /"api_version"\s*:\s*"\d+\.\d+\.(\d+)"/.exec(readFileSync(path, 'utf8'))?.[1]
  return Number(headers ?? 0) > REFUSED_HEADERS
}

function prepareRuntimeFolder() {
  const folder = process.env['XDG_RUNTIME_DIR']
  if (folder && existsSync(folder)) return
  const own = join(tmpdir(), `diem-runtime-${process.getuid?.() ?? 0}`)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  process.env['XDG_RUNTIME_DIR'] = own
}
