import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createPartnerControl, type PartnerControl } from '../../cli/demo/partner-control.ts';
import { eventually } from '../../cli/demo/patience.ts';
import { createProcessorControl, type ProcessorControl } from '../../cli/demo/processor-control.ts';
import { readQuickstart } from '../../cli/quickstart.ts';
import { runCardloom } from './cardloom.ts';

const environment = inject('stackEnvironment');
const PURCHASES = 3;

describe('without Temporal', () => {
  let network: ProcessorControl;
  let partnerServer: PartnerControl;
  let cardId: number;
  const ids: string[] = [];

  const told = async () => {
    const notices = await partnerServer.inbox();
    return notices.filter(({ body }) => {
      const transaction = body?.['transaction'] as { id?: string } | undefined;
      return ids.includes(transaction?.id ?? '');
    });
  };

  beforeAll(async () => {
    const quickstart = readQuickstart(inject('stackDataDir'));
    if (quickstart === null) throw new Error('no stack runs');
    network = createProcessorControl(quickstart);
    partnerServer = createPartnerControl(quickstart);
    const demo = await runCardloom(['demo', '--only', 'main', '--json'], environment);
    expect(demo.code, demo.output).toBe(0);
    ({ cardId } = (JSON.parse(demo.output) as { facts: { cardId: number } }).facts);
    const stopped = await runCardloom(['child', 'stop', 'temporal'], environment);
    expect(stopped.code, stopped.errors).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await runCardloom(['child', 'start', 'temporal'], environment);
    await network.close();
    await partnerServer.close();
  });

  it('authorizations are answered as before', async () => {
    for (let count = 0; count < PURCHASES; count += 1) {
      const purchase = await network.purchase(cardId, 1_00);
      expect(purchase.result).toBe('APPROVED');
      if (purchase.id !== null) ids.push(purchase.id);
    }
    expect(new Set(ids).size).toBe(PURCHASES);
    expect(await told()).toEqual([]);
  });

  it('notifications arrive once it is back', async () => {
    const started = await runCardloom(['child', 'start', 'temporal'], environment);
    expect(started.code, started.errors).toBe(0);
    const notices = await eventually(
      'notifications',
      'all',
      told,
      (found) => found.length >= PURCHASES,
      60_000,
    );
    expect(new Set(notices.map((one) => one.key)).size).toBe(PURCHASES);
  }, 90_000);
});
