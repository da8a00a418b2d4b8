/** How the tests and the benchmark start Chromium. */

const COMMON = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Command-line flags: without WebGPU's adapter, with the machine's, or with SwiftShader's (a GPU in software). */
export const chromiumFlags = {
  none: COMMON,
  hardware: [...COMMON, '--enable-unsafe-webgpu', '--ignore-gpu-blocklist'],
  software: [
    ...COMMON,
    '--enable-unsafe-webgpu',
    '--ignore-gpu-blocklist',
    '--use-webgpu-adapter=swiftshader',
  ],
} as const satisfies Record<string, readonly string[]>

/** Runs in a page before its own scripts, and needs nothing from outside of it: hides WebGPU there and in the workers it starts. */
export function hideWebGpu(): void {
  Reflect.deleteProperty(Navigator.prototype, 'gpu')
  const hide = 'data:text/javascript,delete WorkerNavigator.prototype.gpu'
  globalThis.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      const address = JSON.stringify(new URL(url, document.baseURI).href)
      const load =
        options?.type === 'module'
          ? `import ${JSON.stringify(hide)}; import ${address}`
          : `importScripts(${JSON.stringify(hide)}, ${address})`
      super(URL.createObjectURL(new Blob([load], { type: 'text/javascript' })), options)
    }
  }
}
