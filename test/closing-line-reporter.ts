import type { TestCase, TestModule } from 'vitest/node'
import type { Reporter } from 'vitest/reporters'

/** Ends the run with one plain line that a CI system can read: `N passed, N failed, N skipped`. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[(test as TestCase).result().state] += 1
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) count.failed += 1
    }
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`)
  }
}
