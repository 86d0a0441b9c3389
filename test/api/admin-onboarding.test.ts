import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aHit, anApplication } from '../support/admin-samples.ts';
import { anAppUser, enter } from '../support/app-users.ts';
import { aBalance, aCompany, aCorporation, aCustomer, anEmployee, aPerson } from '../support/builders.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';
import { anUpload } from '../support/kyb.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';
import { aJpeg } from '../support/pictures.ts';
import { usersFile, verificationForm } from '../support/route-samples.ts';

let api: ApiHarness;
let admin: TestOperator;
let employee: TestOperator;
let platform: TestOperator;

beforeAll(async () => {
  api = await startApi();
  admin = await anOperator(api, { role: 'Admin', partner: 'demo' });
  employee = await anOperator(api, { role: 'Employee', partner: 'demo' });
  platform = await anOperator(api, { role: 'Admin' });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const send = (method: string, path: string, body?: object, as = admin, headers = {}) =>
  adminCall(api, method, `/admin${path}`, as, { headers, ...(body === undefined ? {} : { body }) });

const sendForm = (path: string, form: FormData, as = admin) =>
  adminCall(api, 'POST', `/admin${path}`, as, { form });

const audited = async (objectId: string | number) =>
  (
    await api.owner
      .selectFrom('audit_log')
      .select(['action', 'actor_id'])
      .where('object_id', '=', String(objectId))
      .where('actor_type', '=', 'OPERATOR')
      .orderBy('id')
      .execute()
  ).map((row) => [row.action, row.actor_id]);

describe('documents', () => {
  it('leave as files to be saved, after their audit row', async () => {
    const customerId = await aCustomer(api);
    const picture = await aJpeg();
    const sent = await sendForm(`/customers/${customerId}/verifications`, verificationForm(picture));
    expect([sent.status, sent.body.channel]).toEqual([201, 'ADMIN']);
    const path = `/verifications/${sent.body.verificationId}`;
    const { documents, form, history } = (await send('GET', path)).body;
    expect(form).toMatchObject({ firstName: 'Ada', identityCardNo: 'ASD123456', pesel: null });
    expect(history.map((one: { action: string }) => one.action)).toEqual([
      'verification.read',
      'verification.submitted',
    ]);
    const [first] = documents;
    const token = { Authorization: `Bearer ${admin.token}` };
    const answer = await api.call('GET', `/admin${path}/documents/${first.documentId}`, {
      as: 'nobody',
      listener: 'public',
      headers: token,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': first.mediaType,
      'content-disposition': 'attachment',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    const bytes = await api.bytes(`/admin${path}/documents/${first.documentId}`, token);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(first.sha256);
    expect(await audited(first.documentId)).toEqual([
      ['verification.document_read', admin.operatorId],
      ['verification.document_read', admin.operatorId],
    ]);
    const { applicationId, documentId } = await anApplication(api);
    const pdf = await send('GET', `/kyb/applications/${applicationId}/documents/${documentId}`);
    expect([pdf.status, pdf.headers['content-type']]).toEqual([200, 'application/pdf']);
    expect(await audited(applicationId)).toEqual([['kyb.document_read', admin.operatorId]]);
  });

  it('belong to their own case: another one has none of that id', async () => {
    const [one, other] = [await aCustomer(api), await aCustomer(api)];
    const ids: string[] = [];
    for (const customerId of [one, other]) {
      const form = verificationForm(await aJpeg());
      ids.push((await sendForm(`/customers/${customerId}/verifications`, form)).body.verificationId);
    }
    const { documents } = (await send('GET', `/verifications/${ids[0]}`)).body;
    const crossed = await send('GET', `/verifications/${ids[1]}/documents/${documents[0].documentId}`);
    expect([crossed.status, crossed.body.title]).toEqual([404, 'DOCUMENT_NOT_FOUND']);
  });
});

describe('forms', () => {
  it('are corrected against the version that was read; the user stays as they are', async () => {
    const customerId = await aCustomer(api);
    const sent = await sendForm(`/customers/${customerId}/verifications`, verificationForm(await aJpeg()));
    const path = `/verifications/${sent.body.verificationId}`;
    const change = { lastName: 'Nowacka', pesel: '90041200000', pep: true, version: 1 };
    const changed = await send('PUT', path, change);
    expect([changed.status, changed.body.lastName, changed.body.version]).toEqual([200, 'Nowacka', 2]);
    const late = await send('PUT', path, change);
    expect([late.status, late.body.title]).toEqual([409, 'VERSION_CONFLICT']);
    const seen = (await send('GET', path)).body;
    expect(seen.form).toMatchObject({
      lastName: 'Nowacka',
      firstName: 'Ada',
      pesel: '90041200000',
      pep: true,
    });
    expect(seen.flags).toEqual(expect.arrayContaining(['NAME_DIFFERS', 'PEP_DECLARED']));
    expect((await send('GET', `/customers/${customerId}`)).body.lastName).toBe('Nowak');
    const wrong = await send('PUT', path, { birthDate: '1990-02-30', city: '', version: 2 });
    expect([wrong.status, wrong.body.errors.map((one: { field: string }) => one.field).toSorted()]).toEqual([
      400,
      ['birthDate', 'city'],
    ]);
  });
});

describe('users', () => {
  it('are added, changed, found, locked, unlocked and deleted', async () => {
    const { state: _state, kyc: _kyc, ...person } = aPerson();
    const made = await send('POST', '/customers', { ...person, issuerCode: 'sandbox' });
    expect(made.status).toBe(201);
    const { id } = made.body;
    expect(made.headers['location']).toBe(`/admin/customers/${id}`);
    const foreign = await send('POST', '/customers', { ...aPerson(), issuerCode: 'other' });
    expect([foreign.status, foreign.body.title]).toEqual([404, 'PROGRAMME_NOT_FOUND']);
    expect((await send('PUT', `/customers/${id}`, { lastName: 'Nowacka' })).body.lastName).toBe('Nowacka');
    for (const q of [String(id), person['phone'], `+${String(person['phone'])}`, person['email']]) {
      const found = await send('GET', `/customers?q=${encodeURIComponent(String(q))}`);
      expect(found.body.items.map((one: { id: number }) => one.id)).toEqual([id]);
    }
    expect((await send('GET', '/customers?q=nobody')).body.items).toEqual([]);
    expect((await send('POST', `/customers/${id}/lock`, { reason: 'lost phone' }, employee)).status).toBe(
      204,
    );
    expect((await send('GET', `/customers/${id}`)).body.state).toBe('LOCKED');
    expect((await send('POST', `/customers/${id}/unlock`, {}, employee)).status).toBe(403);
    expect((await send('POST', `/customers/${id}/unlock`, { reason: 'found' })).status).toBe(204);
    expect((await send('DELETE', `/customers/${id}`)).status).toBe(204);
    expect((await send('GET', `/customers/${id}`)).body).toMatchObject({ id, state: 'DELETED', devices: [] });
  });

  it('are shown with what is theirs; birth date and address are hidden from Employees', async () => {
    const { customerId, installationId, sessionId } = await anAppUser(api);
    const balanceId = await aBalance(api, customerId);
    const address = { street: 'Polna', number: '1', city: 'Lublin', postCode: '20-128', country: 'PL' };
    expect((await send('PUT', `/customers/${customerId}/addresses/RESIDENCE`, address)).status).toBe(201);
    const { body } = await send('GET', `/customers/${customerId}`);
    expect(body.birthDate).toBe('1991-05-17');
    expect(body.balances.map((one: { id: string }) => one.id)).toContain(balanceId);
    expect(body.devices).toMatchObject([{ deviceInstallationId: installationId, state: 'ACTIVE' }]);
    expect(body.sessions).toMatchObject([{ sessionId }]);
    const hidden = await send('GET', `/customers/${customerId}`, undefined, employee);
    expect(hidden.body.birthDate).toBe('****-**-**');
    const seen = await send('GET', `/customers/${customerId}/addresses`, undefined, employee);
    expect(seen.body.items).toMatchObject([{ type: 'RESIDENCE', street: '***', country: 'PL' }]);
    expect(seen.text).not.toContain('Polna');
  });

  it('lose devices and sessions at once', async () => {
    const { customerId, installationId, token } = await anAppUser(api);
    const me = () =>
      api.call('GET', '/customers/me', {
        as: 'nobody',
        listener: 'public',
        headers: { Authorization: `Bearer ${token}` },
      });
    expect((await me()).status).toBe(200);
    expect((await send('DELETE', `/customers/${customerId}/sessions`, undefined, employee)).status).toBe(204);
    expect((await me()).status).toBe(401);
    const device = `/customers/${customerId}/devices/${installationId}`;
    expect((await send('DELETE', device, undefined, employee)).status).toBe(204);
    const left = await send('GET', `/customers/${customerId}/devices`);
    expect(left.body.items).toMatchObject([{ deviceInstallationId: installationId, state: 'UNPAIRED' }]);
  });

  it('may sign in again after credentials-unlock', async () => {
    const { customerId, installationId } = await anAppUser(api);
    const signIn = (password: string) =>
      enter(api, 'POST', '/sessions', { deviceInstallationId: installationId, method: 'PASSWORD', password });
    for (let guess = 0; guess < 5; guess += 1) await signIn('wrong one of mine');
    expect((await signIn('violet harbour 73')).status).toBe(429);
    const path = `/customers/${customerId}/credentials-unlock`;
    expect((await send('POST', path, { reason: 'called us' })).status).toBe(204);
    expect((await signIn('violet harbour 73')).status).toBe(201);
  });
});

describe('transactional locks', () => {
  it.each([
    ['a user', async () => `/customers/${await aCustomer(api)}`, async () => '/lifecycle/v1/users'],
    [
      'a corporation',
      async () => `/corporations/${await aCorporation(api)}`,
      async () => '/lifecycle/v1/corporations',
    ],
  ])('of %s: operators add their own and lift those of all', async (_name, make, home) => {
    const path = await make();
    const id = path.split('/')[2];
    const partners = await api.call('POST', `${await home()}/${id}/transactional-locks`, {
      headers: { 'Issuer-Code': 'sandbox' },
      body: { lockReason: 'POLICE_LOCK' },
    });
    expect(partners.status).toBe(201);
    const locks = `${path}/transactional-locks`;
    expect((await send('POST', locks, { lockReason: 'POLICE_LOCK', note: 'letter' })).status).toBe(201);
    expect((await send('POST', locks, { lockReason: 'POLICE_LOCK' })).status).toBe(200);
    const listed = await send('GET', locks, undefined, employee);
    expect(listed.body.items.map((one: { origin: string }) => one.origin)).toEqual(['OPERATOR', 'PARTNER']);
    expect((await send('DELETE', `${locks}/POLICE_LOCK?note=withdrawn`)).status).toBe(204);
    expect((await send('GET', locks)).body.items).toEqual([]);
    const again = await send('DELETE', `${locks}/POLICE_LOCK`);
    expect([again.status, again.body.title]).toEqual([404, 'LOCK_REASON_NOT_FOUND']);
  });

  it('of a sanction stay while the hit is not cleared', async () => {
    const customerId = await aCustomer(api);
    await aHit(api, customerId);
    const locks = `/customers/${customerId}/transactional-locks`;
    await send('POST', locks, { lockReason: 'SCREENING_DETECTED' });
    const refused = await send('DELETE', `${locks}/SCREENING_DETECTED`);
    expect([refused.status, refused.body.title]).toEqual([422, 'LOCK_REASON_NOT_REMOVABLE']);
  });
});

describe('screening', () => {
  it('hits are decided once, a confirmed sanction locks', async () => {
    const customerId = await aCustomer(api);
    const hitId = await aHit(api, customerId);
    const key = { 'X-Idempotency-Key': randomUUID() };
    const decide = (headers = {}) =>
      send(
        'POST',
        `/screening/hits/${hitId}/decision`,
        { decision: 'CONFIRMED', note: 'the very one' },
        admin,
        headers,
      );
    const decided = await decide(key);
    expect(decided).toMatchObject({ status: 200, body: { state: 'CONFIRMED', decidedBy: admin.operatorId } });
    expect((await decide(key)).headers['idempotency-replayed']).toBe('true');
    expect((await decide()).body.title).toBe('STATE_CONFLICT');
    const { locks } = (await send('GET', `/customers/${customerId}`)).body;
    expect(locks).toMatchObject([{ lockReason: 'SCREENING_DETECTED', origin: 'SYSTEM' }]);
  });

  it('lists are replaced as a whole by the platform alone, or not at all', async () => {
    const upload = (rows: string[], as = platform) => {
      const content = ['entryId,kind,name,aliases,birthDates,countries', ...rows].join('\n');
      return sendForm('/screening/lists/UN', anUpload({}, Buffer.from(content), 'text/csv'), as);
    };
    const loaded = await upload(['u-1,PERSON,Jan Zly,J. Zly|Zly Jan,1970,PL', 'u-2,ENTITY,Zla Spolka,,,']);
    expect(loaded.status).toBe(202);
    const refused = await upload(['u-3,PERSON,,,,', 'u-4,ANIMAL,Rex,,,']);
    expect([refused.status, refused.body.title]).toEqual([422, 'SCREENING_LIST_INVALID']);
    expect(refused.body.errors.map((one: { field: string }) => one.field)).toEqual(['line 2', 'line 3']);
    const picture = await sendForm(
      '/screening/lists/UN',
      anUpload({}, await aJpeg(), 'image/jpeg'),
      platform,
    );
    expect(picture.status).toBe(415);
    expect((await upload(['u-5,PERSON,Jan Zly,,,'], admin)).status).toBe(404);
    const { items } = (await send('GET', '/screening/lists')).body;
    expect(items).toMatchObject([{ list: 'UN', entries: 2, listVersionId: loaded.body.listVersionId }]);
  });
});

describe('companies', () => {
  it('are added, changed, given addresses and employees', async () => {
    const made = await send('POST', '/corporations', { ...aCompany(), issuerCode: 'sandbox' });
    expect(made.status).toBe(201);
    const path = `/corporations/${made.body.dcCorporationId}`;
    expect((await send('PUT', path, { website: 'https://works.test' })).body.website).toBe(
      'https://works.test',
    );
    const hired = await send('POST', `${path}/employees`, { user: aPerson(), role: 'OWNER' });
    expect([hired.status, hired.headers['location']]).toEqual([
      201,
      `/admin${path}/employees/${hired.body.employeeId}`,
    ]);
    expect(
      (await send('GET', `/customers?corporationId=${made.body.dcCorporationId}`)).body.items,
    ).toMatchObject([{ id: hired.body.userId }]);
    const opened = await send('POST', `${path}/balances`, { currency: 'JPY' });
    expect(opened.status).toBe(201);
    const { items } = (await send('GET', `/balances?dcCorporationId=${made.body.dcCorporationId}`)).body;
    expect(items).toMatchObject([{ id: opened.body.id, currency: 'JPY', amount: 0 }]);
    expect((await send('POST', `${path}/lock`, {})).status).toBe(204);
    const locked = await send('POST', `${path}/balances`, { currency: 'CHF' });
    expect([locked.status, locked.body.title]).toEqual([422, 'CORPORATION_NOT_ACTIVE']);
    expect((await send('GET', path, undefined, employee)).body.state).toBe('LOCKED');
    expect((await send('DELETE', path, undefined, employee)).status).toBe(403);
    expect((await send('DELETE', path)).status).toBe(204);
  });

  it('begin their application by an operator, who writes to them', async () => {
    const contact = {
      contactName: 'Ada Nowak',
      contactEmail: 'ada@company.test',
      contactPhone: '48123456789',
      termsVersion: '1',
      issuerCode: 'sandbox',
    };
    const begun = await send('POST', '/kyb/applications', contact);
    expect(begun).toMatchObject({
      status: 201,
      body: { channel: 'ADMIN', status: 'DRAFT', issuerCode: 'sandbox' },
    });
    const path = `/kyb/applications/${begun.body.applicationId}`;
    const said = await send('POST', `${path}/comments`, { section: 'ENTITY', text: 'Which name?' });
    expect(said.status).toBe(201);
    expect((await send('POST', `${path}/claim`)).status).toBe(204);
    const other = await send('POST', `${path}/claim`, undefined, platform);
    expect([other.status, other.body.title]).toEqual([409, 'CLAIMED_BY_OTHER']);
    const seen = (await send('GET', path)).body;
    expect(seen.comments).toMatchObject([{ commentId: said.body.commentId, text: 'Which name?' }]);
    expect(seen.claimedBy).toBe(admin.operatorId);
    expect(seen.history.map((one: { action: string }) => one.action)).toEqual([
      'kyb.read',
      'kyb.claimed',
      'kyb.commented',
      'kyb.created',
    ]);
    const { items } = (await send('GET', `/kyb/applications?claimedBy=${admin.operatorId}`)).body;
    expect(items).toMatchObject([
      { applicationId: begun.body.applicationId, comments: 1, verifiedSections: 0 },
    ]);
  });
});

describe('imports', () => {
  it('are taken into the programme that is named', async () => {
    const form = usersFile();
    form.set('issuerCode', 'sandbox');
    const received = await sendForm('/imports/users', form);
    expect([received.status, received.body.state]).toEqual([202, 'RECEIVED']);
    const path = `/imports/users/${received.body.importId}`;
    expect(received.headers['location']).toBe(`/admin${path}`);
    expect((await send('GET', path)).body).toMatchObject({
      state: 'RECEIVED',
      mode: 'CREATE',
      dryRun: false,
    });
    expect((await send('POST', `${path}/cancel`)).status).toBe(202);
    expect((await sendForm('/imports/users', usersFile())).status).toBe(400);
  });
});

describe('lists', () => {
  const walk = async (path: string, pick: (item: Record<string, unknown>) => unknown) => {
    const seen: unknown[] = [];
    let cursor = '';
    for (let pages = 0; pages < 50; pages += 1) {
      const { body } = await send('GET', `${path}&limit=2${cursor}`);
      seen.push(...body.items.map(pick));
      if (body.nextCursor === null) return seen;
      cursor = `&cursor=${body.nextCursor}`;
    }
    throw new Error('a list without end');
  };

  it('come in the order asked for, page by page, equal ones too', async () => {
    const names = ['Beta', 'Alpha', 'Gamma', 'Beta', 'Beta'];
    const made: string[] = [];
    for (const name of names) made.push(await aCorporation(api, { name: `Sorted ${name}` }));
    const list = '/corporations?q=sorted';
    const byName = await walk(`${list}&sort=name`, (one) => one['name']);
    expect(byName).toEqual(names.toSorted().map((name) => `Sorted ${name}`));
    expect(await walk(`${list}&sort=-name`, (one) => one['name'])).toEqual(byName.toReversed());
    expect(await walk(list, (one) => one['dcCorporationId'])).toEqual(made.toReversed());
    expect(await walk(`${list}&sort=createdAt`, (one) => one['dcCorporationId'])).toEqual(made);
    const first = await send('GET', `${list}&sort=name&limit=2`);
    const crossed = await send('GET', `${list}&sort=-name&cursor=${first.body.nextCursor}`);
    expect([crossed.status, crossed.body.title]).toEqual([400, 'INVALID_CURSOR']);
    expect((await send('GET', `${list}&sort=taxId`)).status).toBe(400);
  });

  it('sort balances by what they hold', async () => {
    const customerId = await aCustomer(api);
    const ids: string[] = [];
    for (const amount of [300, 100, 200]) {
      const balanceId = await aBalance(api, customerId);
      await api.owner
        .updateTable('balances')
        .set({ posted: amount })
        .where('balance_id', '=', balanceId)
        .execute();
      ids.push(balanceId);
    }
    const path = `/customers/${customerId}/balances?currency=EUR`;
    const amounts = (await walk(`${path}&sort=amount`, (one) => one['amount'])) as number[];
    expect(amounts).toEqual(amounts.toSorted((left, right) => left - right));
    expect(amounts.slice(-3)).toEqual([100, 200, 300]);
    const all = await walk(`/balances?q=${customerId}&sort=-available`, (one) => one['amount']);
    expect(all.slice(0, 3)).toEqual([300, 200, 100]);
  });

  it('leave as CSV of what the filters let through, harmless to spreadsheets, with an audit row', async () => {
    const id = await aCorporation(api, { name: '=cmd "x", y' });
    const file = await send('GET', `/corporations?q=${id}&format=csv`);
    expect(file.headers).toMatchObject({
      'content-type': 'text/csv; charset=UTF-8',
      'content-disposition': 'attachment; filename="adminListCorporations.csv"',
    });
    const [head, row, end] = file.text.replace('\uFEFF', '').split('\r\n');
    expect(head).toBe('dcCorporationId,name,taxId,country,state,kyb,transactionalLocks,createdAt');
    expect(row).toContain(`${id},"'=cmd ""x"", y",`);
    expect(end).toBe('');
    const exported = await api.owner
      .selectFrom('audit_log')
      .select('after')
      .where('action', '=', 'list.exported')
      .where('actor_id', '=', admin.operatorId)
      .execute();
    expect(exported).toEqual([{ after: { filters: ['q'], rows: 1 } }]);
    for (const path of [
      '/customers',
      '/verifications',
      '/kyb/applications',
      '/screening/hits',
      '/balances',
      '/cards',
      '/transactions',
      '/partner-balances',
    ]) {
      const some = await send('GET', `${path}?format=csv`);
      expect([path, some.status, some.text.split('\r\n').length > 1]).toEqual([path, 200, true]);
    }
  });

  it('find transactions of the last week unless told otherwise', async () => {
    const answer = await send('GET', '/transactions?mcc=5411&merchantName=Shop&country=POL');
    expect([answer.status, answer.body.items]).toEqual([200, []]);
    expect((await send('GET', '/transactions?mcc=54')).status).toBe(400);
  });
});

describe('employees', () => {
  it('of a corporation are one page each in the order of their hiring', async () => {
    const dcCorporationId = await aCorporation(api);
    const first = await anEmployee(api, dcCorporationId);
    const second = await anEmployee(api, dcCorporationId);
    const path = `/corporations/${dcCorporationId}/employees?limit=1`;
    const page = (await send('GET', path)).body;
    expect(page.items).toMatchObject([{ employeeId: second.employeeId }]);
    const next = await send('GET', `${path}&cursor=${page.nextCursor}`);
    expect(next.body).toMatchObject({ items: [{ employeeId: first.employeeId }], nextCursor: null });
  });
});
