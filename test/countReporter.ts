/**
 * Prints `N passed, N failed` as the very last line of a test run, for people and for scripts.
 *
 * A test file that fails to load and an error outside any test count as one failure each.
 */
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0
    let failed = unhandled.length
    for (const module of modules) {
      let failedInside = 0
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === 'passed') passed++
        if (state === 'failed') failedInside++
      }
      failed += failedInside
      if (failedInside === 0 && !module.ok()) failed++
    }
    // The default reporter still has its summary to print: wait until the process ends. A set-up that failed
    // leaves no trace but the exit code.
    process.once('exit', (code) => {
      process.stdout.write(`${passed} passed, ${code !== 0 && failed === 0 ? 1 : failed} failed\n`)
    })
  }
}
