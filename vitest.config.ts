import { defineConfig } from 'vitest/config'

// Two cores: more workers than that only add contention, and proofs are CPU-bound.
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '.tsbuild/**'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
