import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUDGET_PLACE, type LimitDocument, placeOf } from '../../domain/limit.ts';
import { localDay } from '../../domain/limit-periods.ts';
import { aCard, aCustomer, encrypted, type MadeCard, openAnswer } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;
let card: MadeCard;

beforeAll(async () => {
  api = await startApi();
  card = await aCard(api);
});

afterAll(async () => {
  await api.stop();
});

const result = (answer: HttpAnswer) => [answer.status, answer.body.title];
const faultsOf = (answer: HttpAnswer): Record<string, string> =>
  Object.fromEntries(
    answer.body.errors.map((one: { field: string; message: string }) => [one.field, one.message]),
  );

const ofCard = ({ customerId, cardId }: MadeCard) => `/secure/customers/${customerId}/cards/${cardId}/limits`;
const ofCustomer = (customerId: number) => `/secure/customers/${customerId}/limits`;
const put = (path: string, body: unknown, options: CallOptions = {}) =>
  api.call('PUT', path, { ...options, body });
const get = (path: string, options: CallOptions = {}) => api.call('GET', path, options);

const ALL_ON = {
  atm: true,
  ecommerce: true,
  contactless: true,
  magstripe: true,
  foreign: true,
  mccAllow: [],
  mccBlock: [],
  countryAllow: [],
  countryBlock: [],
};

/** The document of the chapter. */
const SAMPLE = {
  limits: [
    { timeUnit: 'daily', type: 'general', amountMinor: 100_000 },
    { timeUnit: 'monthly', type: 'atm', amountMinor: 50_000 },
  ],
  perTransactionMinor: 60_000,
  budget: {
    budgetMinor: 500_000,
    validFrom: '2026-03-01T00:00:00',
    validTo: '2026-12-31T23:59:59',
    timezone: 'Europe/Warsaw',
  },
  controls: { ...ALL_ON, magstripe: false, mccBlock: ['7995'] },
};
const UNUSED = {
  ...SAMPLE,
  limits: SAMPLE.limits.map((cell) => ({ ...cell, consumed: 0, remaining: cell.amountMinor })),
  budget: { ...SAMPLE.budget, consumed: 0, remaining: 500_000 },
};
const NONE = { limits: [], perTransactionMinor: null, budget: null, controls: null };

/** What the card has consumed: 13 amounts and the day of the newest charge. */
async function setConsumed(cardId: number, at: Record<number, number>, on: string): Promise<void> {
  const consumed = Array.from({ length: BUDGET_PLACE + 1 }, (_, place) => at[place] ?? 0);
  await sql`update card_states set consumed = ${consumed}::bigint[], consumed_on = ${on}
    where card_id = ${cardId}`.execute(api.owner);
}

const stateOf = (cardId: number) =>
  api.owner
    .selectFrom('card_states')
    .select(['limits', 'limits_version'])
    .where('card_id', '=', cardId)
    .executeTakeFirstOrThrow();

const auditsOf = (type: string, id: string | number) =>
  api.owner
    .selectFrom('audit_log')
    .selectAll()
    .where('action', '=', 'limit.changed')
    .where('object_type', '=', type)
    .where('object_id', '=', String(id))
    .orderBy('id')
    .execute();

async function withCeilings(
  ceilings: { product?: Partial<LimitDocument>; programme?: Partial<LimitDocument> },
  work: () => Promise<void>,
): Promise<void> {
  const set = async (table: 'card_products' | 'programmes', document?: Partial<LimitDocument>) => {
    const limits = document === undefined ? null : JSON.stringify({ ...NONE, ...document });
    await api.owner.updateTable(table).set({ limits }).execute();
  };
  await set('card_products', ceilings.product);
  await set('programmes', ceilings.programme);
  try {
    await work();
  } finally {
    await set('card_products');
    await set('programmes');
  }
}

describe('limits of a card', () => {
  it('200: none at first, on both path forms', async () => {
    const fresh = await aCard(api);
    const answer = await get(ofCard(fresh));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(NONE);
    expect((await get(`/secure/cards/${fresh.cardId}/limits`)).body).toEqual(NONE);
  });

  it('200: put, answered with their use, and read again', async () => {
    const answer = await put(ofCard(card), SAMPLE);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(UNUSED);
    expect((await get(ofCard(card))).body).toEqual(UNUSED);
    expect((await stateOf(card.cardId)).limits).toEqual(SAMPLE);
  });

  it('200: the whole document is replaced, each time under a new version', async () => {
    const fresh = await aCard(api);
    await put(ofCard(fresh), SAMPLE);
    const before = await stateOf(fresh.cardId);
    const answer = await put(`/secure/cards/${fresh.cardId}/limits`, { perTransactionMinor: 5 });
    expect(answer.body).toEqual({ ...NONE, perTransactionMinor: 5 });
    const after = await stateOf(fresh.cardId);
    expect(after).toEqual({
      limits: { ...NONE, perTransactionMinor: 5 },
      limits_version: before.limits_version + 1,
    });
  });

  it('200: null and absent members clear, and nothing is stored for a document of nothing', async () => {
    const fresh = await aCard(api);
    await put(ofCard(fresh), SAMPLE);
    const answer = await put(ofCard(fresh), { limits: null, perTransactionMinor: null, budget: null });
    expect(answer.body).toEqual(NONE);
    expect((await stateOf(fresh.cardId)).limits).toBeNull();
    await put(ofCard(fresh), SAMPLE);
    expect((await put(ofCard(fresh), {})).body).toEqual(NONE);
  });

  it('200: absent switches are on, codes are read in any case and stand once', async () => {
    const controls = { atm: false, countryBlock: ['prk', 'PRK'], mccAllow: ['5411'] };
    const answer = await put(ofCard(card), { controls });
    expect(answer.body.controls).toEqual({
      ...ALL_ON,
      atm: false,
      countryBlock: ['PRK'],
      mccAllow: ['5411'],
    });
  });

  it('200: words are read without regard to case', async () => {
    const answer = await put(ofCard(card), {
      limits: [{ timeUnit: 'DAILY', type: 'Foreign_Amount', amountMinor: 0 }],
    });
    expect(answer.body.limits).toEqual([
      { timeUnit: 'daily', type: 'foreign_amount', amountMinor: 0, consumed: 0, remaining: 0 },
    ]);
  });

  it('200: what was consumed is shown as it counts today, and no put changes it', async () => {
    const fresh = await aCard(api);
    await put(ofCard(fresh), SAMPLE);
    const today = localDay(Date.now(), 'Europe/Warsaw');
    const used = { [placeOf('general', 'daily')]: 40_000, [placeOf('atm', 'monthly')]: 60_000 };
    await setConsumed(fresh.cardId, { ...used, [BUDGET_PLACE]: 123 }, today);
    const cells = (answer: HttpAnswer) =>
      answer.body.limits.map((cell: { consumed: number; remaining: number }) => [
        cell.consumed,
        cell.remaining,
      ]);
    const answer = await put(ofCard(fresh), SAMPLE);
    expect(cells(answer)).toEqual([
      [40_000, 60_000],
      [60_000, 0],
    ]);
    expect(answer.body.budget).toMatchObject({ consumed: 123, remaining: 499_877 });

    await setConsumed(fresh.cardId, { ...used, [BUDGET_PLACE]: 123 }, '2020-02-29');
    const later = await get(ofCard(fresh));
    expect(cells(later)).toEqual([
      [0, 100_000],
      [0, 50_000],
    ]);
    expect(later.body.budget).toMatchObject({ consumed: 123, remaining: 499_877 });
  });

  it('counts days in the zone of the programme, and in that of the budget where there is one', async () => {
    const fresh = await aCard(api);
    // These two zones are 25 or 26 hours apart: they never have the same day.
    const [first, last] = ['Pacific/Kiritimati', 'Pacific/Niue'];
    await api.owner.updateTable('programmes').set({ timezone: last }).execute();
    const limits = [{ timeUnit: 'daily', type: 'general', amountMinor: 100 }];
    await put(ofCard(fresh), { limits });
    await setConsumed(fresh.cardId, { 0: 70 }, localDay(Date.now(), last));
    const consumed = async () => (await get(ofCard(fresh))).body.limits[0].consumed;
    expect(await consumed()).toBe(70);
    await put(ofCard(fresh), { limits, budget: { ...SAMPLE.budget, timezone: first } });
    expect(await consumed()).toBe(0);
    await api.owner.updateTable('programmes').set({ timezone: 'UTC' }).execute();
  });

  it('leaves an audit row with both documents', async () => {
    const fresh = await aCard(api);
    await put(ofCard(fresh), { perTransactionMinor: 5 });
    await put(ofCard(fresh), SAMPLE);
    const rows = await auditsOf('card', fresh.cardId);
    expect(rows.map((row) => [row.before, row.after])).toEqual([
      [NONE, { ...NONE, perTransactionMinor: 5 }],
      [{ ...NONE, perTransactionMinor: 5 }, SAMPLE],
    ]);
    expect(rows[0]).toMatchObject({ actor_type: 'PARTNER', result: 'OK' });
  });

  it('tells nobody: no outbox row', async () => {
    const rows = () => api.owner.selectFrom('outbox').select('id').execute();
    const before = await rows();
    await put(ofCard(card), SAMPLE);
    expect(await rows()).toEqual(before);
  });

  it('200 again: the same key gives the same answer and no second version', async () => {
    const fresh = await aCard(api);
    const headers = { 'X-Idempotency-Key': `limits-${fresh.cardId}` };
    const first = await put(ofCard(fresh), SAMPLE, { headers });
    const again = await put(ofCard(fresh), SAMPLE, { headers });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await auditsOf('card', fresh.cardId)).toHaveLength(1);
    expect(result(await put(ofCard(fresh), {}, { headers }))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('200: encrypted for who asks', async () => {
    await put(ofCard(card), SAMPLE);
    expect(await openAnswer(await get(ofCard(card), { headers: encrypted }))).toEqual(UNUSED);
  });
});

describe('a limit document that is refused', () => {
  const CELL = { timeUnit: 'daily', type: 'general', amountMinor: 1 };
  const BUDGET = SAMPLE.budget;

  it.each([
    [{ limits: {} }, 'limits'],
    [{ limits: [{ ...CELL, amountMinor: -1 }] }, 'limits.0.amountMinor'],
    [{ limits: [{ ...CELL, amountMinor: 1.5 }] }, 'limits.0.amountMinor'],
    [{ limits: [{ ...CELL, amountMinor: '1' }] }, 'limits.0.amountMinor'],
    [{ limits: [{ ...CELL, amountMinor: 2 ** 53 }] }, 'limits.0.amountMinor'],
    [{ limits: [{ ...CELL, timeUnit: 'yearly' }] }, 'limits.0.timeUnit'],
    [{ limits: [{ ...CELL, type: 'cash' }] }, 'limits.0.type'],
    [{ limits: [{ timeUnit: 'daily', type: 'atm' }] }, 'limits.0.amountMinor'],
    [{ limits: [{ ...CELL, consumed: 0 }] }, 'limits.0.consumed'],
    [{ limits: [CELL, { ...CELL, amountMinor: 2 }] }, 'limits.1'],
    [{ perTransactionMinor: 0 }, 'perTransactionMinor'],
    [{ perTransactionMinor: -5 }, 'perTransactionMinor'],
    [{ perTransactionMinor: '5' }, 'perTransactionMinor'],
    [{ budget: { ...BUDGET, budgetMinor: 0 } }, 'budget.budgetMinor'],
    [{ budget: { ...BUDGET, validFrom: '2026-03-01' } }, 'budget.validFrom'],
    [{ budget: { ...BUDGET, validFrom: '2026-03-01T00:00:00Z' } }, 'budget.validFrom'],
    [{ budget: { ...BUDGET, validTo: '2026-02-30T00:00:00' } }, 'budget.validTo'],
    [{ budget: { ...BUDGET, validTo: '2026-12-31T24:00:00' } }, 'budget.validTo'],
    [{ budget: { ...BUDGET, validTo: BUDGET.validFrom } }, 'budget.validTo'],
    [{ budget: { ...BUDGET, timezone: 'Mars/Olympus' } }, 'budget.timezone'],
    [{ budget: { ...BUDGET, timezone: '+01:00' } }, 'budget.timezone'],
    [{ budget: { ...BUDGET, consumed: 0 } }, 'budget.consumed'],
    [{ controls: { atm: 'no' } }, 'controls.atm'],
    [{ controls: { swipe: true } }, 'controls.swipe'],
    [{ controls: { mccBlock: '7995' } }, 'controls.mccBlock'],
    [{ controls: { mccBlock: ['7995', '79'] } }, 'controls.mccBlock.1'],
    [{ controls: { mccAllow: [7995] } }, 'controls.mccAllow.0'],
    [{ controls: { countryAllow: ['PL'] } }, 'controls.countryAllow.0'],
    [{ controls: { countryBlock: ['POL', 'XYZ'] } }, 'controls.countryBlock.1'],
    [
      { controls: { mccBlock: Array.from({ length: 301 }, (_, n) => String(1000 + n)) } },
      'controls.mccBlock',
    ],
    [{ currency: 'EUR' }, 'currency'],
  ])('400 VALIDATION_ERROR: %j', async (body, field) => {
    const before = await stateOf(card.cardId);
    for (const path of [ofCard(card), ofCustomer(card.customerId)]) {
      const answer = await put(path, body);
      expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
      expect(Object.keys(faultsOf(answer))).toEqual([field]);
    }
    expect(await stateOf(card.cardId)).toEqual(before);
  });

  it('400 VALIDATION_ERROR: all faults at once', async () => {
    const answer = await put(ofCard(card), {
      limits: [CELL, CELL],
      budget: { ...BUDGET, validTo: 'soon', timezone: 'here' },
      controls: { mccAllow: ['x'], countryBlock: ['Poland'] },
    });
    expect(Object.keys(faultsOf(answer)).toSorted()).toEqual([
      'budget.timezone',
      'budget.validTo',
      'controls.countryBlock.0',
      'controls.mccAllow.0',
      'limits.1',
    ]);
    expect(answer.text).not.toContain('Poland');
  });

  it.each([[[]], ['text'], [null], [5]])('400: %j is no document', async (body) => {
    const answer = await put(ofCard(card), JSON.stringify(body));
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
  });

  it("404 CARD_NOT_FOUND: nothing, another user's, another partner's, another programme's", async () => {
    const stranger = await aCustomer(api);
    const missing = await get('/secure/cards/999999999/limits');
    expect(result(missing)).toEqual([404, 'CARD_NOT_FOUND']);
    const path = `/secure/cards/${card.cardId}/limits`;
    const before = await stateOf(card.cardId);
    for (const method of ['GET', 'PUT']) {
      const body = method === 'PUT' ? { body: {} } : {};
      const answers = [
        await api.call(method, `/secure/customers/${stranger}/cards/${card.cardId}/limits`, body),
        await api.call(method, path, { ...body, as: 'other' }),
        await api.call(method, path, { ...body, headers: { 'Issuer-Code': 'credit' } }),
      ];
      for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, missing.text]);
    }
    expect(await stateOf(card.cardId)).toEqual(before);
  });

  it('409 STATE_CONFLICT: a removed card keeps its limits to be read', async () => {
    const removed = await aCard(api);
    await put(ofCard(removed), SAMPLE);
    await sql`update card_states set base_state = 'REMOVED' where card_id = ${removed.cardId}`.execute(
      api.owner,
    );
    expect(result(await put(ofCard(removed), {}))).toEqual([409, 'STATE_CONFLICT']);
    expect((await get(ofCard(removed))).body).toEqual(UNUSED);
  });

  it('409 STATE_CONFLICT: a card that the processor refused to make', async () => {
    const failed = await aCard(api);
    await sql`delete from card_states where card_id = ${failed.cardId}`.execute(api.owner);
    await sql`update cards set base_state = 'FAILED' where card_id = ${failed.cardId}`.execute(api.owner);
    expect(result(await put(ofCard(failed), {}))).toEqual([409, 'STATE_CONFLICT']);
    expect(result(await get(ofCard(failed)))).toEqual([409, 'STATE_CONFLICT']);
  });
});

describe('422 LIMIT_ABOVE_CEILING', () => {
  const ceiling: Partial<LimitDocument> = {
    limits: [{ timeUnit: 'daily', type: 'general', amountMinor: 100_000 }],
    perTransactionMinor: 60_000,
  };
  const daily = (amountMinor: number) => ({ limits: [{ timeUnit: 'daily', type: 'general', amountMinor }] });

  it.each([
    ['product', { product: ceiling }],
    ['programme', { programme: ceiling }],
  ])('a card above its %s, and nothing changes', async (_name, ceilings) => {
    await withCeilings(ceilings, async () => {
      const before = await stateOf(card.cardId);
      const cell = await put(ofCard(card), daily(100_001));
      expect(result(cell)).toEqual([422, 'LIMIT_ABOVE_CEILING']);
      expect(Object.keys(faultsOf(cell))).toEqual(['limits.0.amountMinor']);
      const once = await put(ofCard(card), { perTransactionMinor: 60_001 });
      expect(Object.keys(faultsOf(once))).toEqual(['perTransactionMinor']);
      expect(await stateOf(card.cardId)).toEqual(before);
      expect((await put(ofCard(card), { ...daily(100_000), perTransactionMinor: 60_000 })).status).toBe(200);
    });
  });

  it('compares cells of one unit and type only; a cell of the ceiling alone is not in the way', async () => {
    await withCeilings(
      { product: ceiling, programme: daily(500_000) as Partial<LimitDocument> },
      async () => {
        const others = [
          { timeUnit: 'weekly', type: 'general', amountMinor: 900_000 },
          { timeUnit: 'daily', type: 'atm', amountMinor: 900_000 },
        ];
        expect((await put(ofCard(card), { limits: others })).status).toBe(200);
        expect((await put(ofCard(card), {})).status).toBe(200);
      },
    );
  });

  it('a customer above the programme, not above a product', async () => {
    await withCeilings({ programme: ceiling }, async () => {
      const answer = await put(ofCustomer(card.customerId), {
        ...daily(100_001),
        perTransactionMinor: 60_001,
      });
      expect(result(answer)).toEqual([422, 'LIMIT_ABOVE_CEILING']);
      expect(Object.keys(faultsOf(answer))).toEqual(['limits.0.amountMinor', 'perTransactionMinor']);
    });
    await withCeilings({ product: ceiling }, async () => {
      expect((await put(ofCustomer(card.customerId), daily(100_001))).status).toBe(200);
    });
  });
});

describe('limits of a customer', () => {
  const rowOf = (customerId: number) =>
    api.owner
      .selectFrom('customer_limits')
      .selectAll()
      .where('customer_id', '=', customerId)
      .executeTakeFirst();

  it('200: none at first, and reading leaves no row', async () => {
    const customerId = await aCustomer(api);
    expect((await get(ofCustomer(customerId))).body).toEqual(NONE);
    expect(await rowOf(customerId)).toBeUndefined();
  });

  it('200: put, replaced and cleared, each under a new version', async () => {
    const customerId = await aCustomer(api);
    expect((await put(ofCustomer(customerId), SAMPLE)).body).toEqual(UNUSED);
    expect((await get(ofCustomer(customerId))).body).toEqual(UNUSED);
    expect(await rowOf(customerId)).toMatchObject({ limits: SAMPLE, limits_version: 1 });
    expect((await put(ofCustomer(customerId), {})).body).toEqual(NONE);
    expect(await rowOf(customerId)).toMatchObject({ limits: NONE, limits_version: 2 });
    const rows = await auditsOf('customer', customerId);
    expect(rows.map((row) => [row.before, row.after])).toEqual([
      [NONE, SAMPLE],
      [SAMPLE, NONE],
    ]);
  });

  it('200: two first puts at once leave one row with two versions', async () => {
    const customerId = await aCustomer(api);
    const answers = await Promise.all(
      [1, 2].map((n) => put(ofCustomer(customerId), { perTransactionMinor: n })),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(await rowOf(customerId)).toMatchObject({ limits_version: 2 });
  });

  it('200: with what the customer consumed', async () => {
    const customerId = await aCustomer(api);
    await put(ofCustomer(customerId), SAMPLE);
    const consumed = Array.from({ length: BUDGET_PLACE + 1 }, () => 7);
    await sql`update customer_limits set consumed = ${consumed}::bigint[],
      consumed_on = ${localDay(Date.now(), 'Europe/Warsaw')} where customer_id = ${customerId}`.execute(
      api.owner,
    );
    const answer = await get(ofCustomer(customerId));
    expect(answer.body.limits[0]).toMatchObject({ consumed: 7, remaining: 99_993 });
    expect(answer.body.budget).toMatchObject({ consumed: 7, remaining: 499_993 });
  });

  it('404 USER_NOT_FOUND: nobody, and a user of another partner, in the same words', async () => {
    const foreignId = await aCustomer(api, 'other');
    for (const method of ['GET', 'PUT']) {
      const body = method === 'PUT' ? { body: SAMPLE } : {};
      const nobody = await api.call(method, ofCustomer(999_999_999), body);
      const foreign = await api.call(method, ofCustomer(foreignId), body);
      expect(result(nobody)).toEqual([404, 'USER_NOT_FOUND']);
      expect(foreign.text).toBe(nobody.text);
    }
    expect(await rowOf(foreignId)).toBeUndefined();
  });
});
