import type { TestProject } from 'vitest/node';
import { findTemporal } from '../../cli/temporal-binary.ts';
import { startStack } from './stack.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Environment in which `cardloom` finds the stack of this run. */
    stackEnvironment: Record<string, string>;
    stackDataDir: string;
  }
}

/** One whole stack for the layer, on ports and in a data folder of its own; at the end nothing may have leaked. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // On a fresh machine this builds it once, which takes longer than a stack may take to be ready.
  await findTemporal({ environment: process.env, version: '1.5.1', say: (line) => console.log(line) });
  const stack = await startStack();
  project.provide('stackEnvironment', stack.environment);
  project.provide('stackDataDir', stack.dataDir);
  return async () => {
    const scan = await stack.cardloom('leak-scan');
    await stack.stop();
    console.log(`leak scan: ${scan.output.trim()}`);
    if (scan.code !== 0) {
      // A failing teardown alone does not fail the run.
      process.exitCode = 1;
      throw new Error(`leak scan over everything the layer made:\n${scan.output}${scan.errors}`);
    }
  };
}
