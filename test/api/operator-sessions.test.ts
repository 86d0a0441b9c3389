import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHarness, PUBLIC_URL, startApi } from '../support/harness.ts';
import { adminCall, anOperator, aSessionOf, moveClock } from '../support/operators.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterEach(async () => {
  await moveClock(api.owner, 0);
});

afterAll(async () => {
  await api.stop();
});

const readSession = (token: string, headers: Record<string, string> = {}) =>
  adminCall(api, 'GET', '/admin/session', { token }, { headers });

const titleOf = (answer: { status: number; body: { title?: string } }) => [answer.status, answer.body?.title];

describe('the session of an operator', () => {
  it('200: tells who is signed in and what the matrix allows', async () => {
    const manager = await anOperator(api, { role: 'Manager', partner: 'demo' });
    const answer = await readSession(manager.token);
    expect(answer.status).toBe(200);
    expect(answer.body.operator).toMatchObject({
      id: manager.operatorId,
      email: manager.email,
      role: 'Manager',
      scope: 'PARTNER',
    });
    expect(answer.body.operator.permissions).toContain('balances.post');
    expect(answer.body.operator.permissions).not.toContain('partnerBalances.post');
    expect(answer.body.operator.permissions).not.toContain('audit.read');
  });

  it('is good at 14:59 since its last use and dead at 15:01', async () => {
    const one = await anOperator(api, { role: 'Employee' });
    const other = { token: await aSessionOf(api, one.operatorId) };
    await moveClock(api.owner, 14 * 60 + 59);
    expect((await readSession(one.token)).status).toBe(200);
    await moveClock(api.owner, 15 * 60 + 1);
    expect(titleOf(await readSession(other.token))).toEqual([401, 'SESSION_EXPIRED']);
    await moveClock(api.owner, 2 * (14 * 60 + 59) - 5);
    expect((await readSession(one.token)).status).toBe(200);
  });

  it('ends eight hours after the log-in, however busy it was', async () => {
    const one = await anOperator(api, { role: 'Employee' });
    for (let minutes = 14; minutes < 8 * 60; minutes += 14) {
      await moveClock(api.owner, minutes * 60);
      expect((await readSession(one.token)).status).toBe(200);
    }
    await moveClock(api.owner, 8 * 60 * 60 + 1);
    expect(titleOf(await readSession(one.token))).toEqual([401, 'SESSION_EXPIRED']);
  });

  it('leaves an audit row of the operator whose session had ended', async () => {
    const one = await anOperator(api, { role: 'Employee' });
    await moveClock(api.owner, 3_600);
    const answer = await readSession(one.token);
    const rows = await api.owner
      .selectFrom('audit_log')
      .select(['actor_type', 'actor_id', 'result', 'after'])
      .where('request_id', '=', answer.headers['x-request-id'] as string)
      .execute();
    expect(rows).toEqual([
      {
        actor_type: 'OPERATOR',
        actor_id: one.operatorId,
        result: 'DENIED',
        after: { title: 'SESSION_EXPIRED' },
      },
    ]);
  });

  it('is dead at once after the log-out; other sessions live on', async () => {
    const one = await anOperator(api, { role: 'Admin' });
    const other = await aSessionOf(api, one.operatorId);
    expect((await adminCall(api, 'DELETE', '/admin/session', one)).status).toBe(204);
    expect(titleOf(await readSession(one.token))).toEqual([401, 'SESSION_EXPIRED']);
    expect((await readSession(other)).status).toBe(200);
  });

  it.each(['', 'ost_short', `ost_${'A'.repeat(43)}`, `cst_${'A'.repeat(43)}`])(
    '401: token %j',
    async (token) => {
      expect(titleOf(await readSession(token))).toEqual([401, 'UNAUTHENTICATED']);
    },
  );

  it('is kept as a hash only', async () => {
    const one = await anOperator(api, { role: 'Admin' });
    const row = await api.owner
      .selectFrom('operator_sessions')
      .select('token_hash')
      .where('operator_id', '=', one.operatorId)
      .executeTakeFirstOrThrow();
    expect(row.token_hash).toHaveLength(32);
    expect(row.token_hash.toString('latin1')).not.toContain(one.token);
    expect(api.logLines().join('\n')).not.toContain(one.token);
  });
});

describe('the cookie of the panel', () => {
  const withCookie = (method: string, token: string, origin?: string) =>
    adminCall(api, method, '/admin/session', null, {
      headers: {
        Cookie: `a=b; cardloom_session=${token}`,
        ...(origin === undefined ? {} : { Origin: origin }),
      },
    });

  it('reads from anywhere, writes only from our origin', async () => {
    const one = await anOperator(api, { role: 'Admin' });
    expect((await withCookie('GET', one.token)).status).toBe(200);
    expect(titleOf(await withCookie('DELETE', one.token))).toEqual([403, 'CSRF_FAILED']);
    expect(titleOf(await withCookie('DELETE', one.token, 'https://evil.test'))).toEqual([403, 'CSRF_FAILED']);
    expect((await withCookie('GET', one.token)).status).toBe(200);
    expect((await withCookie('DELETE', one.token, PUBLIC_URL)).status).toBe(204);
  });
});
