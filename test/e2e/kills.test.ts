import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { readBalance } from '../../cli/demo/balances.ts';
import { createPartnerClient, type PartnerClient } from '../../cli/demo/partner-client.ts';
import { readQuickstart } from '../../cli/quickstart.ts';
import { type CommandResult, runCardloom } from './cardloom.ts';
import { childPids, killHard } from './children.ts';

const environment = inject('stackEnvironment');
const dataDir = inject('stackDataDir');

describe('killing processes in the middle of the demo', () => {
  let demo: CommandResult;
  let answered: Answered;
  let partner: PartnerClient;
  const killed: string[] = [];

  beforeAll(async () => {
    const pids = await childPids(environment);
    // Killed while the step after the printed one is under way.
    const afterStep: Record<string, readonly string[]> = { 1: ['worker'], 3: ['api'], 5: ['postgres'] };
    demo = await runCardloom(['demo', '--only', 'main'], environment, (line) => {
      const [, number = ''] = /^ ([1-9]) {2}/.exec(line) ?? [];
      for (const name of afterStep[number] ?? []) {
        killHard(pids, name);
        killed.push(name);
      }
    });
    const quickstart = readQuickstart(dataDir);
    if (quickstart === null) throw new Error(`no stack runs in ${dataDir}`);
    partner = createPartnerClient(quickstart, 'credit');
    answered = answeredIn(demo.output);
  }, 180_000);
  afterAll(() => partner.close());

  it('lets the demo go on by itself', () => {
    expect(killed).toEqual(['worker', 'api', 'postgres']);
    expect(demo, demo.output).toMatchObject({ code: 0 });
  });

  it('loses nothing that was answered', async () => {
    const { userId, balanceId, cardId } = answered;
    const named = z.object({ id: z.int() });
    expect(await partner.get(`/lifecycle/v1/wallet/${userId}`, { answer: named })).toEqual({ id: userId });
    const verification = z.object({ status: z.string() });
    const path = `/secure/customers/${userId}/verification`;
    expect(await partner.get(path, { answer: verification })).toEqual({ status: 'ACCEPTED' });
    expect(await readBalance({ partner }, userId, balanceId)).toMatchObject({ amount: 62_66, heldAmount: 0 });
    const card = await partner.get(`/secure/customers/${userId}/cards/${cardId}`, {
      encrypted: true,
      answer: z.object({ id: z.int(), lastFourDigits: z.string(), cardNo: z.string() }),
    });
    expect(card.id).toBe(cardId);
    expect(card.cardNo.endsWith(card.lastFourDigits)).toBe(true);
  });

  it('leaves a ledger without a difference', async () => {
    const verified = await runCardloom(['verify-ledger'], environment);
    expect(verified, verified.output).toMatchObject({ code: 0 });
  });
});

interface Answered {
  readonly userId: number;
  readonly balanceId: string;
  readonly cardId: number;
}

/** The ids that the demo printed for people. */
const answeredIn = (output: string): Answered => ({
  userId: Number(/ user ([0-9]+)/.exec(output)?.[1]),
  balanceId: / balance ([0-9a-f-]{36})/.exec(output)?.[1] ?? '',
  cardId: Number(/ card ([0-9]+), number/.exec(output)?.[1]),
});
