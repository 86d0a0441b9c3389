import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aProduct, aProgramme } from '../support/admin-samples.ts';
import { aCompany, aPerson, encrypted } from '../support/builders.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';

let api: ApiHarness;
let first: TestOperator;
let second: TestOperator;
let partnerId: string;

beforeAll(async () => {
  api = await startApi();
  first = await anOperator(api, { role: 'Admin' });
  second = await anOperator(api, { role: 'Admin' });
  partnerId = api.demo.partner.id;
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const send = (method: string, path: string, body?: object, as = first): Promise<HttpAnswer> =>
  adminCall(api, method, path, as, body === undefined ? {} : { body });

/** What a call for two comes to: its refusal, or the answer once the second has approved. */
async function byTwo(method: string, path: string, body: object): Promise<HttpAnswer> {
  const asked = await send(method, path, body);
  if (asked.status !== 202) return asked;
  const done = await send('POST', `/admin/approvals/${asked.body.approvalId}/approve`, {}, second);
  expect(done.status).toBe(200);
  return { ...done, body: done.body.answer };
}

const told = ({ status, body }: HttpAnswer) => [status, body.title];

async function made(more: object = {}) {
  const done = await byTwo('POST', '/admin/programmes', { ...aProgramme(partnerId), ...more });
  expect(done.status).toBe(200);
  // Channels keep programmes for a moment; the database tells them of a new one.
  const limits = `/admin/programmes/${done.body.programmeId}/limits`;
  const deadline = Date.now() + 5_000;
  while ((await send('GET', limits)).status !== 200) expect(Date.now()).toBeLessThan(deadline);
  return done.body;
}

describe('programmes', () => {
  it('nothing is there before the second has approved; then reads show the settings with their defaults', async () => {
    const wanted = { ...aProgramme(partnerId), kycTimings: { providerPollMs: 5_000 }, holdDays: 9 };
    const asked = await send('POST', '/admin/programmes', wanted);
    expect([asked.status, asked.body.kind]).toEqual([202, 'PARTNER_CHANGE']);
    const codes = async () =>
      (await send('GET', `/admin/programmes?partnerId=${partnerId}&limit=200`)).body.items.map(
        (one: { issuerCode: string }) => one.issuerCode,
      );
    expect(await codes()).not.toContain(wanted.issuerCode);
    const path = `/admin/approvals/${asked.body.approvalId}/approve`;
    expect(told(await send('POST', path, {}))).toEqual([403, 'SAME_PERSON']);
    const { answer } = (await send('POST', path, {}, second)).body;
    expect(await codes()).toContain(wanted.issuerCode);
    expect((await send('GET', `/admin/programmes/${answer.programmeId}`)).body).toEqual(answer);
    expect(answer).toEqual({
      ...wanted,
      programmeId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      state: 'ACTIVE',
      sandbox: false,
      enforcePartnerBalance: true,
      sharedAuthorization: false,
      fxMode: 'network',
      currencies: ['EUR'],
      autoCreateBalance: true,
      autoCorporation: false,
      externalKyc: true,
      externalKyb: false,
      corporateHolderKyc: 'required',
      kycProvider: null,
      kycReviewRoles: ['Admin'],
      minAge: 18,
      timezone: 'UTC',
      allowPartialApproval: false,
      enrolment: 'BOTH',
      stepUp: 'REQUIRED',
      sessionMinutes: 10,
      appPinLength: 6,
      manyCardsThreshold: null,
      screeningThreshold: 0.92,
      extraLockReasons: [],
      version: 1,
    });
  });

  it.each([
    [{ balanceHolder: 'external', funding: 'credit' }, 'PROGRAMME_INVALID'],
    [{ balanceHolder: 'external', sharedAuthorization: true }, 'SHARED_AUTHORIZATION_NOT_ALLOWED'],
    [{ currencies: ['PLN'] }, 'PROGRAMME_INVALID'],
    [{ kycMode: 'AUTOMATIC' }, 'PROGRAMME_INVALID'],
    [{ kycMode: 'AUTOMATIC', kycProvider: 'nobody' }, 'PROGRAMME_INVALID'],
  ])('422 for settings that cannot stand together: %j', async (more, title) => {
    expect(told(await send('POST', '/admin/programmes', { ...aProgramme(partnerId), ...more }))).toEqual([
      422,
      title,
    ]);
  });

  it.each([
    ['timezone', 'Mars/Base'],
    ['country', 'XX'],
    ['defaultCurrency', 'XQX'],
    ['issuerCode', 'no blanks'],
    ['kycReviewRoles', ['Manager']],
    ['extraLockReasons', ['lower']],
    ['screeningThreshold', 0.2],
    ['unknown', 1],
    ['state', 'CLOSED'],
  ])('400 names the field that is wrong: %s', async (field, value) => {
    const answer = await send('POST', '/admin/programmes', { ...aProgramme(partnerId), [field]: value });
    expect(told(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors[0].field).toContain(field);
  });

  it('409 ISSUER_CODE_TAKEN for the code of any partner; 404 for a partner that is not there', async () => {
    const taken = { ...aProgramme(partnerId), issuerCode: 'sandbox' };
    expect(told(await send('POST', '/admin/programmes', taken))).toEqual([409, 'ISSUER_CODE_TAKEN']);
    expect(told(await send('POST', '/admin/programmes', aProgramme(randomUUID())))).toEqual([
      404,
      'PARTNER_NOT_FOUND',
    ]);
  });

  it('a change keeps what was not sent, and is refused at an old version', async () => {
    const { programmeId, version, ...before } = await made({ kycTimings: { providerPollMs: 5_000 } });
    const path = `/admin/programmes/${programmeId}`;
    const body = { version, minAge: 16, manyCardsThreshold: 5, holdDays: 12 };
    const changed = (await byTwo('PUT', path, body)).body;
    expect(changed).toEqual({ ...before, ...body, programmeId, version: 2 });
    expect(told(await send('PUT', path, body))).toEqual([409, 'VERSION_CONFLICT']);
    const cleared = (await byTwo('PUT', path, { version: 2, manyCardsThreshold: null })).body;
    expect([cleared.manyCardsThreshold, cleared.holdDays]).toEqual([null, 12]);
    const { before: was, after: is } = await api.owner
      .selectFrom('audit_log')
      .select(['before', 'after'])
      .where('action', '=', 'programme.updated')
      .where('object_id', '=', programmeId)
      .orderBy('id')
      .executeTakeFirstOrThrow();
    expect([was, is]).toEqual([
      { minAge: 18, holdDays: null, manyCardsThreshold: null },
      { minAge: 16, holdDays: 12, manyCardsThreshold: 5 },
    ]);
  });

  it('issuer code, holder, funding and currency stand from the first balance on', async () => {
    const { programmeId, issuerCode } = await made();
    const path = `/admin/programmes/${programmeId}`;
    const code = `n-${randomUUID().slice(0, 8)}`;
    const free = await byTwo('PUT', path, { version: 1, issuerCode: code, funding: 'credit' });
    expect([free.body.issuerCode, free.body.funding]).toEqual([code, 'credit']);
    const opened = await byTwo('POST', '/admin/partner-balances', {
      programmeId,
      kind: 'credit',
      currency: 'EUR',
    });
    expect(opened.status).toBe(200);
    for (const change of [
      { issuerCode },
      { funding: 'deposit' },
      { balanceHolder: 'external', funding: 'deposit' },
      { defaultCurrency: 'PLN', currencies: ['EUR', 'PLN'] },
    ]) {
      const refused = await send('PUT', path, { version: 2, ...change });
      expect(told(refused)).toEqual([409, 'PROGRAMME_FIXED']);
    }
    expect((await byTwo('PUT', path, { version: 2, issuerCode: code, name: 'Newer' })).body.name).toBe(
      'Newer',
    );
  });

  it('a certificate limited to a programme follows its new issuer code', async () => {
    const { programmeId, issuerCode } = await made();
    const label = randomUUID().slice(0, 8);
    const { partner_id: inner } = await api.owner
      .selectFrom('partners')
      .select('partner_id')
      .where('public_id', '=', partnerId)
      .executeTakeFirstOrThrow();
    const { fingerprint } = await api.addClient({ label, scopes: ['partner'], partnerId: inner });
    const named = () =>
      api.owner
        .selectFrom('certificates')
        .select('programmes')
        .where('fingerprint_sha256', '=', fingerprint)
        .executeTakeFirstOrThrow();
    await api.owner
      .updateTable('certificates')
      .set({ programmes: ['sandbox', issuerCode] })
      .where('fingerprint_sha256', '=', fingerprint)
      .execute();
    await byTwo('PUT', `/admin/programmes/${programmeId}`, { version: 1, issuerCode: `${issuerCode}-2` });
    expect(await named()).toEqual({ programmes: ['sandbox', `${issuerCode}-2`] });
  });

  it('a closed programme takes nothing new, goes on with what is there, and opens again', async () => {
    const { programmeId, issuerCode } = await made({ externalKyb: true });
    const { configId } = (await byTwo('POST', '/admin/card-products', aProduct(programmeId))).body;
    const path = `/admin/programmes/${programmeId}`;
    const call = (method: string, to: string, body?: object, more: Readonly<Record<string, string>> = {}) =>
      api.call(method, to, {
        headers: { 'Issuer-Code': issuerCode, ...more },
        ...(body === undefined ? {} : { body }),
      });
    const settled = async (state: string) => {
      const deadline = Date.now() + 5_000;
      const users = () =>
        call('POST', '/lifecycle/v1/users', { ...aPerson(), kyc: 'SUCCESS', state: 'VERIFIED' });
      let answer = await users();
      while ((answer.status === 201) !== (state === 'ACTIVE')) {
        expect(Date.now()).toBeLessThan(deadline);
        answer = await users();
      }
      return answer;
    };
    const user = await settled('ACTIVE');
    const userId = user.body.id;
    const balance = await call('POST', `/secure/customers/${userId}/balances`, { currency: 'EUR' });
    expect(balance.status).toBe(201);

    expect((await byTwo('PUT', path, { version: 1, state: 'CLOSED' })).body.state).toBe('CLOSED');
    expect(told(await settled('CLOSED'))).toEqual([409, 'STATE_CONFLICT']);
    const conflict = [409, 'STATE_CONFLICT'];
    expect(told(await call('POST', `/secure/customers/${userId}/balances`, { currency: 'EUR' }))).toEqual(
      conflict,
    );
    expect(told(await call('POST', '/lifecycle/v1/corporations', aCompany()))).toEqual(conflict);
    const card = { configId, dcUserId: userId, balanceId: balance.body.id };
    expect(told(await call('POST', '/secure/cards/virtual', card, encrypted))).toEqual(conflict);
    expect((await send('POST', '/admin/card-products', aProduct(programmeId))).body.title).toBe(
      'STATE_CONFLICT',
    );
    expect((await call('GET', `/lifecycle/v1/users/${userId}`)).status).toBe(200);

    expect((await byTwo('PUT', path, { version: 2, state: 'ACTIVE' })).body.state).toBe('ACTIVE');
    expect((await settled('ACTIVE')).status).toBe(201);
  });
});

describe('card products', () => {
  it('a product is added by two, read, changed at its version and closed', async () => {
    const { programmeId } = await made();
    const wanted = { ...aProduct(programmeId), pinTries: 5 };
    const added = (await byTwo('POST', '/admin/card-products', wanted)).body;
    expect(added).toEqual({
      ...wanted,
      digitalFirst: false,
      printConfigId: null,
      holder: 'both',
      expiryMonths: 36,
      maxCardsPerBalance: 10,
      pinLength: 4,
      activationProof: 'last4_and_expiry',
      renewal: 'auto',
      customerLockCodes: [1, 2, 3, 4, 5, 6, 7, 8, 11],
      anonymous: false,
      state: 'ACTIVE',
      version: 1,
    });
    const path = `/admin/card-products/${wanted.configId}?programmeId=${programmeId}`;
    expect((await send('GET', path)).body).toEqual(added);
    const changed = (await byTwo('PUT', path, { version: 1, state: 'CLOSED', expiryMonths: 24 })).body;
    expect(changed).toEqual({ ...added, state: 'CLOSED', expiryMonths: 24, version: 2 });
    expect(told(await send('PUT', path, { version: 1, name: 'late' }))).toEqual([409, 'VERSION_CONFLICT']);
  });

  it('kind, currency and range stand; the same values may be sent', async () => {
    const { programmeId } = await made({ currencies: ['EUR', 'PLN'] });
    const wanted = aProduct(programmeId);
    await byTwo('POST', '/admin/card-products', wanted);
    const path = `/admin/card-products/${wanted.configId}?programmeId=${programmeId}`;
    for (const change of [
      { kind: 'PHYSICAL' },
      { currency: 'PLN' },
      { rangeHigh: `${wanted.binPrefix}88888888` },
      { binPrefix: wanted.binPrefix.slice(0, 6) },
    ]) {
      expect(told(await send('PUT', path, { version: 1, ...change }))).toEqual([409, 'CARD_PRODUCT_FIXED']);
    }
    const { kind, currency, rangeLow } = wanted;
    expect((await byTwo('PUT', path, { version: 1, kind, currency, rangeLow })).status).toBe(200);
  });

  it('one number belongs to one product, of whatever partner; a configId once to a programme', async () => {
    const { programmeId } = await made();
    const wanted = aProduct(programmeId);
    await byTwo('POST', '/admin/card-products', wanted);
    const other = (await made()).programmeId;
    const inside = {
      ...aProduct(other),
      binPrefix: wanted.binPrefix,
      rangeLow: `${wanted.binPrefix}40000000`,
    };
    const overlapping = { ...inside, rangeHigh: `${wanted.binPrefix}49999999` };
    expect(told(await send('POST', '/admin/card-products', overlapping))).toEqual([409, 'BIN_RANGE_OVERLAP']);
    const twice = { ...aProduct(programmeId), configId: wanted.configId };
    expect(told(await send('POST', '/admin/card-products', twice))).toEqual([409, 'ALREADY_EXISTS']);
    expect((await byTwo('POST', '/admin/card-products', { ...twice, programmeId: other })).status).toBe(200);
  });

  it.each([
    ['rangeLow', { rangeLow: '4000000000000000' }],
    ['rangeHigh', { rangeHigh: '5598999999999999' }],
    ['digitalFirst', { kind: 'PHYSICAL', digitalFirst: true }],
    ['printConfigId', { printConfigId: '123' }],
    ['customerLockCodes', { customerLockCodes: [9] }],
    ['pinTries', { pinTries: 2 }],
    ['configId', { configId: '12a' }],
  ])('400 names the field that does not fit: %s', async (field, more) => {
    const { programmeId } = await made();
    const answer = await send('POST', '/admin/card-products', { ...aProduct(programmeId), ...more });
    expect(told(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors.map((one: { field: string }) => one.field)).toContain(field);
  });

  it('422 CURRENCY_NOT_SUPPORTED for a currency the programme has not', async () => {
    const { programmeId } = await made();
    const body = { ...aProduct(programmeId), currency: 'PLN' };
    expect(told(await send('POST', '/admin/card-products', body))).toEqual([422, 'CURRENCY_NOT_SUPPORTED']);
  });
});
