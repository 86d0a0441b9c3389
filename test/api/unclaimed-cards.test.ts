import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endUnclaimedCards } from '../../activities/processor/unclaimed-cards.ts';
import { aBalance, aCustomer, encrypted } from '../support/builders.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  await api.stop();
});

describe('a card whose caller never came back', () => {
  it('is locked at the processor after 15 minutes and never shown', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    await api.processorControl('/simulator/faults', {
      direction: 'fromPlatform',
      message: 'generateVirtualCard',
      kind: 'drop',
      count: 100,
      params: { stage: 'answer' },
    });
    const silent = await api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
      headers: { ...encrypted, 'X-Idempotency-Key': 'never-again' },
      body: { balanceId, configId: '0019167984' },
    });
    expect([silent.status, silent.body.title]).toEqual([503, 'PROCESSOR_UNAVAILABLE']);
    await api.processorControl('/simulator/faults', undefined, 'DELETE');
    const { engine, processor } = api.services;
    expect(await endUnclaimedCards(engine, processor)).toBe(0);

    await sql`update cards set created_at = created_at - interval '16 minutes' where customer_id = ${customerId}`.execute(
      api.owner,
    );
    expect(await endUnclaimedCards(engine, processor)).toBe(1);
    const card = await api.owner
      .selectFrom('cards')
      .select(['card_id', 'base_state', 'failure_reason', 'reference'])
      .where('customer_id', '=', customerId)
      .executeTakeFirstOrThrow();
    expect(card).toMatchObject({ base_state: 'FAILED', failure_reason: 'NOT_CLAIMED' });
    const made = await processor.findCards(card.reference, { deadlineMs: 5_000 });
    expect(made).toMatchObject({
      outcome: 'FOUND',
      cards: [{ status: expect.not.stringMatching(/^ACTIVE$/) }],
    });
    const data = await api.call('GET', `/secure/cards/${card.card_id}`, { headers: encrypted });
    expect([data.status, data.body.title]).toEqual([409, 'CARD_NOT_READY']);
  });
});
