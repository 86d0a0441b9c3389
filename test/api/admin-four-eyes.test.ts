import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { raiseException } from '../../db/exceptions.ts';
import { adjustment, freshKey } from '../support/admin-samples.ts';
import { aCard, type MadeCard, topUp } from '../support/builders.ts';
import { aPurchase } from '../support/card-traffic.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';

let api: ApiHarness;
let asking: TestOperator;
let second: TestOperator;
let platformAsking: TestOperator;
let platformSecond: TestOperator;

beforeAll(async () => {
  api = await startApi();
  asking = await anOperator(api, { role: 'Manager', partner: 'demo' });
  second = await anOperator(api, { role: 'Admin', partner: 'demo' });
  platformAsking = await anOperator(api, { role: 'Admin' });
  platformSecond = await anOperator(api, { role: 'Admin' });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const send = (as: TestOperator, method: string, path: string, body?: object) =>
  adminCall(api, method, path, as, { headers: freshKey(), ...(body === undefined ? {} : { body }) });

const approve = (as: TestOperator, asked: HttpAnswer) =>
  send(as, 'POST', `/admin/approvals/${asked.body.approvalId}/approve`, {});

const postedOn = async (balanceId: string): Promise<number> =>
  (await send(asking, 'GET', `/admin/balances/${balanceId}`)).body.amount;

async function aPaidCard(): Promise<MadeCard & { readonly transactionId: string }> {
  const card = await aCard(api);
  await topUp(api, card, 10_000);
  const { processor_card_id: processorCardId } = await api.owner
    .selectFrom('cards')
    .select('processor_card_id')
    .where('card_id', '=', card.cardId)
    .executeTakeFirstOrThrow();
  const bought = await api.call('POST', '/processor/authorizations', {
    as: 'processor',
    body: aPurchase({ ...card, processorCardId: processorCardId ?? '' }, 500),
  });
  return { ...card, transactionId: bought.body.id };
}

describe('what takes two', () => {
  it('an adjustment moves money only when another operator approves it', async () => {
    const card = await aPaidCard();
    const asked = await send(asking, 'POST', '/admin/adjustments', adjustment(card));
    expect([asked.status, asked.body.state, asked.body.summary]).toEqual([202, 'PENDING', 'Credit 0.25 EUR']);
    expect(await postedOn(card.balanceId)).toBe(10_000);
    const same = await approve(asking, asked);
    expect([same.status, same.body.title]).toEqual([403, 'SAME_PERSON']);
    const done = await approve(second, asked);
    expect([done.status, done.body.state, done.body.answer.amount]).toEqual([200, 'APPROVED', 25]);
    expect(await postedOn(card.balanceId)).toBe(10_025);
    const again = await approve(second, asked);
    expect([again.status, again.body.title]).toEqual([409, 'STATE_CONFLICT']);
    expect(await postedOn(card.balanceId)).toBe(10_025);
  });

  it('a debit that is not covered is refused to the first, not asked of the second', async () => {
    const card = await aPaidCard();
    const body = { ...adjustment(card), category: 'DEBIT', amount: 1_000_000 };
    const asked = await send(asking, 'POST', '/admin/adjustments', body);
    expect([asked.status, asked.body.title]).toEqual([422, 'INSUFFICIENT_FUNDS']);
  });

  it('a top-up by an operator draws on the partner balance like the partner’s own', async () => {
    const card = await aPaidCard();
    const path = `/admin/balances/${card.balanceId}/reload`;
    const done = await approve(second, await send(asking, 'POST', path, { amount: 300 }));
    expect([done.status, done.body.answer.type]).toEqual([200, 'topUp']);
    expect(await postedOn(card.balanceId)).toBe(10_300);
  });

  it('a hold is handed to its workflow once, with the one who asked', async () => {
    const { transactionId } = await aPaidCard();
    const path = `/admin/holds/${transactionId}/release`;
    const asked = await send(asking, 'POST', path, { reason: 'asked by the merchant' });
    const starts = () =>
      api.owner
        .selectFrom('outbox')
        .select('data')
        .where('kind', '=', 'hold-release')
        .where('subject_id', 'like', `hold-release:${transactionId}:%`)
        .execute();
    expect(await starts()).toEqual([]);
    expect((await approve(second, asked)).status).toBe(200);
    expect(await starts()).toMatchObject([{ data: { transactionId, operatorId: asking.operatorId } }]);
  });

  it('an exception is resolved by both, and money with it', async () => {
    const { transactionId, balanceId } = await aPaidCard();
    const { partner_id: partnerId } = await api.owner
      .selectFrom('transactions')
      .select('partner_id')
      .where('id', '=', transactionId)
      .executeTakeFirstOrThrow();
    const system = {
      partnerId: null,
      actor: { type: 'SYSTEM', id: 'test' },
      requestId: 'test',
      ip: null,
    } as const;
    const exceptionId = await atomically(api.services.engine, system, (trx) =>
      raiseException(trx, { kind: 'FORCE_POST', values: {}, partnerId, transactionId, recordId: null }),
    );
    const path = `/admin/exceptions/${exceptionId}`;
    expect((await send(asking, 'POST', `${path}/claim`)).status).toBe(204);
    const body = { resolution: 'ADJUST', note: 'charged wrongly', amount: 40 };
    const done = await approve(second, await send(asking, 'POST', `${path}/resolve`, body));
    expect([done.status, done.body.answer?.state]).toEqual([200, 'RESOLVED']);
    expect(await postedOn(balanceId)).toBe(10_040);
    const read = await send(second, 'GET', path);
    expect(read.body).toMatchObject({ resolution: 'ADJUST', resolvedBy: asking.operatorId });
  });

  it('a prefund is booked once for each reference of the bank', async () => {
    const programmeId = api.demo.programmes['sandbox']?.id ?? '';
    const found = await send(asking, 'GET', `/admin/partner-balances?programmeId=${programmeId}&kind=credit`);
    const { id, amount } = found.body.items[0];
    const path = `/admin/partner-balances/${id}/transactions`;
    const body = { type: 'collateralCredit', amount: 70, currency: 'EUR', transactionId: 'bank-70' };
    const done = await approve(platformSecond, await send(platformAsking, 'POST', path, body));
    expect(done.status).toBe(200);
    expect((await send(asking, 'GET', `/admin/partner-balances/${id}`)).body.amount).toBe(amount + 70);
    const twice = await send(platformAsking, 'POST', path, body);
    expect([twice.status, twice.body.title]).toEqual([409, 'DUPLICATE_BANK_REFERENCE']);
    expect((await send(asking, 'POST', path, body)).status).toBe(404);
    const manager = await anOperator(api, { role: 'Manager' });
    for (const to of [path, path.replace('transactions', 'reload')]) {
      const refused = await send(manager, 'POST', to, body);
      expect([refused.status, refused.body.title]).toEqual([403, 'FORBIDDEN']);
    }
    const next = await send(platformAsking, 'POST', path, { ...body, transactionId: 'bank-71' });
    const decided = await approve(manager, next);
    expect([decided.status, decided.body.title]).toEqual([403, 'FORBIDDEN']);
  });

  it('limits of a programme change when a second Admin agrees', async () => {
    const third = await anOperator(api, { role: 'Admin', partner: 'demo' });
    const programmeId = api.demo.programmes['sandbox']?.id ?? '';
    const path = `/admin/programmes/${programmeId}/limits`;
    const before = (await send(second, 'GET', path)).body;
    const asked = await send(second, 'PUT', path, { ...before, perTransactionMinor: 900_000 });
    expect(asked.status).toBe(202);
    expect((await send(second, 'GET', path)).body).toEqual(before);
    expect((await approve(third, asked)).status).toBe(200);
    expect((await send(second, 'GET', path)).body.perTransactionMinor).toBe(900_000);
  });

  it("limits of a product wait beside those of another partner's product of the same configId", async () => {
    const configId = '0019167984';
    await sql`
      insert into card_products overriding system value
      select (jsonb_populate_record(p, jsonb_build_object('product_id', p.product_id + 10000,
        'programme_id', other.programme_id, 'partner_id', other.partner_id))).*
      from card_products p join programmes own using (programme_id),
        programmes other where own.issuer_code = 'sandbox' and other.issuer_code = 'other'
        and p.config_id = ${configId}`.execute(api.owner);
    const foreign = await anOperator(api, { role: 'Admin', partner: 'other' });
    const limits = { perTransactionMinor: 60_000 };
    const path = `/admin/card-products/${configId}/limits`;
    const named = `${path}?programmeId=${api.demo.programmes['sandbox']?.id}`;
    const asked = await send(second, 'PUT', named, limits);
    expect(asked.status).toBe(202);
    expect((await send(foreign, 'PUT', path, limits)).status).toBe(202);
    const again = await send(second, 'PUT', path, limits);
    expect([again.status, again.body.title]).toEqual([409, 'APPROVAL_PENDING']);
    const byPlatform = await send(platformSecond, 'PUT', named, limits);
    expect([byPlatform.status, byPlatform.body.title]).toEqual([409, 'APPROVAL_PENDING']);
  });

  it('a partner is added, changed at its version and suspended: its certificates stop within five seconds', async () => {
    const third = await anOperator(api, { role: 'Admin' });
    const wanted = { code: 'new-one', name: 'New', legalName: 'New One Ltd' };
    const made = await approve(third, await send(platformSecond, 'POST', '/admin/partners', wanted));
    expect([made.status, made.body.answer.code, made.body.answer.version]).toEqual([200, 'new-one', 1]);
    const taken = await send(platformSecond, 'POST', '/admin/partners', wanted);
    expect([taken.status, taken.body.title]).toEqual([409, 'CODE_TAKEN']);

    const { partnerId, code: _code, state: _state, ...values } = made.body.answer;
    const path = `/admin/partners/${partnerId}`;
    const change = { ...values, name: 'Newer' };
    const changed = await approve(third, await send(platformSecond, 'PUT', path, change));
    expect([changed.body.answer.name, changed.body.answer.version]).toEqual(['Newer', 2]);
    const late = await send(platformSecond, 'PUT', path, change);
    expect([late.status, late.body.title]).toEqual([409, 'VERSION_CONFLICT']);

    const found = await send(third, 'GET', '/admin/partners');
    const other = found.body.items.find((one: { code: string }) => one.code === 'other');
    const call = () => api.call('GET', '/secure/partner-balances', { as: 'other' });
    expect((await call()).status).toBe(200);
    const body = { reason: 'asked by the sponsor' };
    const suspend = await send(platformSecond, 'POST', `/admin/partners/${other.partnerId}/suspend`, body);
    expect((await call()).status).toBe(200);
    expect((await approve(third, suspend)).status).toBe(200);
    const deadline = Date.now() + 5_000;
    while ((await call()).body.title !== 'PARTNER_SUSPENDED') expect(Date.now()).toBeLessThan(deadline);
    const resume = await send(platformSecond, 'POST', `/admin/partners/${other.partnerId}/resume`, body);
    expect((await approve(third, resume)).body.answer.state).toBe('ACTIVE');
  });
});
