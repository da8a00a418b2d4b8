import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

// Beside the app's own: the peers' packages never come near its build.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  logLevel: 'warn',
  build: { target: 'es2022', emptyOutDir: true, chunkSizeWarningLimit: 5000 },
})
