import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';
import { readable } from '../support/readable.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
  // All programmes of the demo let the partner set kyc; this one does not.
  await api.owner
    .updateTable('programmes')
    .set({ external_kyc: false })
    .where('issuer_code', '=', 'shared')
    .execute();
}, 120_000);
afterAll(() => api.stop());

const sandbox = { 'Issuer-Code': 'sandbox' };

function body(changes: object = {}) {
  const number = randomInt(100_000_000, 999_999_999);
  return {
    firstName: 'Ada',
    lastName: 'Nowak',
    phone: `48${number}`,
    email: `ada${number}@example.com`,
    birthDate: '1990-04-12',
    ...changes,
  };
}

const call = (method: string, path: string, options: CallOptions = {}) =>
  api.call(method, `/lifecycle/v1${path}`, { ...options, headers: { ...sandbox, ...options.headers } });

const create = async (changes: object = {}, headers: Record<string, string> = {}) => {
  const answer = await call('POST', '/wallet', { body: body(changes), headers });
  expect(answer.status).toBe(201);
  return answer.body;
};

const faultsOf = (answer: { body: { errors: { field: string; message: string }[] } }) =>
  Object.fromEntries(answer.body.errors.map((one) => [one.field, one.message]));

describe('200 and 201', () => {
  it('answers a new user with the documented members, in their order', async () => {
    const sent = body({ state: 'VERIFIED', kyc: 'SUCCESS', externalId: `c-${randomUUID()}` });
    const answer = await call('POST', '/wallet', { body: sent });
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body)).toEqual([
      'id',
      'firstName',
      'lastName',
      'phone',
      'email',
      'birthDate',
      'state',
      'kyc',
      'externalId',
      'nationality',
      'language',
      'riskLvl',
      'documentExpirationDate',
      'pep',
      'transactionalLocks',
      'createdAt',
      'updatedAt',
    ]);
    expect(answer.body).toMatchObject({
      ...sent,
      nationality: null,
      language: null,
      riskLvl: 'LOW',
      documentExpirationDate: null,
      pep: false,
      transactionalLocks: [],
    });
    expect(answer.body.id).toBeTypeOf('number');
    expect(answer.body.createdAt).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    expect(answer.headers['location']).toBe(`/lifecycle/v1/users/${answer.body.id}`);
    const started = await api.owner
      .selectFrom('outbox')
      .select('kind')
      .where('subject_id', '=', `external-verification:${answer.body.id}:1`)
      .execute();
    expect(started).toEqual([{ kind: 'external-verification' }]);
  });

  it('takes the sample of the documents as it is', async () => {
    const sent = {
      firstName: 'John',
      lastName: 'Doe',
      phone: '481234567899',
      email: 'john.doe@verestro.com',
      birthDate: '2000-01-01',
      state: 'VERIFIED',
      kyc: 'SUCCESS',
    };
    expect((await call('POST', '/wallet', { body: sent })).status).toBe(201);
  });

  it('uses defaults, and takes null for absent', async () => {
    const answer = await create({ externalId: null, kyc: null, state: null, language: null });
    expect(answer).toMatchObject({
      state: 'UNVERIFIED',
      kyc: 'NOT_STARTED',
      externalId: null,
      language: null,
    });
  });

  it('reads words without regard to case, cuts blanks and the plus, joins letters with their marks', async () => {
    const number = randomInt(100_000_000, 999_999_999);
    const answer = await create({
      firstName: '  Zoe\u0308 ',
      phone: `+48${number}`,
      email: `Ada${number}@EXAMPLE.com`,
      kyc: 'success',
      language: 'PL',
      nationality: 'polish',
      riskLvl: 'medium',
    });
    expect(answer).toMatchObject({
      firstName: 'Zoë',
      phone: `48${number}`,
      email: `ada${number}@example.com`,
      kyc: 'SUCCESS',
      language: 'pl',
      nationality: 'polish',
      riskLvl: 'MEDIUM',
    });
  });

  it('answers /users like /wallet, and reads a user by both paths', async () => {
    const created = await call('POST', '/users', { body: body() });
    expect(created.status).toBe(201);
    for (const path of [`/users/${created.body.id}`, `/wallet/${created.body.id}`]) {
      const read = await call('GET', path);
      expect(read.status).toBe(200);
      expect(read.body).toEqual(created.body);
    }
  });

  it('changes what is sent and nothing else, by every alias', async () => {
    const user = await create({ externalId: `c-${randomUUID()}`, language: 'pl' });
    const steps: [string, object, object][] = [
      [`/users/${user.id}`, { firstName: 'Ewa' }, { firstName: 'Ewa', lastName: 'Nowak', language: 'pl' }],
      [`/wallet/${user.id}`, { language: null }, { language: null, firstName: 'Ewa' }],
      [`/user/${user.id}`, { riskLvl: 'HIGH' }, { riskLvl: 'HIGH' }],
      ['/user', { userId: user.id, state: 'VERIFIED' }, { state: 'VERIFIED', riskLvl: 'HIGH' }],
      ['/user', { userId: String(user.id), externalId: null }, { externalId: null, state: 'VERIFIED' }],
    ];
    for (const [path, change, expected] of steps) {
      const answer = await call('PUT', path, { body: change });
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.body).toMatchObject(expected);
    }
    expect((await call('GET', `/users/${user.id}`)).body).toMatchObject({
      firstName: 'Ewa',
      phone: user.phone,
      createdAt: user.createdAt,
    });
  });

  it('finds a changed phone number and forgets the old one', async () => {
    const user = await create();
    const phone = `49${randomInt(100_000_000, 999_999_999)}`;
    await call('PUT', `/users/${user.id}`, { body: { phone } });
    expect((await call('GET', `/users?phone=${phone}`)).body.items).toHaveLength(1);
    expect((await call('GET', `/users?phone=${user.phone}`)).body.items).toEqual([]);
  });

  it('shows the lock that kyc leaving SUCCESS adds, and takes it away again', async () => {
    const user = await create({ kyc: 'SUCCESS' });
    const left = await call('PUT', `/users/${user.id}`, { body: { kyc: 'FAILED' } });
    expect(left.body).toMatchObject({ kyc: 'FAILED', transactionalLocks: ['NAGATIVE_VERIFICATION'] });
    const back = await call('PUT', `/users/${user.id}`, { body: { kyc: 'SUCCESS' } });
    expect(back.body).toMatchObject({ kyc: 'SUCCESS', transactionalLocks: [] });
  });

  it('lists page by page, newest first, filtered', async () => {
    const language = 'de';
    const externalId = `page-${randomUUID()}`;
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.unshift((await create({ language })).id);
    const first = await call('GET', '/users?limit=2');
    expect(first.body.items.map((one: { id: number }) => one.id)).toEqual(ids.slice(0, 2));
    const second = await call('GET', `/users?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.items[0].id).toBe(ids[2]);
    const { id } = await create({ externalId });
    const one = await call('GET', `/users?externalId=${externalId}&kyc=not_started`);
    expect(one.body).toMatchObject({ items: [{ id }], nextCursor: null });
    expect((await call('GET', `/users?externalId=${externalId}&kyc=SUCCESS`)).body).toEqual({
      items: [],
      nextCursor: null,
    });
  });

  it('answers the same key with the same user, and only one user is made', async () => {
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const sent = body();
    const first = await call('POST', '/wallet', { body: sent, headers });
    const again = await call('POST', '/wallet', { body: sent, headers });
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
  });

  it('tells of a deleted user only that it was there', async () => {
    const user = await create();
    await api.owner
      .updateTable('customers')
      .set({ state: 'DELETED' })
      .where('customer_id', '=', user.id)
      .execute();
    const read = await call('GET', `/users/${user.id}`);
    expect(read.body).toEqual({ id: user.id, state: 'DELETED', externalId: null });
    expect((await call('POST', '/wallet', { body: body({ phone: user.phone }) })).status).toBe(201);
  });
});

describe('400', () => {
  it('names all faults of the body at once and repeats no value', async () => {
    const answer = await call('POST', '/wallet', {
      body: {
        firstName: '1234',
        lastName: 'x'.repeat(65),
        phone: '12-34',
        email: 'secret-value',
        birthDate: '2001-02-30',
        kyc: 'PERHAPS',
        surprise: 'secret-value',
        nationality: 'p0land',
        language: 'xx',
        documentExpirationDate: '31.12.2030',
      },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.title).toBe('VALIDATION_ERROR');
    expect(Object.keys(faultsOf(answer)).toSorted()).toEqual(
      [
        'firstName',
        'lastName',
        'phone',
        'email',
        'birthDate',
        'kyc',
        'surprise',
        'nationality',
        'language',
        'documentExpirationDate',
      ].toSorted(),
    );
    expect(answer.text).not.toContain('secret-value');
    expect(answer.text).not.toContain('PERHAPS');
  });

  it('asks for what is missing', async () => {
    const answer = await call('POST', '/wallet', { body: {} });
    expect(Object.keys(faultsOf(answer)).toSorted()).toEqual(
      ['firstName', 'lastName', 'phone', 'email', 'birthDate'].toSorted(),
    );
  });

  it.each([
    ['a state that follows from lock', { state: 'LOCKED' }, 'state'],
    ['a birth date to come', { birthDate: '2999-01-01' }, 'birthDate'],
    ['a birth date long ago', { birthDate: '1899-12-31' }, 'birthDate'],
    ['a number for a text', { firstName: 7 }, 'firstName'],
    ['a control character', { lastName: 'No\u0007wak' }, 'lastName'],
    ['a blank name', { lastName: '   ' }, 'lastName'],
    ['two at signs', { email: 'a@b@example.com' }, 'email'],
    ['a domain without dot', { email: 'a@localhost' }, 'email'],
    ['a phone number of six digits', { phone: '481234' }, 'phone'],
    ['an empty externalId', { externalId: '' }, 'externalId'],
  ])('refuses %s', async (_name, change, field) => {
    const answer = await call('POST', '/wallet', { body: body(change) });
    expect(answer.status).toBe(400);
    expect(Object.keys(faultsOf(answer))).toEqual([field]);
  });

  it('refuses a PUT that names no user, or two', async () => {
    const user = await create();
    expect(faultsOf(await call('PUT', '/user', { body: { language: 'pl' } }))).toEqual({
      userId: 'is required',
    });
    expect(faultsOf(await call('PUT', `/users/${user.id}`, { body: { userId: user.id } }))).toEqual({
      userId: 'is not known here',
    });
  });

  it('refuses to clear what a user must have', async () => {
    const user = await create();
    const answer = await call('PUT', `/users/${user.id}`, { body: { phone: null, firstName: null } });
    expect(Object.keys(faultsOf(answer)).toSorted()).toEqual(['firstName', 'phone']);
  });

  it('refuses an unknown query name and a cursor of another list', async () => {
    expect((await call('GET', '/users?name=Ada')).status).toBe(400);
    await create();
    await create();
    const { nextCursor } = (await call('GET', '/users?limit=1')).body;
    const answer = await call('GET', `/users?limit=1&state=VERIFIED&cursor=${nextCursor}`);
    expect([answer.status, answer.body.title]).toEqual([400, 'INVALID_CURSOR']);
  });

  it('asks for the Issuer-Code', async () => {
    const answer = await api.call('POST', '/lifecycle/v1/wallet', { body: body() });
    expect([answer.status, answer.body.title]).toEqual([400, 'ISSUER_CODE_REQUIRED']);
  });
});

describe('401 and 403', () => {
  it('does not serve a revoked certificate, nor one that was never registered', async () => {
    for (const as of ['revoked', 'unregistered'] as const) {
      const answer = await call('POST', '/wallet', { body: body(), as });
      expect([answer.status, answer.body.title]).toEqual([401, 'CERTIFICATE_NOT_TRUSTED']);
    }
  });

  it('does not serve a certificate of another scope, nor the programme of another partner', async () => {
    const processor = await call('POST', '/wallet', { body: body(), as: 'processor' });
    expect([processor.status, processor.body.title]).toEqual([403, 'FORBIDDEN']);
    const other = await call('POST', '/wallet', { body: body(), as: 'other' });
    expect([other.status, other.body.title]).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
  });
});

describe('404', () => {
  it("answers another partner's and another programme's user exactly like one that never was", async () => {
    const { id } = await create();
    const never = await call('GET', '/users/9007199254740991');
    expect([never.status, never.body.title]).toEqual([404, 'USER_NOT_FOUND']);
    const foreign = await call('GET', `/users/${id}`, { as: 'other', headers: { 'Issuer-Code': 'other' } });
    const elsewhere = await call('GET', `/users/${id}`, { headers: { 'Issuer-Code': 'credit' } });
    const changed = await call('PUT', `/users/${id}`, {
      body: { firstName: 'Eve' },
      headers: { 'Issuer-Code': 'credit' },
    });
    for (const answer of [foreign, elsewhere, changed]) {
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual(never.body);
    }
  });
});

describe('409', () => {
  it.each([
    ['phone', 'PHONE_ALREADY_REGISTERED'],
    ['email', 'EMAIL_ALREADY_REGISTERED'],
    ['externalId', 'EXTERNAL_ID_ALREADY_USED'],
  ])('refuses a second user with the same %s, on create and change', async (member, title) => {
    const first = await create({ externalId: `c-${randomUUID()}` });
    const created = await call('POST', '/wallet', { body: body({ [member]: first[member] }) });
    expect([created.status, created.body.title]).toEqual([409, title]);
    const second = await create();
    const changed = await call('PUT', `/users/${second.id}`, { body: { [member]: first[member] } });
    expect([changed.status, changed.body.title]).toEqual([409, title]);
    const elsewhere = await call('POST', '/wallet', {
      body: body({ [member]: first[member] }),
      headers: { 'Issuer-Code': 'credit' },
    });
    expect(elsewhere.status).toBe(201);
  });

  it('repeats the conflict for the same key, without asking again', async () => {
    const first = await create();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const sent = body({ phone: first.phone });
    expect((await call('POST', '/wallet', { body: sent, headers })).status).toBe(409);
    await call('PUT', `/users/${first.id}`, { body: { phone: `44${randomInt(100_000_000, 999_999_999)}` } });
    const again = await call('POST', '/wallet', { body: sent, headers });
    expect([again.status, again.body.title]).toEqual([409, 'PHONE_ALREADY_REGISTERED']);
  });

  it('does not change the state of a locked user', async () => {
    const user = await create();
    await api.owner
      .updateTable('customers')
      .set({ state: 'LOCKED' })
      .where('customer_id', '=', user.id)
      .execute();
    const answer = await call('PUT', `/users/${user.id}`, { body: { state: 'VERIFIED' } });
    expect([answer.status, answer.body.title]).toEqual([409, 'STATE_CONFLICT']);
  });
});

describe('409 before 422', () => {
  it('tells of a deleted user and of conflicts before the age and the kyc of the programme', async () => {
    const child = '2020-01-01';
    const { id } = await create();
    const taken = await create();
    await call('DELETE', `/users/${id}`);
    const shared = { headers: { 'Issuer-Code': 'shared' } };
    const first = await call('POST', '/wallet', { body: body(), ...shared });
    for (const [answer, title] of [
      [await call('PUT', `/users/${id}`, { body: { birthDate: child } }), 'STATE_CONFLICT'],
      [
        await call('POST', '/wallet', { body: body({ phone: taken.phone, birthDate: child }) }),
        'PHONE_ALREADY_REGISTERED',
      ],
      [
        await call('PUT', `/users/${(await create()).id}`, {
          body: { email: taken.email, birthDate: child },
        }),
        'EMAIL_ALREADY_REGISTERED',
      ],
      [
        await call('POST', '/wallet', { body: body({ phone: first.body.phone, kyc: 'SUCCESS' }), ...shared }),
        'PHONE_ALREADY_REGISTERED',
      ],
    ] as const) {
      expect([answer.status, answer.body.title]).toEqual([409, title]);
    }
  });

  it('leaves nothing of a user who is refused for their age', async () => {
    const sent = body({ birthDate: '2020-01-01' });
    expect((await call('POST', '/wallet', { body: sent })).status).toBe(422);
    expect((await call('POST', '/wallet', { body: { ...sent, birthDate: '1990-04-12' } })).status).toBe(201);
    const { id } = await create();
    const changed = await call('PUT', `/users/${id}`, { body: { lastName: 'Lis', birthDate: '2020-01-01' } });
    expect(changed.status).toBe(422);
    expect((await call('GET', `/users/${id}`)).body).toMatchObject({
      lastName: 'Nowak',
      birthDate: '1990-04-12',
    });
  });
});

describe('422', () => {
  it('refuses somebody below the age of the programme, on create and change', async () => {
    const young = `${new Date().getUTCFullYear() - 17}-01-01`;
    const created = await call('POST', '/wallet', { body: body({ birthDate: young }) });
    expect([created.status, created.body.title]).toEqual([422, 'UNDERAGE']);
    const user = await create();
    const changed = await call('PUT', `/users/${user.id}`, { body: { birthDate: young } });
    expect([changed.status, changed.body.title]).toEqual([422, 'UNDERAGE']);
  });

  it('does not let a partner set kyc where the platform verifies', async () => {
    const headers = { 'Issuer-Code': 'shared' };
    const created = await call('POST', '/wallet', { body: body({ kyc: 'SUCCESS' }), headers });
    expect([created.status, created.body.title]).toEqual([422, 'EXTERNAL_KYC_NOT_ALLOWED']);
    const user = await create({}, headers);
    const changed = await call('PUT', `/users/${user.id}`, { body: { kyc: 'SUCCESS' }, headers });
    expect([changed.status, changed.body.title]).toEqual([422, 'EXTERNAL_KYC_NOT_ALLOWED']);
  });

  it('refuses a key that was used for another user', async () => {
    const headers = { 'X-Idempotency-Key': randomUUID() };
    await call('POST', '/wallet', { body: body(), headers });
    const answer = await call('POST', '/wallet', { body: body(), headers });
    expect([answer.status, answer.body.title]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });
});

describe('at rest', () => {
  it('keeps names, phone and e-mail out of tables and logs', async () => {
    const key = { 'X-Idempotency-Key': randomUUID() };
    const user = await create({ firstName: 'Zebedeus', lastName: 'Unmistakable' }, key);
    for (const table of ['customers', 'audit_log', 'outbox', 'idempotency_keys'] as const) {
      const rows = readable(await api.owner.selectFrom(table).selectAll().execute());
      for (const value of ['Zebedeus', 'Unmistakable', user.phone, user.email])
        expect(rows).not.toContain(value);
    }
    const lines = api.logLines().join('\n');
    for (const value of ['Zebedeus', user.phone, user.email]) expect(lines).not.toContain(value);
  });
});
