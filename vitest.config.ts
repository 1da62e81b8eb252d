import { defineConfig } from 'vitest/config';

// A file has its own PostgreSQL, Redis and Asterisk where it needs them, and mostly waits: for phones, for time to pass. Left to
// itself vitest keeps a core free, which of two is half the machine.
const SIDE_BY_SIDE = 2;

// One project per tier of docs/testing.md: a tier needs more real parts than the one before it.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'lab/**/*.test.ts'],
          testTimeout: 20_000,
          maxWorkers: SIDE_BY_SIDE,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: SIDE_BY_SIDE,
        },
      },
      { test: { name: 'project', include: ['test/project/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: SIDE_BY_SIDE,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: SIDE_BY_SIDE,
        },
      },
    ],
  },
});
