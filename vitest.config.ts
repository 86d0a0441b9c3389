import { defineConfig } from 'vitest/config';
import { sharedLayers, skipsTemporal } from './test/support/layers.ts';

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

// One running stack for all its files, which kill parts of it: one after the other, and after all other layers.
const wholeStack = {
  test: {
    ...layer('e2e').test,
    globalSetup: ['test/e2e/global-setup.ts'],
    fileParallelism: false,
    sequence: { groupOrder: 1 },
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
};

// Kills processes of a product of its own under load: after everything else, which it would slow down.
const campaign = {
  test: { ...layer('campaign').test, fileParallelism: false, sequence: { groupOrder: 2 } },
};

export default defineConfig({
  test: {
    // One PostgreSQL and one Temporal server a run, only when a layer that needs them is selected.
    globalSetup: ['test/support/global-setup.ts'],
    projects: [...sharedLayers().map(layer), ...(skipsTemporal() ? [] : [wholeStack]), campaign],
  },
});
