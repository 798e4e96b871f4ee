import { defineConfig } from "vitest/config";

export default defineConfig({
  // `paths` in tsconfig.json leads "tapegrad" to src, so that tests of the public surface need no build.
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["default", "./test/support/summaryReporter.ts"],
  },
});
