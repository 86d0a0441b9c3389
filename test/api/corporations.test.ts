import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { newSubjectId } from '../../db/customers.ts';
import { newIdAt } from '../../db/ids.ts';
import { createKybApplication, sectionPlace } from '../../db/kyb-applications.ts';
import { findProgrammeByCode } from '../../db/partners.ts';
import { newSubjectKey, sealPersonal } from '../../vault/personal-data.ts';
import { aCompany, aCorporation, aCustomer, anEmployee, aPerson } from '../support/builders.ts';
import { engineCaller } from '../support/customers.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
  // All programmes of the demo let the partner set kyb; this one does not.
  await api.owner
    .updateTable('programmes')
    .set({ external_kyb: false })
    .where('issuer_code', '=', 'shared')
    .execute();
}, 120_000);
afterAll(() => api.stop());

const call = (method: string, path: string, body?: object, code = 'sandbox') =>
  api.call(method, `/lifecycle/v1/corporations${path}`, {
    headers: { 'Issuer-Code': code },
    ...(body === undefined ? {} : { body }),
  });

const titleOf = (answer: { status: number; body: { title?: string } | null }) => [
  answer.status,
  answer.body?.title,
];

const fieldsOf = (answer: { body: { errors: { field: string }[] } }) =>
  answer.body.errors.map((one) => one.field);

const address = { street: 'Polna', number: '1', city: 'Lublin', postCode: '20-128', country: 'PL' };
const NOBODY = '11111111-1111-4111-8111-111111111111';

describe('a new corporation', () => {
  it('201: answers with the documented members, in their order', async () => {
    const sent = aCompany({
      legalForm: 'limited_company',
      registryNumber: '0000123456',
      website: 'https://works.test',
      externalId: `co-${randomUUID()}`,
      addresses: [{ type: 'registered', ...address }],
    });
    const answer = await call('POST', '', sent);
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body)).toEqual([
      'dcCorporationId',
      'name',
      'country',
      'taxId',
      'email',
      'phone',
      'legalForm',
      'registryNumber',
      'website',
      'externalId',
      'addresses',
      'kybApplicationId',
      'kyb',
      'state',
      'transactionalLocks',
      'createdAt',
      'updatedAt',
    ]);
    expect(answer.body).toMatchObject({
      ...sent,
      legalForm: 'LIMITED_COMPANY',
      addresses: [{ type: 'REGISTERED', ...address, apartment: null, region: null }],
      kybApplicationId: null,
      state: 'ACTIVE',
      transactionalLocks: [],
    });
    expect(
      (await api.call('GET', answer.headers['location'] ?? '', { headers: { 'Issuer-Code': 'sandbox' } }))
        .body,
    ).toEqual(answer.body);
  });

  it('keeps e-mail, phone and addresses sealed', async () => {
    const id = await aCorporation(api, {
      email: 'hidden@works.test',
      addresses: [{ type: 'REGISTERED', ...address, street: 'Hiddenstreet' }],
    });
    const [row, stored] = await Promise.all([
      api.owner
        .selectFrom('corporations')
        .selectAll()
        .where('corporation_id', '=', id)
        .executeTakeFirstOrThrow(),
      api.owner
        .selectFrom('corporation_addresses')
        .selectAll()
        .where('corporation_id', '=', id)
        .executeTakeFirstOrThrow(),
    ]);
    expect(row.contact.includes('hidden@works.test')).toBe(false);
    expect(stored.address.includes('Hiddenstreet')).toBe(false);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      'nothing',
      { name: undefined, country: undefined, taxId: undefined, email: undefined, phone: undefined },
      ['name', 'country', 'taxId', 'email', 'phone'],
    ],
    ['a web site without TLS', { website: 'http://works.test' }, ['website']],
    ['an unknown legal form', { legalForm: 'CLUB' }, ['legalForm']],
    [
      'two addresses of a type',
      {
        addresses: [
          { type: 'REGISTERED', ...address },
          { type: 'REGISTERED', ...address },
        ],
      },
      ['addresses'],
    ],
    ['an address of a user', { addresses: [{ type: 'DELIVERY', ...address }] }, ['addresses.0.type']],
    ['an unknown member', { state: 'ACTIVE' }, ['state']],
    ['an unknown kyb', { kyb: 'MAYBE' }, ['kyb']],
  ])('400: %s', async (_what, changes, fields) => {
    const answer = await call('POST', '', aCompany(changes));
    expect([answer.status, fieldsOf(answer)]).toEqual([400, fields]);
  });

  it('409: the taxId of another one in the same country; the externalId of another one', async () => {
    const first = aCompany({ externalId: `co-${randomUUID()}` });
    await call('POST', '', first);
    expect(titleOf(await call('POST', '', { ...first, externalId: null }))).toEqual([
      409,
      'TAX_ID_ALREADY_REGISTERED',
    ]);
    expect(titleOf(await call('POST', '', { ...first, taxId: 'other' }))).toEqual([
      409,
      'EXTERNAL_ID_ALREADY_USED',
    ]);
    expect((await call('POST', '', { ...first, externalId: null, country: 'DE' })).status).toBe(201);
  });

  it('422: kyb is not the partner to say in every programme; without it the corporation waits', async () => {
    expect(titleOf(await call('POST', '', aCompany(), 'shared'))).toEqual([422, 'EXTERNAL_KYB_NOT_ALLOWED']);
    const waiting = await call('POST', '', aCompany({ kyb: null }), 'shared');
    expect([waiting.status, waiting.body.kyb]).toEqual([201, 'NOT_STARTED']);
  });

  it('is made once for an idempotency key', async () => {
    const options = {
      headers: { 'Issuer-Code': 'sandbox', 'X-Idempotency-Key': randomUUID() },
      body: aCompany(),
    };
    const first = await api.call('POST', '/lifecycle/v1/corporations', options);
    const again = await api.call('POST', '/lifecycle/v1/corporations', options);
    expect([again.status, again.body, again.headers['location']]).toEqual([
      201,
      first.body,
      first.headers['location'],
    ]);
  });
});

describe('an application of the company', () => {
  /** As the form and its review leave one. */
  async function anApplication(status: 'ACCEPTED' | 'IN_REVIEW', taxId = '5250001234'): Promise<string> {
    const { vault, owner } = api;
    const programme = await findProgrammeByCode(owner, 'sandbox');
    if (programme === undefined) throw new Error('no programme');
    const applicationId = newIdAt(new Date());
    await atomically(owner, engineCaller, async (trx) => {
      const subjectKey = newSubjectKey(vault, {
        subjectId: newSubjectId(trx),
        partnerId: programme.partnerId,
      });
      const seal = (section: 'CONTACT' | 'ENTITY', value: object) =>
        sealPersonal(vault, subjectKey, sectionPlace(applicationId, section), value);
      await createKybApplication(trx, programme, {
        applicationId,
        subjectKey,
        channel: 'SERVER',
        emailIndex: Buffer.alloc(1),
        ipIndex: null,
        contact: seal('CONTACT', { contactEmail: 'form@works.test', contactPhone: '48229999999' }),
      });
      const registeredAddress = { ...address, apartment: null, region: null };
      await trx
        .updateTable('kyb_sections')
        .set({
          content: seal('ENTITY', {
            name: 'Form Works',
            country: 'PL',
            taxId,
            legalForm: 'FOUNDATION',
            registryNumber: '0000000001',
            registeredAddress,
            correspondenceAddress: null,
          }),
        })
        .where('application_id', '=', applicationId)
        .where('section', '=', 'ENTITY')
        .execute();
      await trx
        .updateTable('kyb_applications')
        .set({ status, decided_at: status === 'ACCEPTED' ? new Date() : null })
        .where('application_id', '=', applicationId)
        .execute();
    });
    return applicationId;
  }

  it('201: fills what is left out, and keeps what is sent', async () => {
    const kybApplicationId = await anApplication('ACCEPTED', '5250009999');
    const made = await call('POST', '', { kybApplicationId, name: 'Sent Works' });
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({
        name: 'Sent Works',
        country: 'PL',
        taxId: '5250009999',
        email: 'form@works.test',
        phone: '48229999999',
        legalForm: 'FOUNDATION',
        registryNumber: '0000000001',
        website: null,
        addresses: [{ type: 'REGISTERED', ...address, apartment: null, region: null }],
        kyb: 'SUCCESS',
      }),
    ]);
  });

  it('201 with kyb SUCCESS from an accepted one, which is then used', async () => {
    const kybApplicationId = await anApplication('ACCEPTED');
    const made = await call('POST', '', aCompany({ kyb: null, kybApplicationId }), 'sandbox');
    expect([made.status, made.body.kyb, made.body.kybApplicationId]).toEqual([
      201,
      'SUCCESS',
      kybApplicationId,
    ]);
    expect(titleOf(await call('POST', '', aCompany({ kybApplicationId })))).toEqual([
      409,
      'KYB_APPLICATION_USED',
    ]);
    const other = await aCorporation(api, { kyb: null });
    expect(titleOf(await call('PUT', `/${other}`, { kybApplicationId }))).toEqual([
      409,
      'KYB_APPLICATION_USED',
    ]);
    const second = await call('PUT', `/${other}`, { kybApplicationId: await anApplication('ACCEPTED') });
    expect([second.status, second.body.kyb]).toEqual([200, 'SUCCESS']);
  });

  it('stays with its corporation when it is sent again, and brings nothing then', async () => {
    const kybApplicationId = await anApplication('ACCEPTED');
    const id = await aCorporation(api, { kyb: null, kybApplicationId });
    await call('PUT', `/${id}`, { kyb: 'FAILED', legalForm: null });
    const again = await call('PUT', `/${id}`, { kybApplicationId, name: 'New Works' });
    expect([again.status, again.body]).toEqual([
      200,
      expect.objectContaining({ name: 'New Works', kyb: 'FAILED', legalForm: null, kybApplicationId }),
    ]);
  });

  it.each([
    ['OPEN', 'UN', ['SCREENING_DETECTED']],
    ['CONFIRMED', 'UN', ['SCREENING_DETECTED']],
    ['FALSE_POSITIVE', 'UN', []],
    ['OPEN', 'PEP', []],
  ] as const)('with a hit %s of the list %s locks its corporation: %s', async (state, list, reasons) => {
    const other = await aCorporation(api, { kyb: null });
    const [made, joined] = [await anApplication('ACCEPTED'), await anApplication('ACCEPTED')];
    for (const applicationId of [made, joined]) await aHit(applicationId, { state, list_code: list });
    const created = await call('POST', '', aCompany({ kyb: null, kybApplicationId: made }));
    expect([created.status, created.body.transactionalLocks]).toEqual([201, reasons]);
    const changed = await call('PUT', `/${other}`, { kybApplicationId: joined });
    expect([changed.status, changed.body.transactionalLocks]).toEqual([200, reasons]);
  });

  /** A person of the application was found on a list. */
  async function aHit(
    applicationId: string,
    hit: { state: 'OPEN' | 'CONFIRMED' | 'FALSE_POSITIVE'; list_code: string },
  ): Promise<void> {
    const { partner_id: partnerId } = await api.owner
      .selectFrom('kyb_applications')
      .select('partner_id')
      .where('application_id', '=', applicationId)
      .executeTakeFirstOrThrow();
    await api.owner
      .insertInto('screening_hits')
      .values({
        hit_id: newIdAt(new Date()),
        partner_id: partnerId,
        subject_type: 'CORPORATION',
        subject_ref: applicationId,
        kyb_application_id: applicationId,
        verification_id: null,
        entry_id: 'e-1',
        entry_fingerprint: 'f',
        score: 1,
        note: null,
        decided_by: null,
        decided_at: null,
        ...hit,
      })
      .execute();
  }

  it('422 one that is not accepted; 404 one that is not there; 400 another kyb beside it', async () => {
    const kybApplicationId = await anApplication('IN_REVIEW');
    expect(titleOf(await call('POST', '', aCompany({ kybApplicationId })))).toEqual([
      422,
      'KYB_NOT_ACCEPTED',
    ]);
    expect(titleOf(await call('POST', '', aCompany({ kybApplicationId: NOBODY })))).toEqual([
      404,
      'APPLICATION_NOT_FOUND',
    ]);
    const accepted = await anApplication('ACCEPTED');
    const answer = await call('POST', '', aCompany({ kybApplicationId: accepted, kyb: 'FAILED' }));
    expect([answer.status, fieldsOf(answer)]).toEqual([400, ['kyb']]);
  });
});

describe('reading and changing a corporation', () => {
  it('filters the list, and goes on with its cursor', async () => {
    const company = aCompany({ externalId: `co-${randomUUID()}` });
    const { dcCorporationId: id } = (await call('POST', '', company)).body;
    await aCorporation(api);
    const ids = async (query: string) =>
      (await call('GET', `?${query}`)).body.items.map(
        (one: { dcCorporationId: string }) => one.dcCorporationId,
      );
    expect(await ids(`taxId=${String(company['taxId'])}`)).toEqual([id]);
    expect(await ids(`externalId=${String(company['externalId'])}&kyb=SUCCESS&state=ACTIVE`)).toEqual([id]);
    expect(await ids(`externalId=${String(company['externalId'])}&state=LOCKED`)).toEqual([]);
    const first = await call('GET', '?limit=1');
    expect(await ids(`limit=1&cursor=${first.body.nextCursor}`)).toEqual([id]);
  });

  it('takes null for what cannot be cleared as not said', async () => {
    const id = await aCorporation(api, { addresses: [{ type: 'REGISTERED', ...address }] });
    const before = (await call('GET', `/${id}`)).body;
    const answer = await call('PUT', `/${id}`, { kyb: null, kybApplicationId: null, addresses: null });
    expect([answer.status, answer.body]).toEqual([200, { ...before, updatedAt: answer.body.updatedAt }]);
    const { employeeId } = await anEmployee(api, id);
    const employee = await call('PUT', `/${id}/employees/${employeeId}`, { role: null, state: null });
    expect([employee.status, employee.body]).toMatchObject([200, { role: 'EMPLOYEE', state: 'ACTIVE' }]);
  });

  it('changes what is sent, clears what is null, leaves the rest', async () => {
    const id = await aCorporation(api, { website: 'https://works.test', externalId: `co-${randomUUID()}` });
    const before = (await call('GET', `/${id}`)).body;
    const answer = await call('PUT', `/${id}`, {
      name: 'New Works',
      phone: '48221234599',
      externalId: null,
      addresses: [{ type: 'CORRESPONDENCE', ...address }],
    });
    expect(answer.body).toEqual({
      ...before,
      name: 'New Works',
      phone: '48221234599',
      externalId: null,
      addresses: [{ type: 'CORRESPONDENCE', ...address, apartment: null, region: null }],
      updatedAt: answer.body.updatedAt,
    });
  });

  it('409 a taxId that is taken, 422 kyb where the platform verifies, 404 none', async () => {
    const taken = aCompany();
    await call('POST', '', taken);
    const id = await aCorporation(api);
    expect(titleOf(await call('PUT', `/${id}`, { taxId: taken['taxId'] }))).toEqual([
      409,
      'TAX_ID_ALREADY_REGISTERED',
    ]);
    const { dcCorporationId } = (await call('POST', '', aCompany({ kyb: null }), 'shared')).body;
    expect(titleOf(await call('PUT', `/${dcCorporationId}`, { kyb: 'FAILED' }, 'shared'))).toEqual([
      422,
      'EXTERNAL_KYB_NOT_ALLOWED',
    ]);
    expect(titleOf(await call('PUT', `/${NOBODY}`, {}))).toEqual([404, 'CORPORATION_NOT_FOUND']);
    expect((await call('GET', '/no-uuid')).status).toBe(400);
  });

  it('locks, unlocks and deletes; of a deleted one only that it was there is shown', async () => {
    const company = aCompany();
    const { dcCorporationId: id } = (await call('POST', '', company)).body;
    const stateAfter = async (method: string, path: string, body?: object) => {
      expect((await call(method, path, body)).status).toBe(204);
      return (await call('GET', `/${id}`)).body.state as string;
    };
    expect(await stateAfter('POST', `/${id}/lock`, { reason: 'audit' })).toBe('LOCKED');
    expect(await stateAfter('POST', `/${id}/lock`)).toBe('LOCKED');
    expect(await stateAfter('POST', `/${id}/unlock`)).toBe('ACTIVE');
    expect(await stateAfter('POST', `/${id}/unlock`)).toBe('ACTIVE');
    expect(await stateAfter('DELETE', `/${id}`)).toBe('DELETED');
    expect(await stateAfter('DELETE', `/${id}`)).toBe('DELETED');
    expect((await call('GET', `/${id}`)).body).toEqual({
      dcCorporationId: id,
      state: 'DELETED',
      externalId: null,
    });
    for (const [method, path, body] of [
      ['POST', '/lock', undefined],
      ['POST', '/unlock', undefined],
      ['PUT', '', { name: 'Ghost' }],
      ['PUT', '/addresses/REGISTERED', address],
      ['DELETE', '/addresses/REGISTERED', undefined],
      ['POST', '/employees', { user: aPerson(), role: 'OWNER' }],
    ] as const) {
      expect([path, ...titleOf(await call(method, `/${id}${path}`, body))]).toEqual([
        path,
        409,
        'STATE_CONFLICT',
      ]);
    }
    expect((await call('POST', '', company)).status).toBe(201);
  });

  it('has one address of each type: 201, 200, 204, 404', async () => {
    const path = `/${await aCorporation(api)}/addresses`;
    expect((await call('PUT', `${path}/registered`, address)).status).toBe(201);
    expect((await call('PUT', `${path}/REGISTERED`, { ...address, city: 'Krosno' })).status).toBe(200);
    const { items } = (await call('GET', path)).body;
    expect(items).toEqual([
      { type: 'REGISTERED', ...address, city: 'Krosno', apartment: null, region: null },
    ]);
    expect((await call('DELETE', `${path}/REGISTERED`)).status).toBe(204);
    expect(titleOf(await call('DELETE', `${path}/REGISTERED`))).toEqual([404, 'ADDRESS_NOT_FOUND']);
    expect((await call('PUT', `${path}/RESIDENCE`, address)).status).toBe(400);
  });
});

describe('employees', () => {
  it('are users who are there, or made in the same commit', async () => {
    const id = await aCorporation(api);
    const userId = await aCustomer(api);
    const old = await call('POST', `/${id}/employees`, { userId, role: 'owner', position: 'CEO' });
    expect([old.status, old.body]).toEqual([
      201,
      { employeeId: old.body.employeeId, userId, role: 'OWNER', state: 'ACTIVE', position: 'CEO' },
    ]);
    expect(titleOf(await call('POST', `/${id}/employees`, { userId, role: 'ADMIN' }))).toEqual([
      409,
      'EMPLOYEE_EXISTS',
    ]);
    const made = await anEmployee(api, id);
    const { items } = (await call('GET', `/${id}/employees`)).body;
    expect(items.map((one: { userId: number }) => one.userId)).toEqual([made.userId, userId]);
    const person = aPerson();
    await call('POST', `/${id}/employees`, { user: person, role: 'EMPLOYEE' });
    expect(titleOf(await call('POST', `/${id}/employees`, { user: person, role: 'EMPLOYEE' }))).toEqual([
      409,
      'PHONE_ALREADY_REGISTERED',
    ]);
  });

  it.each<[string, () => Promise<object>, number, string]>([
    ['a user of nobody', async () => ({ userId: 999_999_999 }), 404, 'USER_NOT_FOUND'],
    [
      'a user of another programme',
      async () => ({ userId: await aCustomer(api, 'credit') }),
      404,
      'USER_NOT_FOUND',
    ],
    ['neither user nor userId', async () => ({}), 400, 'VALIDATION_ERROR'],
    ['both of them', async () => ({ userId: 1, user: aPerson() }), 400, 'VALIDATION_ERROR'],
    ['an unknown role', async () => ({ user: aPerson(), role: 'BOSS' }), 400, 'VALIDATION_ERROR'],
    ['a child', async () => ({ user: aPerson({ birthDate: '2020-01-01' }) }), 422, 'UNDERAGE'],
  ])('refuses %s', async (_what, body, status, title) => {
    const id = await aCorporation(api);
    const answer = await call('POST', `/${id}/employees`, { role: 'EMPLOYEE', ...(await body()) });
    expect(titleOf(answer)).toEqual([status, title]);
    expect((await call('GET', `/${id}/employees`)).body.items).toEqual([]);
  });

  it('are changed, suspended, and removed for good', async () => {
    const id = await aCorporation(api);
    const { employeeId, userId } = await anEmployee(api, id);
    const path = `/${id}/employees/${employeeId}`;
    const changed = await call('PUT', path, { role: 'ADMIN', position: 'clerk', state: 'suspended' });
    expect(changed.body).toEqual({
      employeeId,
      userId,
      role: 'ADMIN',
      state: 'SUSPENDED',
      position: 'clerk',
    });
    expect((await call('PUT', path, { state: 'ACTIVE', position: null })).body).toMatchObject({
      state: 'ACTIVE',
      position: null,
    });
    expect((await call('PUT', path, { state: 'REMOVED' })).status).toBe(400);
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).body.state).toBe('REMOVED');
    expect(titleOf(await call('PUT', path, { role: 'OWNER' }))).toEqual([409, 'STATE_CONFLICT']);
    expect((await call('GET', `/${id}/employees?state=ACTIVE`)).body.items).toEqual([]);
    expect(titleOf(await call('GET', `/${id}/employees/${NOBODY}`))).toEqual([404, 'EMPLOYEE_NOT_FOUND']);
    const other = await aCorporation(api, { taxId: String(randomInt(1e9)) });
    expect(titleOf(await call('GET', `/${other}/employees/${employeeId}`))).toEqual([
      404,
      'EMPLOYEE_NOT_FOUND',
    ]);
  });
});
