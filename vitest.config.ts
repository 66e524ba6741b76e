import { configDefaults, defineConfig } from 'vitest/config'

const generated = [...configDefaults.exclude, '.tsbuild/**']

// Three groups, one after the other, so that none is measured by the load of another: the parts; the whole (each
// file a network of processes of its own); and the story, which has promised a time.
export default defineConfig({
  test: {
    // Two cores: more workers than that only add contention, and proofs are CPU-bound.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['**/*.test.ts'],
          exclude: [...generated, 'test/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/*.test.ts'],
          exclude: [...generated, 'test/story.test.ts'],
          // Seconds on a quiet machine; a machine that does much else must not fail them for it.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'story', include: ['test/story.test.ts'], sequence: { groupOrder: 2 } },
      },
    ],
  },
})
