import { availableParallelism } from 'node:os'

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    // `npm run test:full` runs tests once more in altered modes.
    setupFiles: process.env.FATHOM_TEST_MODE === undefined ? [] : ['tests/harness/mode.ts'],
    // Starts a Spark for the files that ask for one, and stops it at the end.
    globalSetup: ['tests/harness/spark-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One less is the default: on two processors that would be one file after the other.
    maxWorkers: availableParallelism(),
  },
})
