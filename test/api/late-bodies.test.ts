import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdSession } from '../../db/customer-sessions.ts';
import { anAppUser, type AppUser, appUserOf, asUser, somebody } from '../support/app-users.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';
import { holdBody, LATE_MS, titleIn } from '../support/held-body.ts';
import { holdOpen, untilSomebodyWaits } from '../support/held-transaction.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const bearer = ({ token }: { readonly token: string }) => [`Authorization: Bearer ${token}`];
const EXPIRED = [401, 'SESSION_EXPIRED'];

const invitation = () => ({
  email: `held-${crypto.randomUUID()}@operators.test`,
  firstName: 'Held',
  lastName: 'Back',
  role: 'Manager',
});
const invited = async ({ email }: { readonly email: string }) =>
  await api.owner.selectFrom('operators').select('operator_id').where('email', '=', email).execute();

const disable = async (one: TestOperator): Promise<void> => {
  const admin = await anOperator(api, { role: 'Admin' });
  const answer = await adminCall(api, 'POST', `/admin/operators/${one.operatorId}/disable`, admin);
  expect(answer.status).toBe(200);
};

describe('a body that was held back', () => {
  it('does nothing for an operator who was disabled meanwhile', async () => {
    const [one, body] = [await anOperator(api, { role: 'Admin', partner: 'demo' }), invitation()];
    await anOperator(api, { role: 'Admin', partner: 'demo' });
    const held = await holdBody(api, 'public', 'POST /admin/operators', bearer(one), body);
    await disable(one);
    await sleep(LATE_MS);
    expect(titleIn(await held.release())).toEqual(EXPIRED);
    expect(await invited(body)).toEqual([]);
  });

  it('does nothing for an operator whose new role may not do it', async () => {
    const [one, body] = [await anOperator(api, { role: 'Manager', partner: 'demo' }), invitation()];
    const held = await holdBody(api, 'public', 'POST /admin/operators', bearer(one), body);
    await api.owner
      .updateTable('operators')
      .set({ role: 'Employee' })
      .where('operator_id', '=', one.operatorId)
      .execute();
    await sleep(LATE_MS);
    expect(titleIn(await held.release())).toEqual([403, 'FORBIDDEN']);
    expect(await invited(body)).toEqual([]);
  });

  it('does nothing for a partner that was suspended meanwhile', async () => {
    const person = somebody();
    const body = { ...person, kyc: 'SUCCESS', state: 'VERIFIED' };
    const setState = async (state: 'ACTIVE' | 'SUSPENDED') => {
      await api.owner.updateTable('partners').set({ state }).where('code', '=', 'demo').execute();
    };
    const line = 'POST /lifecycle/v1/wallet';
    const held = await holdBody(api, 'demo', line, ['Issuer-Code: sandbox'], body);
    await setState('SUSPENDED');
    // As long as the registry keeps what it has read.
    await sleep(2_500);
    const answer = titleIn(await held.release());
    await setState('ACTIVE');
    await sleep(2_100);
    expect(answer).toEqual([403, 'PARTNER_SUSPENDED']);
    expect((await api.call('POST', '/lifecycle/v1/wallet', { headers: issuer, body })).status).toBe(201);
  });

  it('does nothing for a user who logged out meanwhile, however short it was held', async () => {
    for (const waitMs of [0, LATE_MS]) {
      const user = await anAppUser(api);
      const held = await holdBody(api, 'public', 'PUT /customers/me', bearer(user), { language: 'pl' });
      expect((await asUser(api, user.token, 'DELETE', '/sessions/current')).status).toBe(204);
      await sleep(waitMs);
      expect(titleIn(await held.release())).toEqual(EXPIRED);
    }
  });
});

const issuer = { 'Issuer-Code': 'sandbox' };

describe('a session that ends while its call is at work', () => {
  const versionOf = async ({ customerId }: AppUser): Promise<number> =>
    (
      await api.owner
        .selectFrom('customers')
        .select('version')
        .where('customer_id', '=', customerId)
        .executeTakeFirstOrThrow()
    ).version;

  it('takes what its user has changed with it', async () => {
    const user = await anAppUser(api);
    const before = await versionOf(user);
    const other = await holdOpen(api.owner, (trx) =>
      trx
        .selectFrom('customers')
        .select('customer_id')
        .where('customer_id', '=', user.customerId)
        .forUpdate()
        .execute(),
    );
    const change = asUser(api, user.token, 'PUT', '/me', { body: { language: 'pl' } });
    await untilSomebodyWaits(api.owner);
    await api.owner
      .updateTable('customer_sessions')
      .set({ ended_at: new Date(), end_reason: 'OPERATOR' })
      .where('session_id', '=', user.sessionId)
      .execute();
    await other.commit();
    const { status, body } = await change;
    expect([status, body.title]).toEqual(EXPIRED);
    expect(await versionOf(user)).toBe(before);
  });

  it('ends after what its user does already, not beside it', async () => {
    const user = await anAppUser(api);
    const other = await appUserOf(api, user.customerId);
    const atWork = await holdOpen(api.owner, (trx) => holdSession(trx, user.sessionId));
    let ended = false;
    const ending = asUser(api, other.token, 'DELETE', `/me/sessions/${user.sessionId}`).then((answer) => {
      ended = true;
      return answer.status;
    });
    await untilSomebodyWaits(api.owner);
    expect(ended).toBe(false);
    await atWork.commit();
    expect(await ending).toBe(204);
  });

  it('takes what its operator has changed with it, or what the role no longer allows', async () => {
    const target = await anOperator(api, { role: 'Employee', partner: 'demo' });
    const rename = async (as: TestOperator, meanwhile: () => Promise<unknown>) => {
      const lock = await holdOpen(api.owner, (trx) =>
        trx
          .selectFrom('operators')
          .select('operator_id')
          .where('operator_id', '=', target.operatorId)
          .forUpdate()
          .execute(),
      );
      const change = adminCall(api, 'PUT', `/admin/operators/${target.operatorId}`, as, {
        body: { version: 1, firstName: 'Renamed' },
      });
      await untilSomebodyWaits(api.owner);
      await meanwhile();
      await lock.commit();
      const { status, body } = await change;
      return [status, body.title];
    };
    for (const partner of [undefined, 'demo']) {
      const wish = { role: 'Admin', ...(partner === undefined ? {} : { partner }) } as const;
      const [ended, demoted] = [await anOperator(api, wish), await anOperator(api, wish)];
      const endIt = () =>
        api.owner
          .updateTable('operator_sessions')
          .set({ ended_at: new Date() })
          .where('operator_id', '=', ended.operatorId)
          .execute();
      expect(await rename(ended, endIt)).toEqual(EXPIRED);
      const demote = () =>
        api.owner
          .updateTable('operators')
          .set({ role: 'Manager' })
          .where('operator_id', '=', demoted.operatorId)
          .execute();
      expect(await rename(demoted, demote)).toEqual([403, 'FORBIDDEN']);
    }
    const still = await anOperator(api, { role: 'Admin', partner: 'demo' });
    expect((await rename(still, async () => undefined))[0]).toBe(200);
  });

  it('lets an operator give up a role, and sign out', async () => {
    const one = await anOperator(api, { role: 'Admin' });
    const self = `/admin/operators/${one.operatorId}`;
    const given = await adminCall(api, 'PUT', self, one, { body: { version: 1, role: 'Manager' } });
    expect(given.status).toBe(200);
    expect((await adminCall(api, 'DELETE', '/admin/session', one)).status).toBe(204);
  });
});
