import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** Ends the output of `npm test` with one plain line: `N passed, N failed`, and `, N skipped` where there are any. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<SerializedError>): void {
    let passed = 0;
    let skipped = 0;
    // An error outside a test, or a file that cannot be loaded, has no failed test of its own.
    let failed = unhandledErrors.length;
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failedTests++;
        else skipped++;
      }
      failed += failedTests === 0 && !module.ok() ? 1 : failedTests;
    }
    const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
    process.once("exit", () => console.log(line));
  }
}
