import { defineConfig } from 'vitest/config';

const layer = (name: string) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // Temporal's native bridge crashes in worker threads.
    pool: 'forks' as const,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { NODE_ENV: 'test' },
  },
});

export default defineConfig({
  test: {
    // One PostgreSQL and one Temporal server a run, only when a layer that needs them is selected.
    globalSetup: ['test/support/global-setup.ts'],
    projects: ['unit', 'cli', 'simulators', 'replay', 'db', 'api', 'workflow', 'e2e'].map(layer),
  },
});
