import { defineConfig } from 'vitest/config';

const layer = (name: string, needs: 'nothing' | 'servers') => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // Temporal's native bridge crashes in worker threads.
    pool: 'forks' as const,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { NODE_ENV: 'test' },
    ...(needs === 'servers' ? { globalSetup: ['test/support/global-setup.ts'] } : {}),
  },
});

export default defineConfig({
  test: {
    projects: [
      layer('unit', 'nothing'),
      layer('cli', 'nothing'),
      layer('simulators', 'nothing'),
      layer('replay', 'nothing'),
      layer('db', 'servers'),
      layer('api', 'servers'),
      layer('workflow', 'servers'),
      layer('e2e', 'servers'),
    ],
  },
});
