import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { slicedPlotly } from './scripts/slicedPlotly.mjs'

/** Seconds a test may take on two cores that compute WebGPU in software. */
const TEST_SECONDS = 120

/** Whether `npm start` can show a browser window here. */
function hasDesktop(): boolean {
  const { CI, VITEST, SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = process.env
  if (CI || VITEST || SSH_CONNECTION) return false
  return process.platform === 'linux' ? Boolean(DISPLAY || WAYLAND_DISPLAY) : true
}

/** Shaders without comments and indentation, which are half of their compressed size. Line numbers stay. */
function shortShaders(): Plugin {
  return {
    name: 'short-shaders',
    apply: 'build',
    transform: {
      filter: { id: /\.wgsl\?raw$/ },
      handler(code) {
        const text = JSON.parse(code.slice(code.indexOf('"'), code.lastIndexOf('"') + 1)) as string
        const short = text.replaceAll(/[ \t]*\/\/.*$/gm, '').replaceAll(/^[ \t]+/gm, '')
        return { code: `export default ${JSON.stringify(short)}`, map: null }
      },
    },
  }
}

export default defineConfig({
  // Relative, so that the build works from any sub-path of any static host.
  base: './',
  plugins: [react(), slicedPlotly()],
  worker: {
    format: 'es',
    plugins: () => [shortShaders()],
    // What only workers load is told apart by its folder.
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/worker/[name]-[hash].js',
        chunkFileNames: 'assets/worker/[name]-[hash].js',
      },
    },
  },
  server: { open: hasDesktop() },
  // What only the workers import is prepared with the rest: found later, it would reload the page in its first use.
  optimizeDeps: { entries: ['index.html', 'src/store/**/{worker,*Worker}.ts'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 1700 },
  test: {
    reporters: ['default', './test/countReporter.ts'],
    // Dawn and Chromium each take all cores: groups run one after the other, cheap tests first.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/golden/**', 'test/gpu/**', 'test/e2e/**'],
          testTimeout: TEST_SECONDS * 1000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'golden',
          include: ['test/golden/**/*.test.ts'],
          globalSetup: ['./test/gpuSetup.ts'],
          testTimeout: TEST_SECONDS * 1000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          globalSetup: ['./test/gpuSetup.ts'],
          testTimeout: TEST_SECONDS * 1000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['./test/e2e/serveBuild.ts'],
          testTimeout: 2 * TEST_SECONDS * 1000,
          hookTimeout: TEST_SECONDS * 1000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
