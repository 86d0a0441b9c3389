import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endUnclaimedCards } from '../../activities/processor/unclaimed-cards.ts';
import {
  aBalance,
  aCorporation,
  aCustomer,
  anEmployee,
  aPerson,
  encrypted,
  openAnswer,
} from '../support/builders.ts';
import { aPurchase, read } from '../support/card-traffic.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(() => api.stop());

const NOBODY = '11111111-1111-4111-8111-111111111111';
const sandbox = { 'Issuer-Code': 'sandbox' };

const titleOf = (answer: HttpAnswer) => [answer.status, answer.body?.title];

const lifecycle = (method: string, path: string, body?: object) =>
  api.call(method, `/lifecycle/v1${path}`, { headers: sandbox, ...(body === undefined ? {} : { body }) });

const openBalance = (dcCorporationId: string, currency = 'EUR') =>
  api.call('POST', '/secure/balances', { body: { currency, dcCorporationId } });

const reload = (balanceId: string, amount = 5_000) =>
  api.call('POST', `/secure/balances/${balanceId}/reload`, {
    headers: { 'X-Idempotency-Key': randomUUID() },
    body: { amount },
  });

const order = (body: object, path = '/secure/cards/virtual') =>
  api.call('POST', path, {
    headers: encrypted,
    body: { configId: api.demo.programmes['sandbox']?.configIds['virtual'], ...body },
  });

async function aCompanyWithBalance() {
  const dcCorporationId = await aCorporation(api);
  const opened = await openBalance(dcCorporationId);
  expect(opened.status).toBe(201);
  return { dcCorporationId, balanceId: opened.body.id as string };
}

const put = (table: 'corporations', id: string, values: object) =>
  api.owner.updateTable(table).set(values).where('corporation_id', '=', id).execute();

describe('the balance of a corporation', () => {
  it('opens at zero, is listed by its owner, and takes and gives money like any other', async () => {
    const { dcCorporationId, balanceId } = await aCompanyWithBalance();
    const list = await api.call('GET', `/secure/balances?dcCorporationId=${dcCorporationId}`);
    expect(list.body.items).toEqual([
      expect.objectContaining({ id: balanceId, customerId: null, dcCorporationId, amount: 0 }),
    ]);
    const posted = await reload(balanceId);
    expect([posted.status, posted.body.dcCorporationId]).toEqual([201, dcCorporationId]);
    const fee = await api.call('POST', '/secure/transactions', {
      headers: { 'X-Idempotency-Key': randomUUID() },
      body: { balanceId, type: 'fee', amount: 500, currency: 'EUR', transactionId: 'fee-1' },
    });
    expect(fee.status).toBe(201);
    expect((await api.call('GET', `/secure/balances/${balanceId}`)).body.amount).toBe(4_500);
  });

  it.each<[string, object, string]>([
    ['locked', { state: 'LOCKED' }, 'CORPORATION_NOT_ACTIVE'],
    ['deleted', { state: 'DELETED' }, 'CORPORATION_NOT_ACTIVE'],
    ['not verified', { kyb: 'NOT_STARTED' }, 'KYB_REQUIRED'],
    ['under a transactional lock', { transactional_locks: 1 }, 'TRANSACTIONAL_LOCK'],
  ])('422: not for one that is %s', async (_what, values, title) => {
    const dcCorporationId = await aCorporation(api);
    await put('corporations', dcCorporationId, values);
    expect(titleOf(await openBalance(dcCorporationId))).toEqual([422, title]);
  });

  it('422 a currency that is not enabled; 404 an owner that is not there; 400 two owners', async () => {
    const dcCorporationId = await aCorporation(api);
    expect(titleOf(await openBalance(dcCorporationId, 'JPY'))).toEqual([422, 'CURRENCY_NOT_SUPPORTED']);
    expect(titleOf(await openBalance(NOBODY))).toEqual([404, 'CORPORATION_NOT_FOUND']);
    const both = { currency: 'EUR', dcCorporationId, dcUserId: 1 };
    expect((await api.call('POST', '/secure/balances', { body: both })).status).toBe(400);
    expect(titleOf(await api.call('GET', `/secure/balances?dcCorporationId=${NOBODY}`))).toEqual([
      404,
      'CORPORATION_NOT_FOUND',
    ]);
  });

  it.each<[string, object, string, string]>([
    ['locked', { state: 'LOCKED' }, 'CUSTOMER_NOT_FOUND', 'CORPORATION_LOCKED'],
    ['no longer verified', { kyb: 'FAILED' }, 'AML_EXCEPTION', 'KYC_NOT_COMPLETE'],
    ['under a transactional lock', { transactional_locks: 1 }, 'AML_EXCEPTION', 'TRANSACTIONAL_LOCK'],
  ])('takes no posting while its owner is %s, and records why', async (_what, values, title, reason) => {
    const { dcCorporationId, balanceId } = await aCompanyWithBalance();
    await put('corporations', dcCorporationId, values);
    expect(titleOf(await reload(balanceId))).toEqual([422, title]);
    const row = await api.owner
      .selectFrom('transactions')
      .select(['reason', 'corporation_id'])
      .where('balance_id', '=', balanceId)
      .executeTakeFirstOrThrow();
    expect(row).toEqual({ reason, corporation_id: dcCorporationId });
  });
});

describe('a virtual card of a corporation', () => {
  it('pays for its employee, and shows the person, the company and the name', async () => {
    const { dcCorporationId, balanceId } = await aCompanyWithBalance();
    const { employeeId, userId: dcUserId } = await anEmployee(api, dcCorporationId);
    await reload(balanceId);
    const made = await order({ balanceId, dcCorporationId, dcUserId, holderName: 'ADA OF WORKS' });
    expect(made.status).toBe(201);
    const card = await openAnswer(made);
    expect(card).toMatchObject({ dcCorporationId, dcUserId, balanceId, holderName: 'ADA OF WORKS' });
    const ofEmployee = await lifecycle(
      'GET',
      `/corporations/${dcCorporationId}/employees/${employeeId}/cards`,
    );
    const ofCompany = await api.call('GET', `/secure/cards?dcCorporationId=${dcCorporationId}`);
    for (const list of [ofEmployee, ofCompany]) {
      expect(list.body.items.map((one: { id: number }) => one.id)).toEqual([card['id']]);
      expect(list.text).not.toContain(String(card['cardNo']));
    }
    const { processor_card_id: processorCardId } = await api.owner
      .selectFrom('cards')
      .select('processor_card_id')
      .where('card_id', '=', card['id'] as number)
      .executeTakeFirstOrThrow();
    const pay = async () => {
      const answer = await api.call('POST', '/processor/authorizations', {
        as: 'processor',
        body: aPurchase(
          {
            cardId: card['id'] as number,
            processorCardId: processorCardId ?? '',
            balanceId,
            customerId: dcUserId,
          },
          100,
        ),
      });
      return read({ answer: answer.text }).reason ?? 'APPROVED';
    };
    expect(await pay()).toBe('APPROVED');
    await lifecycle('POST', `/corporations/${dcCorporationId}/lock`);
    expect(await pay()).toBe('CORPORATION_LOCKED');
    await lifecycle('POST', `/corporations/${dcCorporationId}/unlock`);
    await lifecycle('DELETE', `/corporations/${dcCorporationId}/employees/${employeeId}`);
    expect(await pay()).toBe('CARD_LOCKED_5');
    const shown = await lifecycle('GET', `/cards/${String(card['id'])}`);
    expect(shown.body).toMatchObject({ state: 'LOCKED', lock: { code: 5, irreversible: true } });
  });

  it('needs no person: it is then in the name of the company', async () => {
    const { dcCorporationId, balanceId } = await aCompanyWithBalance();
    const card = await openAnswer(
      await order({ balanceId, dcCorporationId, dcUserId: null, holderName: 'WORKS FLEET' }),
    );
    expect(card).toMatchObject({ dcCorporationId, dcUserId: null, holderName: 'WORKS FLEET' });
  });

  it('takes the user of the path for the employee', async () => {
    const { dcCorporationId, balanceId } = await aCompanyWithBalance();
    const { userId } = await anEmployee(api, dcCorporationId);
    const made = await order({ balanceId, dcCorporationId }, `/secure/customers/${userId}/cards/virtual`);
    expect((await openAnswer(made))['dcUserId']).toBe(userId);
  });

  it.each<[string, object, string]>([
    ['locked', { state: 'LOCKED' }, 'CORPORATION_NOT_ACTIVE'],
    ['not verified', { kyb: 'IN_PROGRESS' }, 'KYB_REQUIRED'],
    ['under a transactional lock', { transactional_locks: 1 }, 'TRANSACTIONAL_LOCK'],
  ])('422: not from one that is %s', async (_what, values, title) => {
    const owned = await aCompanyWithBalance();
    await put('corporations', owned.dcCorporationId, values);
    expect(titleOf(await order(owned))).toEqual([422, title]);
  });

  it('422 USER_NOT_IN_CORPORATION for strangers, suspended and removed ones', async () => {
    const owned = await aCompanyWithBalance();
    const { employeeId, userId: dcUserId } = await anEmployee(api, owned.dcCorporationId);
    const path = `/corporations/${owned.dcCorporationId}/employees/${employeeId}`;
    const refused = [422, 'USER_NOT_IN_CORPORATION'];
    expect(titleOf(await order({ ...owned, dcUserId: await aCustomer(api) }))).toEqual(refused);
    await lifecycle('PUT', path, { state: 'SUSPENDED' });
    expect(titleOf(await order({ ...owned, dcUserId }))).toEqual(refused);
    await lifecycle('DELETE', path);
    expect(titleOf(await order({ ...owned, dcUserId }))).toEqual(refused);
  });

  it('404 balances of others, both ways, and a corporation that is not there', async () => {
    const owned = await aCompanyWithBalance();
    const { userId: dcUserId } = await anEmployee(api, owned.dcCorporationId);
    const balanceId = await aBalance(api, dcUserId);
    const refused = [404, 'BALANCE_NOT_FOUND'];
    expect(titleOf(await order({ ...owned, dcUserId, balanceId }))).toEqual(refused);
    expect(titleOf(await order({ balanceId: owned.balanceId, dcUserId }))).toEqual(refused);
    expect(titleOf(await order({ ...owned, dcCorporationId: NOBODY }))).toEqual([
      404,
      'CORPORATION_NOT_FOUND',
    ]);
  });

  it('of an employee without kyc: KYC_REQUIRED, unless the programme waives it and they are screened', async () => {
    const owned = await aCompanyWithBalance();
    const hire = (changes: object = {}) =>
      anEmployee(api, owned.dcCorporationId, { user: aPerson({ kyc: 'NOT_STARTED', ...changes }) });
    const setting = (value: 'required' | 'waived') =>
      api.owner
        .updateTable('programmes')
        .set({ corporate_holder_kyc: value })
        .where('issuer_code', '=', 'sandbox')
        .execute();
    const screeningsOf = (employeeId: string) =>
      api.owner
        .selectFrom('outbox')
        .select('kind')
        .where('subject_id', '=', `employee-screening:${employeeId}`)
        .execute();
    const early = await hire();
    expect(await screeningsOf(early.employeeId)).toEqual([]);
    expect(titleOf(await order({ ...owned, dcUserId: early.userId }))).toEqual([422, 'KYC_REQUIRED']);
    await setting('waived');
    try {
      const { userId: dcUserId, employeeId } = await hire();
      expect((await screeningsOf(employeeId)).map((row) => row.kind)).toEqual(['employee-screening']);
      expect(await screeningsOf((await hire({ kyc: 'SUCCESS' })).employeeId)).toEqual([]);
      expect(titleOf(await order({ ...owned, dcUserId }))).toEqual([422, 'KYC_REQUIRED']);
      const screened = { screened_at: new Date() };
      await api.owner.updateTable('customers').set(screened).where('customer_id', '=', dcUserId).execute();
      expect((await order({ ...owned, dcUserId })).status).toBe(201);
    } finally {
      await setting('required');
    }
  });

  describe('whose processor was silent', () => {
    /** A first call whose answer got lost, and what its key gives now. */
    async function anInterrupted(body: object) {
      await api.processorControl('/simulator/faults', {
        direction: 'fromPlatform',
        message: 'generateVirtualCard',
        kind: 'drop',
        count: 100,
        params: { stage: 'answer' },
      });
      const headers = { ...encrypted, 'X-Idempotency-Key': randomUUID() };
      const again = () =>
        api.call('POST', '/secure/cards/virtual', { headers, body: { configId: '0019167984', ...body } });
      expect(titleOf(await again())).toEqual([503, 'PROCESSOR_UNAVAILABLE']);
      await api.processorControl('/simulator/faults', undefined, 'DELETE');
      return again;
    }

    const cardsOf = (customerId: number) =>
      api.owner
        .selectFrom('cards')
        .select(['base_state', 'failure_reason', 'claimed'])
        .where('customer_id', '=', customerId)
        .execute();

    it('is not given to an employee who was removed meanwhile, nor once they are back', async () => {
      const owned = await aCompanyWithBalance();
      const { employeeId, userId: dcUserId } = await anEmployee(api, owned.dcCorporationId);
      const again = await anInterrupted({ ...owned, dcUserId });
      await lifecycle('DELETE', `/corporations/${owned.dcCorporationId}/employees/${employeeId}`);
      await anEmployee(api, owned.dcCorporationId, { userId: dcUserId });
      const refused = [422, 'USER_NOT_IN_CORPORATION'];
      expect(titleOf(await again())).toEqual(refused);
      expect(titleOf(await again())).toEqual(refused);
      const failed = { base_state: 'PENDING', failure_reason: 'USER_NOT_IN_CORPORATION', claimed: false };
      expect(await cardsOf(dcUserId)).toEqual([failed]);
      await sql`update cards set created_at = created_at - interval '16 minutes'
        where customer_id = ${dcUserId}`.execute(api.owner);
      const { engine, processor } = api.services;
      expect(await endUnclaimedCards(engine, processor)).toBe(1);
      expect(await cardsOf(dcUserId)).toEqual([{ ...failed, base_state: 'FAILED' }]);
    });

    it.each<[string, (userId: number) => Promise<unknown>, [number, string]]>([
      ['locked', (userId) => lifecycle('POST', `/users/${userId}/lock`), [422, 'USER_NOT_ACTIVE']],
      ['deleted', (userId) => lifecycle('DELETE', `/users/${userId}`), [404, 'USER_NOT_FOUND']],
      [
        'under a transactional lock',
        (userId) => lifecycle('POST', `/users/${userId}/transactional-locks`, { lockReason: 'POLICE_LOCK' }),
        [422, 'TRANSACTIONAL_LOCK'],
      ],
    ])('is not given to a user who is %s meanwhile', async (_what, change, refused) => {
      const owned = await aCompanyWithBalance();
      const { userId: dcUserId } = await anEmployee(api, owned.dcCorporationId);
      const again = await anInterrupted({ ...owned, dcUserId });
      await change(dcUserId);
      expect(titleOf(await again())).toEqual(refused);
      expect(await cardsOf(dcUserId)).toEqual([
        { base_state: 'PENDING', failure_reason: refused[1], claimed: false },
      ]);
    });

    it('is given to one who was locked for many cards by this very card', async () => {
      const owned = await aCompanyWithBalance();
      const { userId: dcUserId } = await anEmployee(api, owned.dcCorporationId);
      const threshold = (value: number | null) =>
        api.owner
          .updateTable('programmes')
          .set({ many_cards_threshold: value })
          .where('issuer_code', '=', 'sandbox')
          .execute();
      expect((await order({ ...owned, dcUserId })).status).toBe(201);
      await threshold(1);
      const again = await anInterrupted({ ...owned, dcUserId });
      await threshold(null);
      expect((await again()).status).toBe(201);
    });
  });

  it.each([
    ['user', 'of a corporation'],
    ['corporation', 'of a user'],
  ] as const)(
    '422 CARD_PRODUCT_MISMATCH: a product for holder %s makes no card %s',
    async (holder, _whose) => {
      const owned = await aCompanyWithBalance();
      const product = api.owner.updateTable('card_products').where('kind', '=', 'VIRTUAL');
      await product.set({ holder }).execute();
      const dcUserId = await aCustomer(api);
      const body = holder === 'user' ? owned : { balanceId: await aBalance(api, dcUserId), dcUserId };
      const refused = await order(body);
      await product.set({ holder: 'both' }).execute();
      expect(titleOf(refused)).toEqual([422, 'CARD_PRODUCT_MISMATCH']);
    },
  );
});
