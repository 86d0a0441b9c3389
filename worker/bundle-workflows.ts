import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';
import { failureConverterPath } from '../temporal/data-converter.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Where the image keeps the bundle that was made when it was built. */
export const PREBUILT_PATH = path('../build/workflow-bundle.js');

/** Bundles the workflows with the converter that clients and workers use; about a second. */
export const bundleWorkflows = async (
  options: { readonly workflowsPath?: string; readonly logger?: Logger } = {},
): Promise<{ code: string }> => {
  const { code } = await bundleWorkflowCode({
    workflowsPath: options.workflowsPath ?? path('../workflows/index.ts'),
    failureConverterPath,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return { code };
};

/** The prebuilt bundle in production when there is one, else a fresh one. */
export const loadBundle = async (production: boolean, logger: Logger): Promise<WorkflowBundleOption> =>
  production && existsSync(PREBUILT_PATH) ? { codePath: PREBUILT_PATH } : await bundleWorkflows({ logger });

if (import.meta.main) {
  const { code } = await bundleWorkflows();
  mkdirSync(dirname(PREBUILT_PATH), { recursive: true });
  writeFileSync(PREBUILT_PATH, code);
  process.stdout.write(`${PREBUILT_PATH}\n`);
}
