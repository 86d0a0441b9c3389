import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KybSection } from '../../domain/kyb-application.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import {
  aBusiness,
  aContact,
  anEntity,
  anOwner,
  anUpload,
  aPublicKyb,
  aServerKyb,
  atDoor,
  type FilledForm,
  fillKyb,
  type KybDoor,
  personIdsOf,
  withToken,
} from '../support/kyb.ts';
import { aJpeg, aPdf } from '../support/pictures.ts';

let api: ApiHarness;
let jpeg: Buffer;
const pdf = aPdf();

beforeAll(async () => {
  api = await startApi();
  jpeg = await aJpeg();
});
afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

/** Applications of one address are counted; each test may make its own. */
const forgetAddresses = () => api.owner.updateTable('kyb_applications').set({ ip_index: null }).execute();

const begun = async (contact = aContact()) => {
  await forgetAddresses();
  return await aPublicKyb(api, contact);
};

const titleOf = (answer: HttpAnswer) => [answer.status, answer.body?.title ?? null];
const fieldsOf = (answer: HttpAnswer): string[] =>
  (answer.body.errors ?? []).map((one: { field: string }) => one.field).toSorted();
const put = (door: KybDoor, section: string, body: object) =>
  atDoor(api, door, 'PUT', `/sections/${section}`, { body });
const upload = (door: KybDoor, fields: Readonly<Record<string, string>>, content = jpeg, type?: string) =>
  atDoor(api, door, 'POST', '/documents', { form: anUpload(fields, content, type) });
const submit = (door: KybDoor) => atDoor(api, door, 'POST', '/submit');
const rowOf = (applicationId: string) =>
  api.owner
    .selectFrom('kyb_applications')
    .selectAll()
    .where('application_id', '=', applicationId)
    .executeTakeFirstOrThrow();

const onPublic = (method: string, path: string, body: object, headers = {}) =>
  api.call(method, path, { as: 'nobody', listener: 'public', body, headers });

describe('POST /kyb/applications', () => {
  it('201: makes a draft, tells a token once, and asks for the workflow in the same commit', async () => {
    const contact = aContact();
    const door = await begun(contact);
    const read = await atDoor(api, door, 'GET', '');
    expect(read.status).toBe(200);
    expect(read.body).toMatchObject({ status: 'DRAFT', channel: 'PUBLIC', round: 0, reason: null });
    expect(read.body.sections.map((one: { section: string }) => one.section)).toEqual([
      'CONTACT',
      'ENTITY',
      'BUSINESS',
      'PERSONS',
      'DOCUMENTS',
    ]);
    expect(read.body.sections[0].content).toMatchObject(contact);
    expect(read.body).not.toHaveProperty('token');
    const started = await api.owner
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('subject_id', '=', `corporation-onboarding:${door.applicationId}`)
      .execute();
    expect(started).toEqual([
      { kind: 'corporation-onboarding', data: { applicationId: door.applicationId } },
    ]);
  });

  it('keeps neither the token nor anything personal in clear', async () => {
    const contact = aContact({ contactName: 'Zofia Unikat' });
    const door = await begun(contact);
    const rows = JSON.stringify([
      await rowOf(door.applicationId),
      await api.owner.selectFrom('kyb_sections').selectAll().execute(),
      await api.owner.selectFrom('kyb_tokens').selectAll().execute(),
      await api.owner.selectFrom('outbox').selectAll().execute(),
      await api.owner.selectFrom('audit_log').selectAll().execute(),
      api.logLines(),
    ]);
    const inBytes = (text: string) => JSON.stringify([...Buffer.from(text)]).slice(1, -1);
    for (const secret of [door.token, 'Zofia Unikat', contact['contactEmail'] as string]) {
      expect(rows).not.toContain(secret);
      expect(rows).not.toContain(inBytes(secret));
    }
  });

  it('400: without Issuer-Code, and with all faults of step 1 at once; 403: an unknown programme', async () => {
    expect(titleOf(await onPublic('POST', '/kyb/applications', aContact()))).toEqual([
      400,
      'ISSUER_CODE_REQUIRED',
    ]);
    const wrong = aContact({ contactEmail: 'nobody', contactPhone: 'x', termsVersion: null, more: 1 });
    const answer = await onPublic('POST', '/kyb/applications', wrong, { 'Issuer-Code': 'sandbox' });
    expect(titleOf(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(fieldsOf(answer)).toEqual(['contactEmail', 'contactPhone', 'more', 'termsVersion']);
    const unknown = await onPublic('POST', '/kyb/applications', aContact(), { 'Issuer-Code': 'nowhere' });
    expect(titleOf(unknown)).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
  });

  it('429: an eleventh application a day from one address, also when all come at once', async () => {
    await forgetAddresses();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        onPublic('POST', '/kyb/applications', aContact(), { 'Issuer-Code': 'sandbox' }),
      ),
    );
    expect(answers.filter((one) => one.status === 201)).toHaveLength(10);
    const refused = answers.filter((one) => one.status === 429);
    expect(refused.map(titleOf)).toEqual([
      [429, 'TOO_MANY_REQUESTS'],
      [429, 'TOO_MANY_REQUESTS'],
    ]);
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(80_000);
  });
});

describe('the token', () => {
  it('401: none, a foreign kind, one that was never given', async () => {
    const door = await begun();
    for (const token of ['', 'cst_x', `kyb_${'A'.repeat(43)}`, `${door.token}x`]) {
      const answer = await atDoor(api, withToken(door.applicationId, token), 'GET', '');
      expect(titleOf(answer)).toEqual([401, 'UNAUTHENTICATED']);
    }
  });

  it('401 SESSION_EXPIRED: after 14 days by the clock of the database', async () => {
    const door = await begun();
    const day = 86_400_000;
    const setEnd = async (inMs: number) =>
      await api.owner
        .updateTable('kyb_tokens')
        .set({ expires_at: new Date(Date.now() + inMs) })
        .where('application_id', '=', door.applicationId)
        .execute();
    const { expires_at: end } = await api.owner
      .selectFrom('kyb_tokens')
      .select('expires_at')
      .where('application_id', '=', door.applicationId)
      .executeTakeFirstOrThrow();
    expect(Math.abs(end.getTime() - Date.now() - 14 * day)).toBeLessThan(60_000);
    await setEnd(60_000);
    expect((await atDoor(api, door, 'GET', '')).status).toBe(200);
    await setEnd(-1_000);
    const late = await atDoor(api, door, 'GET', '');
    expect(titleOf(late)).toEqual([401, 'SESSION_EXPIRED']);
    const trail = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'actor_id', 'after'])
      .where('request_id', '=', late.headers['x-request-id'] as string)
      .execute();
    const actor_id = `kyb:${door.applicationId}`;
    expect(trail).toEqual([{ action: 'call.refused', actor_id, after: { title: 'SESSION_EXPIRED' } }]);
  });

  it('404: opens no other application, which answers exactly like one that never was', async () => {
    const [mine, yours] = [await begun(), await begun()];
    await fillKyb(api, yours);
    const [document] = (await atDoor(api, yours, 'GET', '')).body.documents;
    const at = (applicationId: string): KybDoor => ({ ...mine, applicationId });
    for (const [method, path, options] of [
      ['GET', '', {}],
      ['PUT', '/sections/ENTITY', { body: anEntity() }],
      ['POST', '/documents', { form: anUpload({ type: 'OTHER' }, jpeg) }],
      ['DELETE', `/documents/${document.documentId}`, {}],
      ['POST', '/submit', {}],
    ] as const) {
      const foreign = await atDoor(api, at(yours.applicationId), method, path, options);
      const never = await atDoor(api, at(randomUUID()), method, path, options);
      expect(titleOf(foreign)).toEqual([404, 'APPLICATION_NOT_FOUND']);
      expect(foreign.text).toBe(never.text);
    }
    expect((await atDoor(api, yours, 'GET', '')).body.documents).toHaveLength(4);
  });

  it('403: ends with the partner, and lives again with it', async () => {
    const door = await begun();
    const { partner_id: partnerId } = await rowOf(door.applicationId);
    const setState = (state: 'ACTIVE' | 'SUSPENDED') =>
      api.owner.updateTable('partners').set({ state }).where('partner_id', '=', partnerId).execute();
    await setState('SUSPENDED');
    expect(titleOf(await atDoor(api, door, 'GET', ''))).toEqual([403, 'PARTNER_SUSPENDED']);
    await setState('ACTIVE');
    expect((await atDoor(api, door, 'GET', '')).status).toBe(200);
  });
});

describe('POST /kyb/resume-links', () => {
  it('202 for everybody; the known one is mailed and their older tokens die', async () => {
    const contact = aContact();
    const door = await begun(contact);
    const linksAsked = () =>
      api.owner.selectFrom('outbox').select('subject_id').where('kind', '=', 'kyb').execute();
    const before = await linksAsked();
    const unknown = await onPublic('POST', '/kyb/resume-links', { email: 'nobody@company.test' });
    expect(await linksAsked()).toEqual(before);
    const known = await onPublic('POST', '/kyb/resume-links', { email: contact['contactEmail'] });
    expect([known.status, known.text]).toEqual([202, '']);
    expect([unknown.status, unknown.text]).toEqual([202, '']);
    expect(await linksAsked()).toEqual([...before, { subject_id: door.applicationId }]);
    expect(titleOf(await atDoor(api, door, 'GET', ''))).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('400: what is no address', async () => {
    expect(titleOf(await onPublic('POST', '/kyb/resume-links', { email: 'x' }))).toEqual([
      400,
      'VALIDATION_ERROR',
    ]);
  });
});

describe('PUT sections', () => {
  it('200: a draft may be incomplete, and what was sent is read again', async () => {
    const door = await begun();
    expect((await put(door, 'ENTITY', { name: 'Half a company' })).status).toBe(200);
    expect((await put(door, 'BUSINESS', aBusiness({ licences: null }))).status).toBe(200);
    const answer = await put(door, 'PERSONS', { persons: [anOwner({ ownershipPercent: 25.01 })] });
    const [, entity, business, persons] = answer.body.sections;
    expect(entity.content).toMatchObject({ name: 'Half a company', taxId: null });
    expect(business.content).toMatchObject(aBusiness());
    expect(persons.content.persons[0]).toMatchObject(anOwner({ ownershipPercent: 25.01 }));
  });

  it.each([
    ['CONTACT', aContact({ contactPhone: null }), ['contactPhone']],
    ['ENTITY', anEntity({ taxId: '12' }), ['taxId']],
    ['ENTITY', anEntity({ registryNumber: 'x', regon: '1' }), ['registryNumber', 'regon']],
    ['ENTITY', anEntity({ legalForm: 'CLUB', country: 'ZZ' }), ['country', 'legalForm']],
    ['BUSINESS', aBusiness({ website: 'http://company.test' }), ['website']],
    ['BUSINESS', aBusiness({ industryCode: '6.1', description: 'short' }), ['description', 'industryCode']],
    ['PERSONS', { persons: [anOwner({ ownershipPercent: 100.1 })] }, ['persons.0.ownershipPercent']],
    ['PERSONS', { persons: [anOwner({ ownershipPercent: 10.001 })] }, ['persons.0.ownershipPercent']],
    ['PERSONS', { persons: [anOwner({ personId: randomUUID() })] }, ['persons.0.personId']],
    ['PERSONS', { persons: [anOwner({ age: 3 })] }, ['persons.0.age']],
  ])('400: %s with %o', async (section, body, fields) => {
    const door = await begun();
    const before = await rowOf(door.applicationId);
    const answer = await put(door, section, body);
    expect(titleOf(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(fieldsOf(answer)).toEqual(fields);
    expect(await rowOf(door.applicationId)).toEqual(before);
  });

  it('keeps a person who is sent with their id, and drops the documents of one who is not', async () => {
    const door = await begun();
    const persons = [anOwner({ ownershipPercent: 50 }), anOwner({ firstName: 'Leon', ownershipPercent: 50 })];
    const [ada, leon] = await fillKyb(api, door, { persons: { persons } });
    const answer = await put(door, 'PERSONS', { persons: [anOwner({ personId: leon, firstName: 'Leon' })] });
    expect(personIdsOf(answer)).toEqual([leon]);
    const owners = answer.body.documents.map((one: { personId: string | null }) => one.personId);
    expect(owners).toContain(leon);
    expect(owners).not.toContain(ada);
  });

  it('a repeat under the same key changes nothing and answers the same', async () => {
    const door = await begun();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const first = await atDoor(api, door, 'PUT', '/sections/ENTITY', { headers, body: anEntity() });
    const { version } = await rowOf(door.applicationId);
    const again = await atDoor(api, door, 'PUT', '/sections/ENTITY', { headers, body: anEntity() });
    expect([again.headers['idempotency-replayed'], again.text]).toEqual(['true', first.text]);
    expect((await rowOf(door.applicationId)).version).toBe(version);
  });
});

describe('documents', () => {
  it('201 and 204: stored encrypted, listed, removed with its file', async () => {
    const door = await begun();
    const { documentId } = (await upload(door, { type: 'OTHER' }, pdf, 'application/pdf')).body;
    const { store_key: key } = await api.owner
      .selectFrom('kyb_documents')
      .select('store_key')
      .where('document_id', '=', documentId)
      .executeTakeFirstOrThrow();
    const { readFile } = await import('node:fs/promises');
    const file = `${api.services.documents.folder}/${key.slice(0, 2)}/${key}`;
    expect((await readFile(file)).includes('%PDF')).toBe(false);
    expect((await atDoor(api, door, 'GET', '')).body.documents).toMatchObject([
      { documentId, type: 'OTHER', mediaType: 'application/pdf', personId: null },
    ]);
    expect((await atDoor(api, door, 'DELETE', `/documents/${documentId}`)).status).toBe(204);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
    const again = await atDoor(api, door, 'DELETE', `/documents/${documentId}`);
    expect(titleOf(again)).toEqual([404, 'DOCUMENT_NOT_FOUND']);
  });

  it('415: a polyglot, a script in a PDF, a lie about the type; a selfie as PDF', async () => {
    const door = await begun();
    const [personId = ''] = personIdsOf(await put(door, 'PERSONS', { persons: [anOwner()] }));
    const page = Buffer.concat([Buffer.from('<!doctype html><script>'), jpeg]);
    const scripted = aPdf('<< /S /JavaScript /JS (app.alert(1)) >>');
    const refused = [
      await upload(door, { type: 'OTHER' }, page, 'image/jpeg'),
      await upload(door, { type: 'OTHER' }, scripted, 'application/pdf'),
      await upload(door, { type: 'OTHER' }, jpeg, 'application/pdf'),
      await upload(door, { type: 'OTHER' }, pdf, 'image/png'),
      await upload(
        door,
        { type: 'PERSON_SELFIE', personId, documentType: 'passport' },
        pdf,
        'application/pdf',
      ),
    ];
    for (const answer of refused) expect(titleOf(answer)).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect((await atDoor(api, door, 'GET', '')).body.documents).toEqual([]);
  });

  it('drops what is hidden behind a picture: a JPEG with a page at its end is made anew', async () => {
    const door = await begun();
    const hidden = Buffer.concat([jpeg, Buffer.from('<script>alert(1)</script>')]);
    const { documentId } = (await upload(door, { type: 'OTHER' }, hidden)).body;
    const stored = await api.owner
      .selectFrom('kyb_documents')
      .select(['sha256', 'bytes'])
      .where('document_id', '=', documentId)
      .executeTakeFirstOrThrow();
    expect(stored.sha256).not.toBe(createHash('sha256').update(hidden).digest('hex'));
  });

  it('413: more than 10 MB; 422: too small to be a document', async () => {
    const door = await begun();
    const large = Buffer.concat([jpeg, Buffer.alloc(10_000_001 - jpeg.length)]);
    expect(titleOf(await upload(door, { type: 'OTHER' }, large))).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const small = await aJpeg({ width: 100, height: 100 });
    expect(titleOf(await upload(door, { type: 'OTHER' }, small))).toEqual([422, 'DOCUMENT_UNREADABLE']);
  });

  it('400: a person document of nobody, a person on another document, an unknown type', async () => {
    const door = await begun();
    const person = { personId: randomUUID(), documentType: 'passport' };
    const of = async (fields: Readonly<Record<string, string>>) => fieldsOf(await upload(door, fields));
    expect(await of({ type: 'PERSON_SELFIE' })).toEqual(['documentType', 'personId']);
    expect(await of({ type: 'PERSON_SELFIE', ...person })).toEqual(['personId']);
    expect(await of({ type: 'LICENCE', ...person })).toEqual(['documentType', 'personId']);
    expect(await of({ type: 'POEM' })).toEqual(['type']);
  });

  it('422 TOO_MANY_DOCUMENTS: a fifty-first', async () => {
    const door = await begun();
    await upload(door, { type: 'OTHER' });
    const row = await api.owner
      .selectFrom('kyb_documents')
      .selectAll()
      .where('application_id', '=', door.applicationId)
      .executeTakeFirstOrThrow();
    const more = Array.from({ length: 48 }, () => ({ ...row, document_id: randomUUID() }));
    await api.owner.insertInto('kyb_documents').values(more).execute();
    expect((await upload(door, { type: 'OTHER' })).status).toBe(201);
    expect(titleOf(await upload(door, { type: 'OTHER' }))).toEqual([422, 'TOO_MANY_DOCUMENTS']);
  });
});

describe('submit', () => {
  it('202: a complete application is SUBMITTED, its workflow told, and closed to changes', async () => {
    const door = await begun();
    await fillKyb(api, door);
    const answer = await submit(door);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'SUBMITTED', round: 1 });
    const told = await api.owner
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('subject_id', '=', `corporation-onboarding:${door.applicationId}`)
      .where('kind', '=', 'kyb-submitted')
      .execute();
    expect(told).toEqual([{ kind: 'kyb-submitted', data: { round: 1 } }]);
    const [document] = answer.body.documents;
    for (const refused of [
      await submit(door),
      await put(door, 'ENTITY', anEntity()),
      await upload(door, { type: 'OTHER' }),
      await atDoor(api, door, 'DELETE', `/documents/${document.documentId}`),
    ]) {
      expect(titleOf(refused)).toEqual([409, 'STATE_CONFLICT']);
    }
  });

  it('422 APPLICATION_INCOMPLETE: tells everything that is missing', async () => {
    const door = await begun();
    const empty = await submit(door);
    expect(titleOf(empty)).toEqual([422, 'APPLICATION_INCOMPLETE']);
    expect(fieldsOf(empty)).toEqual([
      'BUSINESS',
      'ENTITY',
      'PERSONS',
      'documents.OWNERSHIP_STRUCTURE',
      'documents.REGISTRY_EXTRACT',
    ]);
    await put(door, 'ENTITY', anEntity({ name: null }));
    const licence = { authority: 'KNF', number: '1', country: 'PL' };
    await put(door, 'BUSINESS', aBusiness({ licences: [licence] }));
    await put(door, 'PERSONS', { persons: [anOwner({ pep: true, sourceOfFunds: 'OTHER' })] });
    expect(fieldsOf(await submit(door))).toEqual([
      'ENTITY.name',
      'PERSONS.persons.0.pepDetails',
      'PERSONS.persons.0.sourceOfFundsText',
      'documents.LICENCE',
      'documents.OWNERSHIP_STRUCTURE',
      'documents.REGISTRY_EXTRACT',
      'persons.0.documents.PERSON_DOCUMENT_BACK',
      'persons.0.documents.PERSON_DOCUMENT_FRONT',
      'persons.0.documents.PERSON_SELFIE',
    ]);
    expect((await rowOf(door.applicationId)).status).toBe('DRAFT');
  });

  it('422 OWNERSHIP_INVALID: a complete form whose shares are wrong', async () => {
    const door = await begun();
    await fillKyb(api, door, { persons: { persons: [anOwner({ ownershipPercent: 25 })] } });
    expect(titleOf(await submit(door))).toEqual([422, 'OWNERSHIP_INVALID']);
  });

  it('takes one of two submissions that come at once', async () => {
    const door = await begun();
    await fillKyb(api, door);
    const answers = await Promise.all([submit(door), submit(door)]);
    expect(answers.map((one) => one.status).toSorted()).toEqual([202, 409]);
  });
});

describe('a correction', () => {
  const marksOf = (door: KybDoor) =>
    api.owner
      .selectFrom('kyb_sections')
      .select(['section', 'state'])
      .where('application_id', '=', door.applicationId)
      .execute()
      .then((rows) => Object.fromEntries(rows.map((row) => [row.section, row.state])));

  /** An application whose reviewer found everything right but `section`. */
  async function marked(section: KybSection, form: FilledForm = {}): Promise<KybDoor & { personId: string }> {
    const door = await begun();
    const [personId = ''] = await fillKyb(api, door, form);
    await submit(door);
    const { applicationId } = door;
    const [status, correct] = ['NEEDS_CORRECTION', 'VERIFIED'] as const;
    const sections = api.owner.updateTable('kyb_sections').where('application_id', '=', applicationId);
    await sections.set({ state: correct }).execute();
    await sections.set({ state: status, changed: false }).where('section', '=', section).execute();
    await api.owner
      .updateTable('kyb_applications')
      .set({ status })
      .where('application_id', '=', applicationId)
      .execute();
    return { ...door, personId };
  }

  const uploaded = async (door: KybDoor, fields: Record<string, string>) => {
    const answer = await upload(door, fields);
    return answer.status === 201 ? 201 : titleOf(answer);
  };

  it('of the persons takes the documents of one more, and they are looked at again', async () => {
    const door = await marked('PERSONS');
    const { personId } = door;
    const second = anOwner({ ownershipPercent: 40, roles: ['BENEFICIAL_OWNER'] });
    const first = anOwner({ personId, ownershipPercent: 60 });
    const ids = personIdsOf(await put(door, 'PERSONS', { persons: [first, second] }));
    expect((await marksOf(door))['DOCUMENTS']).toBe('VERIFIED');
    const added = { personId: ids[1] ?? '', documentType: 'passport' };
    expect(await uploaded(door, { type: 'PERSON_DOCUMENT_FRONT', ...added })).toBe(201);
    expect(await uploaded(door, { type: 'PERSON_SELFIE', ...added })).toBe(201);
    expect(await uploaded(door, { type: 'LICENCE' })).toEqual([409, 'STATE_CONFLICT']);
    expect((await marksOf(door))['DOCUMENTS']).toBe('PENDING');
    expect((await submit(door)).status).toBe(202);
  });

  it('of the persons loses no document unseen: what fell away with a person is looked at again', async () => {
    const door = await marked('PERSONS');
    await put(door, 'PERSONS', { persons: [anOwner()] });
    expect(await marksOf(door)).toMatchObject({ DOCUMENTS: 'PENDING', ENTITY: 'VERIFIED' });
  });

  it.each<[KybSection, object, string]>([
    ['ENTITY', anEntity({ name: 'Polna Works II' }), 'OWNERSHIP_STRUCTURE'],
    ['BUSINESS', aBusiness({ licences: [{ authority: 'KNF', number: '1', country: 'PL' }] }), 'LICENCE'],
  ])('of %s takes the document that it comes to need', async (section, body, type) => {
    const soleTrader = anEntity({ legalForm: 'SOLE_TRADER' });
    const door = await marked(section, section === 'ENTITY' ? { entity: soleTrader } : {});
    expect((await put(door, section, body)).status).toBe(200);
    expect(await uploaded(door, { type })).toBe(201);
    expect(await uploaded(door, { type: 'POWER_OF_ATTORNEY' })).toEqual([409, 'STATE_CONFLICT']);
    expect((await submit(door)).status).toBe(202);
  });

  it('of the contact opens no document', async () => {
    const door = await marked('CONTACT');
    expect(await uploaded(door, { type: 'OTHER' })).toEqual([409, 'STATE_CONFLICT']);
  });
});

describe('/secure/kyb/applications', () => {
  it('is the same form for the partner, without a token', async () => {
    const door = await aServerKyb(api);
    const read = await atDoor(api, door, 'GET', '');
    expect(read.body).toMatchObject({ status: 'DRAFT', channel: 'SERVER' });
    await fillKyb(api, door);
    expect((await submit(door)).body).toMatchObject({ status: 'SUBMITTED' });
  });

  it("404: another partner's application, and one of another programme", async () => {
    const door = await aServerKyb(api);
    const path = `/secure/kyb/applications/${door.applicationId}`;
    const never = await api.call('GET', `/secure/kyb/applications/${randomUUID()}`);
    expect(titleOf(never)).toEqual([404, 'APPLICATION_NOT_FOUND']);
    const foreign = await api.call('GET', path, { as: 'other' });
    const elsewhere = await api.call('GET', path, { headers: { 'Issuer-Code': 'credit' } });
    expect([foreign.text, elsewhere.text]).toEqual([never.text, never.text]);
  });

  it('answers a repeat under one key with the one application', async () => {
    const headers = { 'Issuer-Code': 'sandbox', 'X-Idempotency-Key': randomUUID() };
    const body = aContact();
    const first = await api.call('POST', '/secure/kyb/applications', { headers, body });
    const again = await api.call('POST', '/secure/kyb/applications', { headers, body });
    expect([again.headers['idempotency-replayed'], again.text]).toEqual(['true', first.text]);
  });
});

describe('GET /kyb/{issuerCode}', () => {
  const page = (path: string, method = 'GET') => api.call(method, path, { as: 'nobody', listener: 'public' });

  it('200: the form of a programme, and the way back into it, with files of ours alone', async () => {
    for (const path of ['/kyb/sandbox', '/kyb/resume?token=kyb_x']) {
      const answer = await page(path);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=UTF-8']);
      expect(answer.headers['referrer-policy']).toBe('no-referrer');
      expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
      const files = [...answer.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
      expect(files).toEqual(['/kyb/form.css', '/kyb/form.js']);
      for (const file of files) expect((await page(file)).status).toBe(200);
    }
  });

  it('404: an unknown programme; 405: another method', async () => {
    expect(titleOf(await page('/kyb/nowhere'))).toEqual([404, 'PROGRAMME_NOT_FOUND']);
    expect(titleOf(await page('/kyb/form.html'))).toEqual([404, 'PROGRAMME_NOT_FOUND']);
    expect(titleOf(await page('/kyb/sandbox', 'DELETE'))).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(titleOf(await page('/kyb/applications'))).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });

  it('does not log the token of a link', async () => {
    await page('/kyb/resume?token=kyb_secretofalink');
    expect(api.logLines().join('')).not.toContain('kyb_secretofalink');
  });
});
