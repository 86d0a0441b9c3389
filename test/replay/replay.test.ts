import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { quietRuntime, testBundle, testDataConverter } from '../support/temporal.ts';
import { RECORDED_NAMESPACE, type RecordedHistory, recordedHistories } from './histories.ts';
import { scenarios } from './scenarios/index.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const histories = recordedHistories();

/** Errors of replaying, by the name of the history. */
async function replay(
  workflowBundle: WorkflowBundle,
  recorded: readonly RecordedHistory[],
): Promise<Map<string, Error>> {
  const options = { workflowBundle, dataConverter: testDataConverter(RECORDED_NAMESPACE) };
  const named = recorded.map(({ name, history }) => ({ workflowId: name, history }));
  const errors = new Map<string, Error>();
  for await (const result of Worker.runReplayHistories(options, named)) {
    if (result.error !== undefined) errors.set(result.workflowId, result.error);
  }
  return errors;
}

beforeAll(() => quietRuntime());

describe('recorded histories', () => {
  it('replay against the workflows as they are', async () => {
    const errors = await replay(await testBundle(), histories);
    expect([...errors].map(([name, error]) => `${name}: ${error.message}`)).toEqual([]);
    // There are more of them with every release.
  }, 120_000);

  it('exist for every path of the table, and for every workflow', () => {
    const names = histories.map((one) => one.name);
    expect(names).toEqual(expect.arrayContaining(scenarios.map((one) => `${one.workflow}.${one.path}`)));
    const helpers = new Set([
      'index.ts',
      'activity-options.ts',
      'keyword.ts',
      'provider-check.ts',
      'stage.ts',
    ]);
    const workflows = readdirSync(path('../../workflows/')).filter((file) => !helpers.has(file));
    const recorded = new Set(histories.map((one) => `${one.workflow}.ts`));
    expect(workflows.filter((file) => !recorded.has(file))).toEqual([]);
  });

  it('hold nothing readable: every payload is encrypted', () => {
    for (const { name, history } of histories) {
      for (const payload of payloadsOf(history)) {
        expect(Buffer.from(payload.encoding, 'base64').toString(), name).toBe('binary/encrypted');
      }
    }
  });

  it('notice a workflow that was changed', async () => {
    const changed = await bundleWorkflows({
      workflowsPath: path('./changed-workflows.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    const touched = histories.filter((one) =>
      ['clearing-file', 'notification-batch', 'notification-delivery', 'processor-instruction'].includes(
        one.workflow,
      ),
    );
    const errors = await replay(changed, touched);
    const unnoticed = touched.filter(({ name }) => !(errors.get(name) instanceof DeterminismViolationError));
    expect(unnoticed.map((one) => one.name)).toEqual([]);
  });
});

/** Payloads of a history, search attributes and marks of patches left out: those are never encrypted. */
function payloadsOf(value: unknown): { encoding: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('markerName' in value && value.markerName === 'core_patch') return [];
  const { metadata } = value as { metadata?: { encoding?: unknown } };
  if (typeof metadata?.encoding === 'string') return [{ encoding: metadata.encoding }];
  return Object.entries(value)
    .filter(([member]) => member !== 'searchAttributes')
    .flatMap(([, inner]) => payloadsOf(inner));
}
