import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emailHashOf } from '../../api/admin/second-factor.ts';
import { atomically } from '../../db/atomically.ts';
import { takeTry } from '../../db/operator-sign-ins.ts';
import { hashSecret } from '../../vault/password.ts';
import { totpCode } from '../../vault/totp.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import {
  adminCall,
  anOperator,
  givePassword,
  moveClock,
  newestSecretMail,
  PASSWORD,
  type TestOperator,
  tokenOf,
} from '../support/operators.ts';

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

const door = (path: string, body: object): Promise<HttpAnswer> =>
  adminCall(api, 'POST', `/admin${path}`, null, { body });
const signIn = (email: string, password = PASSWORD) => door('/session', { email, password });
const secondFactor = (loginId: string, code: string) => door('/session/second-factor', { loginId, code });
const told = (answer: HttpAnswer) => [answer.status, answer.body?.title];
const codeFor = async (email: string): Promise<string> =>
  (await newestSecretMail(api, 'operatorCode', email))?.code ?? '';
const wrong = (code: string): string => String((Number(code) + 1) % 10_000).padStart(4, '0');

async function withPassword(role: 'Admin' | 'Manager' | 'Employee' = 'Employee'): Promise<TestOperator> {
  const operator = await anOperator(api, { role });
  await givePassword(api, operator.operatorId);
  return operator;
}

async function logIn(operator: TestOperator, password = PASSWORD): Promise<HttpAnswer> {
  const first = await signIn(operator.email, password);
  expect(first.status).toBe(200);
  return await secondFactor(first.body.loginId, await codeFor(operator.email));
}

describe('log-in', () => {
  it('201: password, then the mailed code, then a session that works as token and as cookie', async () => {
    const operator = await withPassword('Manager');
    const first = await signIn(` ${operator.email.toUpperCase()} `);
    expect(first.body).toEqual({
      loginId: expect.any(String),
      secondFactor: 'EMAIL_CODE',
      expiresAt: expect.any(String),
    });
    const code = await codeFor(operator.email);
    expect(code).toMatch(/^[0-9]{4}$/);
    const answer = await secondFactor(first.body.loginId, code);
    expect(answer.status).toBe(201);
    expect(answer.body.operator).toMatchObject({ id: operator.operatorId, role: 'Manager' });
    expect(answer.headers['set-cookie']).toMatch(
      /^cardloom_session=ost_[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/,
    );
    const session = await adminCall(api, 'GET', '/admin/session', { token: answer.body.sessionToken });
    expect(session.body.operator.id).toBe(operator.operatorId);
    const again = await secondFactor(first.body.loginId, code);
    expect(told(again)).toEqual([401, 'INVALID_CODE']);
  });

  it('keeps password, code and token out of tables and logs', async () => {
    const operator = await withPassword();
    const answer = await logIn(operator);
    const code = await codeFor(operator.email);
    const rows = JSON.stringify([
      await api.owner.selectFrom('outbox').selectAll().execute(),
      await api.owner.selectFrom('audit_log').selectAll().execute(),
      await api.owner.selectFrom('operator_passwords').selectAll().execute(),
    ]);
    for (const secret of [PASSWORD, answer.body.sessionToken]) {
      expect(rows).not.toContain(secret);
      expect(api.logLines().join('\n')).not.toContain(secret);
    }
    expect(rows).not.toContain(`"code":"${code}"`);
  });

  it('401 alike for a wrong password, an unknown address, an invited and a disabled operator', async () => {
    const active = await withPassword();
    const invited = await anOperator(api, { role: 'Admin', state: 'INVITED' });
    const disabled = await anOperator(api, { role: 'Admin', state: 'DISABLED' });
    await givePassword(api, disabled.operatorId);
    const answers = [
      await signIn(active.email, 'something else 99'),
      await signIn('nobody@operators.test'),
      await signIn(invited.email),
      await signIn(disabled.email),
    ];
    expect(new Set(answers.map((one) => one.text)).size).toBe(1);
    expect(told(answers[0] as HttpAnswer)).toEqual([401, 'INVALID_CREDENTIALS']);
  });

  it('ends after three wrong codes, and ten minutes', async () => {
    const operator = await withPassword();
    const first = await signIn(operator.email);
    const code = await codeFor(operator.email);
    for (let round = 0; round < 3; round += 1) {
      expect(told(await secondFactor(first.body.loginId, wrong(code)))).toEqual([401, 'INVALID_CODE']);
    }
    expect(told(await secondFactor(first.body.loginId, code))).toEqual([401, 'INVALID_CODE']);
    const late = await withPassword();
    const second = await signIn(late.email);
    await moveClock(api.owner, 601);
    expect(told(await secondFactor(second.body.loginId, await codeFor(late.email)))).toEqual([
      401,
      'INVALID_CODE',
    ]);
  });

  it('429 after five mailed codes in an hour', async () => {
    const operator = await withPassword();
    for (let round = 0; round < 5; round += 1) expect((await logIn(operator)).status).toBe(201);
    expect(told(await signIn(operator.email))).toEqual([429, 'TOO_MANY_REQUESTS']);
    await moveClock(api.owner, 3_601);
    expect((await logIn(operator)).status).toBe(201);
  });
});

describe('what the right password costs', () => {
  it('no mails that others asked for, and never a try: it is not locked out by signing in', async () => {
    const operator = await withPassword();
    for (let round = 0; round < 5; round += 1) await door('/password-resets', { email: operator.email });
    for (let round = 0; round < 5; round += 1) expect((await signIn(operator.email)).status).toBe(200);
    // The codes of the hour are used up now: it waits for that, and is not locked.
    for (let round = 0; round < 5; round += 1) {
      expect(told(await signIn(operator.email))).toEqual([429, 'TOO_MANY_REQUESTS']);
    }
    await moveClock(api.owner, 3_601);
    expect((await signIn(operator.email)).status).toBe(200);
  });

  it('tries whose process died lock like wrong ones, where an Admin sees and lifts it', async () => {
    const operator = await withPassword();
    const emailHash = emailHashOf(api.vault, operator.email);
    const system = {
      partnerId: null,
      actor: { type: 'SYSTEM', id: 'test' },
      requestId: 'test',
      ip: null,
    } as const;
    for (let round = 0; round < 5; round += 1) {
      const taken = await atomically(api.services.engine, system, (trx) =>
        takeTry(trx, emailHash, operator.operatorId, 'UTC'),
      );
      expect(taken.kind).toBe('go on');
    }
    expect(told(await signIn(operator.email))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
    const admin = await anOperator(api, { role: 'Admin' });
    const path = `/admin/operators/${operator.operatorId}`;
    const shown = (await adminCall(api, 'GET', path, admin)).body;
    expect([shown.state, Date.parse(shown.lockedUntil) > Date.now()]).toEqual(['LOCKED', true]);
    expect(await trailOf(operator, 'operator.locked')).toHaveLength(1);
    await adminCall(api, 'POST', `${path}/unlock`, admin);
    expect((await signIn(operator.email)).status).toBe(200);
  });
});

describe('a log-in under way', () => {
  const reset = async (operator: TestOperator): Promise<void> => {
    await door('/password-resets', { email: operator.email });
    const token = tokenOf(await newestSecretMail(api, 'operatorPasswordReset', operator.email));
    const newPassword = 'quiet harbour bicycle 12';
    expect((await door('/password-resets/confirm', { token, newPassword })).status).toBe(204);
  };

  it('ends with the password it began with', async () => {
    const operator = await withPassword();
    const first = await signIn(operator.email);
    const code = await codeFor(operator.email);
    await reset(operator);
    expect(told(await secondFactor(first.body.loginId, code))).toEqual([401, 'INVALID_CODE']);
  });

  it('ends when the operator is disabled, also when they are enabled again', async () => {
    const operator = await withPassword();
    const first = await signIn(operator.email);
    const code = await codeFor(operator.email);
    const admin = await anOperator(api, { role: 'Admin' });
    for (const step of ['disable', 'enable']) {
      const path = `/admin/operators/${operator.operatorId}/${step}`;
      expect((await adminCall(api, 'POST', path, admin)).status).toBe(200);
    }
    expect(told(await secondFactor(first.body.loginId, code))).toEqual([401, 'INVALID_CODE']);
  });

  it('does not begin when the password was changed while it was looked at', async () => {
    const operator = await withPassword();
    const hash = await hashSecret(api.vault, 'quiet harbour bicycle 12');
    const waiting = await api.owner.transaction().execute(async (changing) => {
      await changing
        .selectFrom('operators')
        .select('operator_id')
        .where('operator_id', '=', operator.operatorId)
        .forUpdate()
        .execute();
      const answer = signIn(operator.email);
      await expect.poll(lockWaits, { timeout: 20_000 }).toBeGreaterThan(0);
      await changing
        .insertInto('operator_passwords')
        .values({ operator_id: operator.operatorId, partner_id: null, hash })
        .execute();
      return { answer };
    });
    expect(told(await waiting.answer)).toEqual([401, 'INVALID_CREDENTIALS']);
  });
});

const lockWaits = async (): Promise<number> => {
  const { rows } = await sql<{ waits: number }>`
    select count(*)::int as waits from pg_locks where not granted and locktype = 'transactionid'`.execute(
    api.owner,
  );
  return rows[0]?.waits ?? 0;
};

describe('the code of a step-up', () => {
  const stepUp = (operator: TestOperator, body: object) =>
    adminCall(api, 'POST', '/admin/session/step-up', operator, { body });

  it('is dead after three wrong ones, and locks after five in a row whatever else is right in between', async () => {
    const operator = await withPassword();
    expect((await stepUp(operator, {})).status).toBe(202);
    const code = await codeFor(operator.email);
    for (let round = 0; round < 3; round += 1) {
      expect(told(await stepUp(operator, { code: wrong(code) }))).toEqual([401, 'INVALID_CODE']);
    }
    expect(told(await stepUp(operator, { code }))).toEqual([401, 'INVALID_CODE']);
    const change = { body: { current: PASSWORD, new: 'short' } };
    const weak = await adminCall(api, 'PUT', '/admin/me/password', operator, change);
    expect(told(weak)).toEqual([422, 'WEAK_SECRET']);
    expect(told(await stepUp(operator, { code: wrong(code) }))).toEqual([401, 'INVALID_CODE']);
    // The fifth locked the operator out, and ended the session that the wrong codes came through.
    expect(told(await stepUp(operator, { code }))).toEqual([401, 'SESSION_EXPIRED']);
    expect(told(await signIn(operator.email))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
  });

  it('is dead once the password is another, also in the session that stays', async () => {
    const operator = await withPassword();
    await stepUp(operator, {});
    const code = await codeFor(operator.email);
    const change = { body: { current: PASSWORD, new: 'quiet harbour bicycle 12' } };
    expect((await adminCall(api, 'PUT', '/admin/me/password', operator, change)).status).toBe(204);
    expect(told(await stepUp(operator, { code }))).toEqual([401, 'INVALID_CODE']);
  });

  it('leaves a trail, and so do a wrong password, a wrong first code and a new secret', async () => {
    const operator = await withPassword();
    await stepUp(operator, { code: '0000' });
    const change = { body: { current: 'not the password', new: 'quiet harbour bicycle 12' } };
    await adminCall(api, 'PUT', '/admin/me/password', operator, change);
    await adminCall(api, 'POST', '/admin/me/totp', operator);
    await adminCall(api, 'POST', '/admin/me/totp/confirm', operator, { body: { code: '000000' } });
    const rows = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'object_id', 'result', 'after'])
      .where('actor_id', '=', operator.operatorId)
      .orderBy('id')
      .execute();
    const refused = (object_id: string, title: string) => ({
      action: 'call.refused',
      object_id,
      result: 'DENIED',
      after: { title },
    });
    expect(rows).toMatchObject([
      refused('stepUp', 'INVALID_CODE'),
      refused('changeOwnPassword', 'INVALID_CREDENTIALS'),
      { action: 'operator.totp_offered', object_id: operator.operatorId },
      refused('confirmTotp', 'INVALID_CODE'),
    ]);
  });
});

const trailOf = ({ operatorId }: TestOperator, action: 'operator.locked' | 'operator.sign_in') =>
  api.owner
    .selectFrom('audit_log')
    .select('result')
    .where('object_id', '=', operatorId)
    .where('action', '=', action)
    .execute();

describe('lock-out', () => {
  it('closes the door and nothing else: who knows only the address ends no session', async () => {
    const operator = await withPassword('Admin');
    const guesses = Array.from({ length: 20 }, () => signIn(operator.email, 'something else 99'));
    await Promise.all(guesses);
    expect(told(await signIn(operator.email))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
    expect((await adminCall(api, 'GET', '/admin/session', operator)).status).toBe(200);
    // Every try is in the trail, those that had to wait too.
    expect(await trailOf(operator, 'operator.sign_in')).toHaveLength(21);
    const self = `/admin/operators/${operator.operatorId}/unlock`;
    expect(told(await adminCall(api, 'POST', self, operator))).toEqual([409, 'STATE_CONFLICT']);
  });

  it('holds the second pair of eyes back: both of two are ACTIVE', async () => {
    const [asking, operator] = [await withPassword('Admin'), await withPassword('Admin')];
    const employee = await anOperator(api, { role: 'Employee' });
    const asked = await adminCall(api, 'PUT', `/admin/operators/${employee.operatorId}`, asking, {
      body: { version: 1, role: 'Admin' },
    });
    for (let round = 0; round < 5; round += 1) await signIn(operator.email, 'something else 99');
    const approve = `/admin/approvals/${asked.body.approvalId}/approve`;
    const refused = await adminCall(api, 'POST', approve, operator, { body: {} });
    expect(told(refused)).toEqual([409, 'STATE_CONFLICT']);
  });

  it.each(['known', 'unknown'] as const)(
    'five wrong passwords lock a(n) %s address until midnight, at least half an hour',
    async (kind) => {
      const operator = await withPassword();
      const email = kind === 'known' ? operator.email : `x-${operator.email}`;
      for (let round = 0; round < 5; round += 1) {
        expect(told(await signIn(email, 'something else 99'))).toEqual([401, 'INVALID_CREDENTIALS']);
      }
      const refused = await signIn(email);
      expect(told(refused)).toEqual([429, 'TOO_MANY_ATTEMPTS']);
      const now = Date.now();
      const midnight = (Math.floor(now / 86_400_000) + 1) * 86_400_000;
      const expected = Math.max(midnight - now, 30 * 60_000) / 1_000;
      expect(Math.abs(Number(refused.headers['retry-after']) - expected)).toBeLessThan(15);
      await moveClock(api.owner, Number(refused.headers['retry-after']) - 10);
      expect(told(await signIn(email))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
      await moveClock(api.owner, Number(refused.headers['retry-after']) + 10);
      expect((await signIn(email)).status).toBe(kind === 'known' ? 200 : 401);
    },
  );

  it('counts codes and passwords together', async () => {
    const operator = await withPassword();
    const first = await signIn(operator.email);
    const code = await codeFor(operator.email);
    await secondFactor(first.body.loginId, wrong(code));
    await secondFactor(first.body.loginId, wrong(code));
    for (let round = 0; round < 3; round += 1) await signIn(operator.email, 'something else 99');
    expect(told(await secondFactor(first.body.loginId, code))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
    expect(await trailOf(operator, 'operator.locked')).toHaveLength(1);
  });

  it('a password reset does not lift it, an Admin does', async () => {
    const operator = await withPassword();
    for (let round = 0; round < 5; round += 1) await signIn(operator.email, 'something else 99');
    await door('/password-resets', { email: operator.email });
    const token = tokenOf(await newestSecretMail(api, 'operatorPasswordReset', operator.email));
    const newPassword = 'quiet harbour bicycle 12';
    expect((await door('/password-resets/confirm', { token, newPassword })).status).toBe(204);
    expect(told(await signIn(operator.email, newPassword))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
    const admin = await anOperator(api, { role: 'Admin' });
    const unlocked = await adminCall(api, 'POST', `/admin/operators/${operator.operatorId}/unlock`, admin);
    expect(unlocked.body.state).toBe('ACTIVE');
    expect((await signIn(operator.email, newPassword)).status).toBe(200);
  });

  it('holds against 100 parallel guesses: five are looked at, then even the right one waits', async () => {
    const operator = await withPassword();
    const guesses = Array.from({ length: 100 }, (_unused, at) =>
      signIn(operator.email, `guess number ${at} of many`),
    );
    const answers = await Promise.all(guesses);
    const looked = answers.filter((one) => one.status === 401);
    expect(looked).toHaveLength(5);
    expect(answers.filter((one) => one.status === 429)).toHaveLength(95);
    expect(told(await signIn(operator.email))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
  });

  it('holds against 100 parallel codes', async () => {
    const operator = await withPassword();
    const first = await signIn(operator.email);
    const code = await codeFor(operator.email);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_unused, at) =>
        secondFactor(first.body.loginId, String((Number(code) + 1 + at) % 10_000).padStart(4, '0')),
      ),
    );
    expect(answers.filter((one) => one.status === 201)).toEqual([]);
    expect(answers.filter((one) => one.status === 401)).toHaveLength(5);
    expect(told(await secondFactor(first.body.loginId, code))).toEqual([429, 'TOO_MANY_ATTEMPTS']);
  });
});

describe('an authenticator app', () => {
  const secretOf = (uri: string): Buffer => {
    const text = new URL(uri).searchParams.get('secret') ?? '';
    const bits = [...text]
      .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
      .join('');
    return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  };

  it('replaces the mailed code once its first code came; no code is taken twice', async () => {
    const operator = await withPassword();
    const offered = await adminCall(api, 'POST', '/admin/me/totp', operator);
    expect(offered.status).toBe(201);
    const secret = secretOf(offered.body.otpauthUri);
    const confirm = (code: string) =>
      adminCall(api, 'POST', '/admin/me/totp/confirm', operator, { body: { code } });
    expect(told(await confirm('abcdef'))).toEqual([401, 'INVALID_CODE']);
    const code = totpCode(secret, Date.now());
    expect((await confirm(code)).status).toBe(204);
    const first = await signIn(operator.email);
    expect(first.body.secondFactor).toBe('TOTP');
    expect(told(await secondFactor(first.body.loginId, code))).toEqual([401, 'INVALID_CODE']);
    await moveClock(api.owner, 60);
    const next = totpCode(secret, Date.now() + 60_000);
    expect((await secondFactor(first.body.loginId, next)).status).toBe(201);
  });
});

describe('passwords and links', () => {
  it('a reset link works once, within the hour, and ends every session', async () => {
    const operator = await withPassword();
    const ask = async (): Promise<string> => {
      const answer = await door('/password-resets', { email: operator.email });
      expect([answer.status, answer.text]).toEqual([202, '']);
      return tokenOf(await newestSecretMail(api, 'operatorPasswordReset', operator.email));
    };
    const late = await ask();
    await moveClock(api.owner, 3_601);
    const confirm = (token: string, newPassword: string) =>
      door('/password-resets/confirm', { token, newPassword });
    expect(told(await confirm(late, 'quiet harbour bicycle 12'))).toEqual([401, 'LINK_INVALID']);
    await moveClock(api.owner, 0);
    const token = await ask();
    expect(told(await confirm(token, PASSWORD))).toEqual([422, 'WEAK_SECRET']);
    expect(told(await confirm(token, 'password12345'))).toEqual([422, 'WEAK_SECRET']);
    expect((await confirm(token, 'quiet harbour bicycle 12')).status).toBe(204);
    expect(told(await confirm(token, 'another quiet harbour 13'))).toEqual([401, 'LINK_INVALID']);
    expect(told(await adminCall(api, 'GET', '/admin/session', operator))).toEqual([401, 'SESSION_EXPIRED']);
    expect((await logIn(operator, 'quiet harbour bicycle 12')).status).toBe(201);
  });

  it('a reset for an unknown address is answered alike and mails nobody', async () => {
    const answer = await door('/password-resets', { email: 'nobody@operators.test' });
    expect([answer.status, answer.text]).toEqual([202, '']);
    expect(await newestSecretMail(api, 'operatorPasswordReset', 'nobody@operators.test')).toBeUndefined();
  });

  it('own change: the current one is asked for, the last four are refused, other sessions end', async () => {
    const operator = await withPassword();
    const logged = await logIn(operator);
    const change = (current: string, next: string) =>
      adminCall(
        api,
        'PUT',
        '/admin/me/password',
        { token: logged.body.sessionToken },
        {
          body: { current, new: next },
        },
      );
    expect(told(await change('not the password 1', 'quiet harbour bicycle 12'))).toEqual([
      401,
      'INVALID_CREDENTIALS',
    ]);
    expect((await change(PASSWORD, 'quiet harbour bicycle 12')).status).toBe(204);
    expect(told(await change('quiet harbour bicycle 12', PASSWORD))).toEqual([422, 'WEAK_SECRET']);
    expect(told(await adminCall(api, 'GET', '/admin/session', operator))).toEqual([401, 'SESSION_EXPIRED']);
    expect((await adminCall(api, 'GET', '/admin/session', { token: logged.body.sessionToken })).status).toBe(
      200,
    );
  });
});

describe('step-up', () => {
  it('a mailed code steps the session up for five minutes, once', async () => {
    const operator = await withPassword();
    const stepUp = (body: object) => adminCall(api, 'POST', '/admin/session/step-up', operator, { body });
    await moveClock(api.owner, 301);
    expect(told(await adminCall(api, 'POST', '/admin/me/totp', operator))).toEqual([403, 'STEP_UP_REQUIRED']);
    expect((await stepUp({})).status).toBe(202);
    const code = await codeFor(operator.email);
    expect(told(await stepUp({ code: wrong(code) }))).toEqual([401, 'INVALID_CODE']);
    expect((await stepUp({ code })).status).toBe(204);
    expect(told(await stepUp({ code }))).toEqual([401, 'INVALID_CODE']);
    expect((await adminCall(api, 'POST', '/admin/me/totp', operator)).status).toBe(201);
  });
});

it('GET /admin/public-key shows the key of the platform to anybody', async () => {
  const [here, there] = await Promise.all([
    adminCall(api, 'GET', '/admin/public-key', null),
    adminCall(api, 'GET', '/public-key', null),
  ]);
  expect([here.status, here.text]).toEqual([200, there.text]);
});
