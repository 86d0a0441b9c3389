import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import {
  adminCall,
  anOperator,
  moveClock,
  newestSecretMail,
  PASSWORD,
  type TestOperator,
  tokenOf,
} from '../support/operators.ts';

let api: ApiHarness;
let admin: TestOperator;

beforeAll(async () => {
  api = await startApi();
  admin = await anOperator(api, { role: 'Admin' });
});

afterEach(async () => {
  await moveClock(api.owner, 0);
});

afterAll(async () => {
  await api.stop();
});

const told = (answer: HttpAnswer) => [answer.status, answer.body?.title];
const call = (as: TestOperator, method: string, path: string, body?: object, headers = {}) =>
  adminCall(api, method, `/admin${path}`, as, { headers, ...(body === undefined ? {} : { body }) });
const person = (role: string) => ({
  email: `${randomUUID()}@operators.test`,
  firstName: 'Ewa',
  lastName: 'Lis',
  role,
});
const versionOf = async (id: string): Promise<number> =>
  (await call(admin, 'GET', `/operators/${id}`)).body.version;
const makeAdmin = async (as: TestOperator, id: string, headers = {}) =>
  await call(as, 'PUT', `/operators/${id}`, { version: await versionOf(id), role: 'Admin' }, headers);

describe('invitations', () => {
  it('201: a link is mailed; with it a first password is chosen, once', async () => {
    const body = person('Manager');
    const invited = await call(admin, 'POST', '/operators', body);
    expect(invited.status).toBe(201);
    expect(invited.body).toMatchObject({ state: 'INVITED', scope: 'PLATFORM', email: body.email });
    const token = tokenOf(await newestSecretMail(api, 'operatorInvitation', body.email));
    const accept = (password: string) =>
      adminCall(api, 'POST', '/admin/invitations/accept', null, { body: { token, password } });
    expect(told(await accept('Ewa Lis is my name'))).toEqual([422, 'WEAK_SECRET']);
    expect((await accept(PASSWORD)).status).toBe(204);
    expect(told(await accept(PASSWORD))).toEqual([401, 'LINK_INVALID']);
    expect((await call(admin, 'GET', `/operators/${invited.body.id}`)).body.state).toBe('ACTIVE');
    const again = await call(admin, 'POST', `/operators/${invited.body.id}/invitation`);
    expect(told(again)).toEqual([409, 'STATE_CONFLICT']);
  });

  it('an expired invitation is helped by a password reset', async () => {
    const body = person('Employee');
    const invited = await call(admin, 'POST', '/operators', body);
    const token = tokenOf(await newestSecretMail(api, 'operatorInvitation', body.email));
    await moveClock(api.owner, 3_601);
    const door = (path: string, sent: object) =>
      adminCall(api, 'POST', `/admin${path}`, null, { body: sent });
    expect(told(await door('/invitations/accept', { token, password: PASSWORD }))).toEqual([
      401,
      'LINK_INVALID',
    ]);
    await door('/password-resets', { email: body.email });
    const reset = tokenOf(await newestSecretMail(api, 'operatorPasswordReset', body.email));
    expect((await door('/password-resets/confirm', { token: reset, newPassword: PASSWORD })).status).toBe(
      204,
    );
    await moveClock(api.owner, 0);
    expect((await call(admin, 'GET', `/operators/${invited.body.id}`)).body.state).toBe('ACTIVE');
  });

  it('409 for an address that is taken, also one of another partner', async () => {
    const other = await anOperator(api, { role: 'Admin', partner: 'other' });
    const answer = await call(
      await anOperator(api, { role: 'Admin', partner: 'demo' }),
      'POST',
      '/operators',
      { ...person('Employee'), email: other.email.toUpperCase() },
    );
    expect(told(answer)).toEqual([409, 'EMAIL_ALREADY_REGISTERED']);
  });

  it("a Manager invites no Admin; a partner's operators invite for their partner only", async () => {
    const manager = await anOperator(api, { role: 'Manager', partner: 'demo' });
    expect(told(await call(manager, 'POST', '/operators', person('Admin')))).toEqual([403, 'FORBIDDEN']);
    const invited = await call(manager, 'POST', '/operators', person('Employee'));
    expect(invited.body).toMatchObject({ scope: 'PARTNER', partnerId: api.demo.partner.id });
    const { public_id: elsewhere } = await api.owner
      .selectFrom('partners')
      .select('public_id')
      .where('code', '=', 'other')
      .executeTakeFirstOrThrow();
    const foreign = await call(manager, 'POST', '/operators', {
      ...person('Employee'),
      partnerId: elsewhere,
    });
    expect(told(foreign)).toEqual([404, 'PARTNER_NOT_FOUND']);
    const byPlatform = await call(admin, 'POST', '/operators', {
      ...person('Employee'),
      partnerId: elsewhere,
    });
    expect(byPlatform.body).toMatchObject({ scope: 'PARTNER', partnerId: elsewhere });
  });
});

describe('an Admin', () => {
  it('is invited by two: before the second agrees there is neither operator nor mail', async () => {
    const second = await anOperator(api, { role: 'Admin' });
    const body = person('Admin');
    const asked = await call(admin, 'POST', '/operators', body);
    expect([asked.status, asked.body.kind]).toEqual([202, 'ADMIN_GRANT']);
    expect(JSON.stringify(asked.body)).not.toContain(body.email);
    expect(await newestSecretMail(api, 'operatorInvitation', body.email)).toBeUndefined();
    expect(told(await call(admin, 'POST', '/operators', body))).toEqual([409, 'APPROVAL_PENDING']);
    const approve = `/approvals/${asked.body.approvalId}/approve`;
    expect(told(await call(admin, 'POST', approve, {}))).toEqual([403, 'SAME_PERSON']);
    const approved = await call(second, 'POST', approve, {});
    expect([approved.status, approved.body.answer]).toMatchObject([200, { role: 'Admin', state: 'INVITED' }]);
    const token = tokenOf(await newestSecretMail(api, 'operatorInvitation', body.email));
    const accept = { body: { token, password: PASSWORD } };
    expect((await adminCall(api, 'POST', '/admin/invitations/accept', null, accept)).status).toBe(204);
  });

  it("of a partner takes two of that partner's Admins, who stay in it", async () => {
    const own = await anOperator(api, { role: 'Admin', partner: 'demo' });
    const other = await anOperator(api, { role: 'Admin', partner: 'demo' });
    const asked = await call(own, 'POST', '/operators', person('Admin'));
    const approved = await call(other, 'POST', `/approvals/${asked.body.approvalId}/approve`, {});
    expect([approved.status, approved.body.answer]).toMatchObject([
      200,
      { role: 'Admin', scope: 'PARTNER', partnerId: api.demo.partner.id },
    ]);
  });
});

describe('states', () => {
  const disableAllOfPartners = () =>
    api.owner
      .updateTable('operators')
      .set({ state: 'DISABLED' })
      .where('partner_id', 'is not', null)
      .execute();

  it('disable ends every session at once; enable brings the operator back', async () => {
    const one = await anOperator(api, { role: 'Employee' });
    const disabled = await call(admin, 'POST', `/operators/${one.operatorId}/disable`);
    expect(disabled.body.state).toBe('DISABLED');
    expect(told(await call(one, 'GET', '/session'))).toEqual([401, 'SESSION_EXPIRED']);
    expect((await call(admin, 'POST', `/operators/${one.operatorId}/enable`)).body.state).toBe('INVITED');
  });

  it('DELETE sessions ends all of them', async () => {
    const one = await anOperator(api, { role: 'Employee' });
    expect((await call(admin, 'DELETE', `/operators/${one.operatorId}/sessions`)).status).toBe(204);
    expect(told(await call(one, 'GET', '/session'))).toEqual([401, 'SESSION_EXPIRED']);
  });

  it('nobody disables oneself, and the last active Admin of a scope stays one', async () => {
    expect(told(await call(admin, 'POST', `/operators/${admin.operatorId}/disable`))).toEqual([
      409,
      'STATE_CONFLICT',
    ]);
    await disableAllOfPartners();
    const other = await anOperator(api, { role: 'Admin', partner: 'other' });
    const last = `/operators/${other.operatorId}`;
    expect(told(await call(admin, 'POST', `${last}/disable`))).toEqual([409, 'STATE_CONFLICT']);
    const version = await versionOf(other.operatorId);
    expect(told(await call(admin, 'PUT', last, { version, role: 'Employee' }))).toEqual([
      409,
      'STATE_CONFLICT',
    ]);
  });

  it('two Admins who take each other away at the same time leave one', async () => {
    await disableAllOfPartners();
    const pair = [
      await anOperator(api, { role: 'Admin', partner: 'demo' }),
      await anOperator(api, { role: 'Admin', partner: 'demo' }),
    ] as const;
    const answers = await Promise.all([
      call(pair[0], 'POST', `/operators/${pair[1].operatorId}/disable`),
      call(pair[1], 'POST', `/operators/${pair[0].operatorId}/disable`),
    ]);
    expect(answers.map((one) => one.status).toSorted()[0]).toBe(200);
    const left = await api.owner
      .selectFrom('operators')
      .select('operator_id')
      .where('partner_id', 'is not', null)
      .where('role', '=', 'Admin')
      .where('state', '=', 'ACTIVE')
      .execute();
    expect(left).toHaveLength(1);
  });

  it('a role that is taken away acts on the live session', async () => {
    const one = await anOperator(api, { role: 'Manager' });
    expect((await call(one, 'GET', '/operators')).status).toBe(200);
    const version = await versionOf(one.operatorId);
    await call(admin, 'PUT', `/operators/${one.operatorId}`, { version, role: 'Employee' });
    expect(told(await call(one, 'GET', '/operators'))).toEqual([403, 'FORBIDDEN']);
    const stale = await call(admin, 'PUT', `/operators/${one.operatorId}`, { version, role: 'Manager' });
    expect(told(stale)).toEqual([409, 'VERSION_CONFLICT']);
  });
});

it('operators of a suspended partner work on while its certificates are refused', async () => {
  const own = await anOperator(api, { role: 'Manager', partner: 'other' });
  const set = (state: 'ACTIVE' | 'SUSPENDED') =>
    api.owner.updateTable('partners').set({ state }).where('code', '=', 'other').execute();
  await set('SUSPENDED');
  const server = () => api.call('GET', '/secure/partner-balances', { as: 'other' });
  await expect.poll(async () => (await server()).body.title).toBe('PARTNER_SUSPENDED');
  expect((await call(own, 'GET', '/cards')).status).toBe(200);
  expect((await call(own, 'POST', '/operators', person('Employee'))).status).toBe(201);
  await set('ACTIVE');
});

describe('four eyes', () => {
  const approve = (as: TestOperator, id: string, body: object = {}) =>
    call(as, 'POST', `/approvals/${id}/approve`, body);

  it('202 changes nothing; another Admin approves, and it happens once', async () => {
    const second = await anOperator(api, { role: 'Admin' });
    const one = await anOperator(api, { role: 'Manager' });
    const asked = await makeAdmin(admin, one.operatorId);
    expect(asked.status).toBe(202);
    expect(asked.body).toEqual({
      approvalId: expect.any(String),
      state: 'PENDING',
      kind: 'ADMIN_GRANT',
      summary: 'Operator becomes Admin',
      subject: { type: 'operator', id: one.operatorId },
      expiresAt: expect.any(String),
    });
    expect((await call(admin, 'GET', `/operators/${one.operatorId}`)).body).toMatchObject({
      role: 'Manager',
      version: 1,
    });
    expect(told(await makeAdmin(admin, one.operatorId))).toEqual([409, 'APPROVAL_PENDING']);
    expect(told(await approve(admin, asked.body.approvalId))).toEqual([403, 'SAME_PERSON']);
    const shown = await call(second, 'GET', `/approvals/${asked.body.approvalId}`);
    expect(shown.body.request).toEqual({
      params: { operatorId: one.operatorId },
      query: {},
      body: { version: 1, role: 'Admin' },
    });
    const answers = await Promise.all([
      approve(second, asked.body.approvalId, { comment: 'known to me' }),
      approve(second, asked.body.approvalId, { comment: 'known to me' }),
    ]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 409]);
    expect((await call(admin, 'GET', `/operators/${one.operatorId}`)).body).toMatchObject({
      role: 'Admin',
      version: 2,
    });
    const settled = await call(admin, 'GET', `/approvals/${asked.body.approvalId}`);
    expect(settled.body).toMatchObject({
      state: 'APPROVED',
      decidedBy: second.operatorId,
      comment: 'known to me',
    });
  });

  it('with an idempotency key the same 202 comes again', async () => {
    const one = await anOperator(api, { role: 'Manager' });
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const asked = await makeAdmin(admin, one.operatorId, headers);
    const repeated = await makeAdmin(admin, one.operatorId, headers);
    expect([repeated.status, repeated.text]).toEqual([202, asked.text]);
    expect(repeated.headers['idempotency-replayed']).toBe('true');
  });

  it('what is refused at once is never kept', async () => {
    const asked = await call(admin, 'PUT', `/operators/${randomUUID()}`, { version: 1, role: 'Admin' });
    expect(told(asked)).toEqual([404, 'OPERATOR_NOT_FOUND']);
    const manager = await anOperator(api, { role: 'Manager' });
    expect(told(await call(manager, 'PUT', `/operators/${randomUUID()}`, { version: 1 }))).toEqual([
      403,
      'FORBIDDEN',
    ]);
  });

  it('FAILED when it can no longer be done: the one who approves is told why', async () => {
    const second = await anOperator(api, { role: 'Admin' });
    const one = await anOperator(api, { role: 'Manager' });
    const asked = await makeAdmin(admin, one.operatorId);
    await call(admin, 'PUT', `/operators/${one.operatorId}`, { version: 1, firstName: 'Changed' });
    expect(told(await approve(second, asked.body.approvalId))).toEqual([409, 'VERSION_CONFLICT']);
    const shown = await call(second, 'GET', `/approvals/${asked.body.approvalId}`);
    expect(shown.body).toMatchObject({ state: 'FAILED', result: { title: 'VERSION_CONFLICT' } });
    expect((await call(admin, 'GET', `/operators/${one.operatorId}`)).body.role).toBe('Manager');
  });

  it('is decided by those the kind allows, in scope, with a fresh code; cancelled by the one who asked', async () => {
    const one = await anOperator(api, { role: 'Employee' });
    const asked = await makeAdmin(admin, one.operatorId);
    const path = `/approvals/${asked.body.approvalId}`;
    const manager = await anOperator(api, { role: 'Manager' });
    const employee = await anOperator(api, { role: 'Employee' });
    const foreign = await anOperator(api, { role: 'Admin', partner: 'other' });
    const second = await anOperator(api, { role: 'Admin' });
    expect(told(await approve(manager, asked.body.approvalId))).toEqual([403, 'FORBIDDEN']);
    expect(told(await approve(employee, asked.body.approvalId))).toEqual([403, 'FORBIDDEN']);
    expect(told(await approve(foreign, asked.body.approvalId))).toEqual([404, 'APPROVAL_NOT_FOUND']);
    expect((await call(foreign, 'GET', '/approvals')).body.items).toEqual([]);
    expect(told(await call(second, 'POST', `${path}/cancel`))).toEqual([403, 'FORBIDDEN']);
    await moveClock(api.owner, 301);
    expect(told(await approve(second, asked.body.approvalId))).toEqual([403, 'STEP_UP_REQUIRED']);
    expect((await call(second, 'POST', `${path}/reject`, { reason: 'not wanted' })).body.state).toBe(
      'REJECTED',
    );
    expect(told(await call(admin, 'POST', `${path}/cancel`))).toEqual([409, 'STATE_CONFLICT']);
    const next = await makeAdmin(admin, one.operatorId);
    const cancelled = await call(admin, 'POST', `/approvals/${next.body.approvalId}/cancel`);
    expect(cancelled.body.state).toBe('CANCELLED');
  });

  it('needs the one who asked to be active still, and expires after 72 hours', async () => {
    const asker = await anOperator(api, { role: 'Admin' });
    const one = await anOperator(api, { role: 'Employee' });
    const asked = await makeAdmin(asker, one.operatorId);
    await call(admin, 'POST', `/operators/${asker.operatorId}/disable`);
    expect(told(await approve(admin, asked.body.approvalId))).toEqual([409, 'STATE_CONFLICT']);
    await api.owner
      .updateTable('approvals')
      .set({ expires_at: new Date(Date.now() - 1_000) })
      .where('approval_id', '=', asked.body.approvalId)
      .execute();
    const list = await call(admin, 'GET', `/approvals?state=EXPIRED&subjectId=${one.operatorId}`);
    expect(list.body.items).toMatchObject([{ approvalId: asked.body.approvalId, state: 'EXPIRED' }]);
    expect((await makeAdmin(admin, one.operatorId)).status).toBe(202);
  });
});

it('GET /roles tells the matrix that the doors go by', async () => {
  const { items } = (await call(admin, 'GET', '/roles')).body;
  const find = (route: string) => items.find((one: { route: string }) => one.route === route);
  expect(find('POST /admin/operators')).toMatchObject({ roles: ['Admin', 'Manager'], fourEyes: true });
  expect(find('PUT /admin/operators/{operatorId}')).toMatchObject({ roles: ['Admin'], fourEyes: true });
  expect(find('POST /admin/approvals/{approvalId}/approve')).toMatchObject({ stepUp: true });
});
