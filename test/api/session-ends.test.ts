import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { liftSignInLocks } from '../../db/customer-credentials.ts';
import { replaceSession } from '../../db/customer-sessions.ts';
import { lockCustomer } from '../../db/customers.ts';
import { closeWaysIn } from '../../db/ways-in.ts';
import { newToken } from '../../vault/session-token.ts';
import {
  anAppUser,
  APP_PIN,
  type AppUser,
  appUserOf,
  asUser,
  codeTo,
  DEVICE_KEY,
  enter,
  pairing,
  PASSWORD,
  somebody,
} from '../support/app-users.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { holdBody, titleIn } from '../support/held-body.ts';
import { holdOpen, SYSTEM, untilSomebodyWaits } from '../support/held-transaction.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const EXPIRED = [401, 'SESSION_EXPIRED'];
const titleOf = ({ status, body }: HttpAnswer) => [status, body?.title];
const statusOf = async (token: string) => (await asUser(api, token, 'GET', '/me')).status;
const refresh = (token: string) => asUser(api, token, 'POST', '/sessions/refresh');
const refreshed = async (token: string): Promise<string> => (await refresh(token)).body.sessionToken;
const partner = (method: string, path: string, body?: object) =>
  api.call(method, `/lifecycle/v1${path}`, { headers: { 'Issuer-Code': 'sandbox' }, ...(body && { body }) });

const liveSessions = async ({ customerId }: AppUser): Promise<string[]> =>
  (
    await api.owner
      .selectFrom('customer_sessions')
      .select('session_id')
      .where('customer_id', '=', customerId)
      .where('ended_at', 'is', null)
      .execute()
  ).map((one) => one.session_id);

const deviceState = async ({ installationId }: AppUser) =>
  (
    await api.owner
      .selectFrom('device_installations')
      .select('state')
      .where('installation_id', '=', installationId)
      .executeTakeFirstOrThrow()
  ).state;

const wrongPins = async ({ installationId }: AppUser, issuerCode = 'sandbox') => {
  for (let at = 0; at < 5; at += 1) {
    const body = { deviceInstallationId: installationId, method: 'APP_PIN', appPin: '111111' };
    await enter(api, 'POST', '/sessions', body, issuerCode);
  }
};

const holdUser = ({ customerId }: AppUser) =>
  holdOpen(api.owner, (trx) => lockCustomer(trx, 'every', customerId));

describe('a refresh', () => {
  it.each([
    ['a log-out', (user: AppUser) => asUser(api, user.token, 'DELETE', '/sessions/current')],
    [
      'the end of its device',
      (user: AppUser) => asUser(api, user.token, 'DELETE', `/me/devices/${user.installationId}`),
    ],
    ['five wrong PINs', (user: AppUser) => wrongPins(user)],
    ['the lock of its user', (user: AppUser) => partner('POST', `/users/${user.customerId}/lock`, {})],
  ])('whose body is held back does not bring a session back after %s', async (_what, end) => {
    const user = await anAppUser(api);
    const bearer = [`Authorization: Bearer ${user.token}`];
    const held = await holdBody(api, 'public', 'POST /customers/sessions/refresh', bearer, {});
    await end(user);
    expect(titleIn(await held.release())).toEqual(EXPIRED);
    expect(await liveSessions(user)).toEqual([]);
  });

  it('at the same moment leaves no session that the end of all others has not seen', async () => {
    const user = await anAppUser(api);
    const other = await appUserOf(api, user.customerId);
    const { partner_id: partnerId, programme_id: programmeId } = await api.owner
      .selectFrom('customers')
      .select(['partner_id', 'programme_id'])
      .where('customer_id', '=', user.customerId)
      .executeTakeFirstOrThrow();
    const { hash: tokenHash, token } = newToken(api.vault, 'cst');
    const refreshing = await holdOpen(api.owner, async (trx) => {
      await lockCustomer(trx, 'every', user.customerId);
      const { customerId, installationId, sessionId } = user;
      const session = { partnerId, programmeId, customerId, installationId, tokenHash };
      await replaceSession(trx, session, { sessionId, sessionMinutes: 10 });
    });
    const ending = asUser(api, other.token, 'DELETE', '/me/sessions');
    await untilSomebodyWaits(api.owner);
    await refreshing.commit();
    expect((await ending).status).toBe(204);
    expect(await liveSessions(user)).toEqual([other.sessionId]);
    expect(await statusOf(token)).toBe(401);
  });

  it('of a session that was replaced already ends what the first one gave', async () => {
    const user = await anAppUser(api);
    const first = await refreshed(user.token);
    const second = await refreshed(user.token);
    expect([await statusOf(first), await statusOf(second), await statusOf(user.token)]).toEqual([
      401, 200, 200,
    ]);
  });

  it('leaves one session of many at once', async () => {
    const user = await anAppUser(api);
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(user.token)));
    expect(answers.map((one) => one.status)).toEqual([201, 201, 201, 201, 201]);
    const live = await Promise.all(answers.map((one) => statusOf(one.body.sessionToken)));
    expect(live.toSorted()).toEqual([200, 401, 401, 401, 401]);
  });
});

describe('the end of all others', () => {
  it.each([
    ['DELETE', '/me/sessions', undefined],
    ['PUT', '/me/app-pin', { current: APP_PIN, new: '730264' }],
    ['PUT', '/me/password', { current: PASSWORD, new: 'amber lighthouse 42' }],
  ])('%s %s spares no session that came from the same sign-in', async (method, path, body) => {
    const user = await anAppUser(api);
    const head = await refreshed(user.token);
    expect((await asUser(api, head, method, path, { ...(body && { body }) })).status).toBe(204);
    expect(await statusOf(head)).toBe(200);
    expect(titleOf(await refresh(user.token))).toEqual(EXPIRED);
    expect(await liveSessions(user)).toHaveLength(1);
  });

  it('of one session ends the one it took the place of, too', async () => {
    const user = await anAppUser(api);
    const thief = await appUserOf(api, user.customerId);
    const stolen = await refreshed(thief.token);
    const { body } = await asUser(api, user.token, 'GET', '/me/sessions');
    const listed = body.items.find((one: { current: boolean }) => !one.current);
    expect((await asUser(api, user.token, 'DELETE', `/me/sessions/${listed.sessionId}`)).status).toBe(204);
    expect(titleOf(await refresh(thief.token))).toEqual(EXPIRED);
    expect(titleOf(await refresh(stolen))).toEqual(EXPIRED);
    expect(await liveSessions(user)).toEqual([user.sessionId]);
  });
});

describe('what was handed out to get in', () => {
  const beginActivation = async (user: AppUser) => {
    const { birthDate } = somebody();
    const { body } = await enter(api, 'POST', '/activations', { phone: user.phone, birthDate });
    return { path: `/activations/${body.activationId}/confirm`, otp: codeTo(api, user.phone) };
  };
  const confirm = ({ path, otp }: { path: string; otp: string }) =>
    enter(api, 'POST', path, { otp, password: PASSWORD });

  const changes: [string, (user: AppUser) => Promise<unknown>][] = [
    [
      'a new password',
      (user) =>
        asUser(api, user.token, 'PUT', '/me/password', {
          body: { current: PASSWORD, new: 'amber lighthouse 42' },
        }),
    ],
    [
      'a password reset',
      async ({ phone, email }) => {
        const { body } = await enter(api, 'POST', '/password-resets', { phone, email });
        return await enter(api, 'POST', `/password-resets/${body.resetId}/confirm`, {
          phoneOtp: codeTo(api, phone),
          emailOtp: codeTo(api, email),
          newPassword: 'amber lighthouse 42',
        });
      },
    ],
    [
      'another phone number, given by the partner',
      (user) => partner('PUT', `/users/${user.customerId}`, { phone: somebody().phone }),
    ],
    [
      'another address, given by the user',
      async (user) => {
        await asUser(api, user.token, 'POST', '/me/step-up', {
          body: { method: 'APP_PIN', appPin: APP_PIN },
        });
        const { email } = somebody();
        const { body } = await asUser(api, user.token, 'POST', '/me/contact-changes', { body: { email } });
        return await asUser(api, user.token, 'POST', `/me/contact-changes/${body.id}/confirm`, {
          body: { otp: codeTo(api, email) },
        });
      },
    ],
    [
      'a lock and its end',
      async (user) => {
        await partner('POST', `/users/${user.customerId}/lock`, {});
        return await partner('POST', `/users/${user.customerId}/unlock`);
      },
    ],
  ];

  it.each(changes)('is worth nothing after %s', async (_what, change) => {
    const user = await anAppUser(api);
    const confirmed = await confirm(await beginActivation(user));
    expect(confirmed.status).toBe(201);
    const waiting = await beginActivation(user);
    const done = (await change(user)) as HttpAnswer;
    expect(done.status).toBeLessThan(300);
    const paired = await enter(
      api,
      'POST',
      '/devices',
      pairing(confirmed.body.pairingToken, { password: null, appPin: '604817' }),
    );
    expect(titleOf(paired)).toEqual([401, 'PAIRING_TOKEN_INVALID']);
    // As of a number that nobody has.
    expect(titleOf(await confirm(waiting))).toEqual([401, 'INVALID_CODE']);
  });

  it('stays after a change of the language', async () => {
    const user = await anAppUser(api);
    const confirmed = await confirm(await beginActivation(user));
    await asUser(api, user.token, 'PUT', '/me', { body: { language: 'pl' } });
    const body = pairing(confirmed.body.pairingToken, { password: null });
    expect((await enter(api, 'POST', '/devices', body)).status).toBe(201);
  });

  it('gives no token for a code that was right a moment before', async () => {
    const user = await anAppUser(api);
    const held = await holdUser(user);
    const confirming = confirm(await beginActivation(user));
    await untilSomebodyWaits(api.owner);
    // What a reset does.
    await atomically(api.owner, SYSTEM, (trx) => closeWaysIn(trx, user.customerId));
    await held.commit();
    expect(titleOf(await confirming)).toEqual([404, 'ACTIVATION_NOT_FOUND']);
    const tokens = api.owner.selectFrom('pairing_tokens').select('token_hash');
    expect(await tokens.where('customer_id', '=', user.customerId).execute()).toEqual([]);
  });

  it('lets nobody in by a PIN or password that was right a moment before', async () => {
    for (const [proof, table, column] of [
      [{ method: 'APP_PIN', appPin: APP_PIN }, 'device_installations', 'app_pin_hash'],
      [{ method: 'PASSWORD', password: PASSWORD }, 'customer_credentials', 'password_hash'],
    ] as const) {
      const user = await anAppUser(api);
      const before = await liveSessions(user);
      const held = await holdUser(user);
      const body = { deviceInstallationId: user.installationId, ...proof };
      const entering = enter(api, 'POST', '/sessions', body);
      await untilSomebodyWaits(api.owner);
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = 'another'
        where customer_id = ${user.customerId}`.execute(api.owner);
      await held.commit();
      expect(titleOf(await entering)).toEqual([401, 'INVALID_CREDENTIALS']);
      expect(await liveSessions(user)).toEqual(before);
    }
  });
});

describe('an installation', () => {
  it('is not locked by wrong PINs under the code of another programme', async () => {
    const user = await anAppUser(api);
    await wrongPins(user, 'credit');
    const other = { deviceInstallationId: user.installationId, method: 'APP_PIN', appPin: APP_PIN };
    expect((await enter(api, 'POST', '/sessions', other, 'credit')).body.title).toBe('DEVICE_NOT_ACTIVE');
    expect(await deviceState(user)).toBe('ACTIVE');
    expect(await statusOf(user.token)).toBe(200);
    expect((await enter(api, 'POST', '/sessions', other)).status).toBe(201);
  });

  it('opens nothing once it is not ACTIVE, whatever became of its sessions', async () => {
    const user = await anAppUser(api);
    await api.owner
      .updateTable('device_installations')
      .set({ state: 'UNPAIRED', ended_at: new Date() })
      .where('installation_id', '=', user.installationId)
      .execute();
    expect(titleOf(await asUser(api, user.token, 'GET', '/me'))).toEqual(EXPIRED);
  });

  it.each([
    ['POST', () => '/me/step-up', { method: 'APP_PIN', appPin: APP_PIN }],
    ['PUT', () => '/me/app-pin', { current: APP_PIN, new: '730264' }],
    ['PUT', (id: string) => `/me/devices/${id}/public-key`, { publicKey: DEVICE_KEY }],
  ] as const)('that ends meanwhile proves and changes nothing: %s', async (method, path, body) => {
    const user = await anAppUser(api);
    const steppedUp = { step_up_until: new Date(Date.now() + 3_600_000) };
    const ofSession = api.owner.updateTable('customer_sessions').where('session_id', '=', user.sessionId);
    if (method === 'PUT') await ofSession.set(steppedUp).execute();
    const ofDevice = api.owner
      .selectFrom('device_installations')
      .select('app_pin_hash')
      .where('installation_id', '=', user.installationId);
    const before = await ofDevice.execute();
    const held = await holdOpen(api.owner, (trx) =>
      trx
        .updateTable('device_installations')
        .set({ state: 'UNPAIRED', ended_at: new Date() })
        .where('installation_id', '=', user.installationId)
        .execute(),
    );
    const call = asUser(api, user.token, method, path(user.installationId), { body });
    await untilSomebodyWaits(api.owner);
    await held.commit();
    expect(titleOf(await call)).toEqual([403, 'DEVICE_NOT_ACTIVE']);
    expect(await ofDevice.execute()).toEqual(before);
    const session = await api.owner
      .selectFrom('customer_sessions')
      .select('step_up_until')
      .where('session_id', '=', user.sessionId)
      .executeTakeFirstOrThrow();
    expect(session.step_up_until === null).toBe(method === 'POST');
  });

  it('is paired for a good token alone, without the work of the others', async () => {
    // More at once than derivations may wait: one that was made for nothing would push real ones out.
    const answers = await Promise.all(
      Array.from({ length: 230 }, (_none, at) =>
        enter(api, 'POST', '/devices', pairing(`cpt_${String(at).padStart(43, 'a')}`)),
      ),
    );
    expect([...new Set(answers.map((one) => titleOf(one).join(' ')))]).toEqual(['401 PAIRING_TOKEN_INVALID']);
  });
});

describe('lists', () => {
  const addDevices = (user: AppUser, count: number) =>
    sql`
      insert into device_installations (installation_id, partner_id, programme_id, customer_id, device_id, platform,
        public_key_thumbprint, app_pin_hash)
      select gen_random_uuid(), partner_id, programme_id, customer_id, 'more-' || n, platform,
        public_key_thumbprint, app_pin_hash
      from device_installations, generate_series(1, ${count}) n
      where installation_id = ${user.installationId}`.execute(api.owner);

  async function pages(token: string, path: string, limit: number): Promise<string[]> {
    const [ids, key] = [[] as string[], path.endsWith('devices') ? 'deviceInstallationId' : 'sessionId'];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { status, body } = await asUser(api, token, 'GET', `${path}?limit=${limit}${query}`);
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(limit);
      ids.push(...body.items.map((one: Record<string, string>) => one[key]));
      cursor = body.nextCursor;
    } while (cursor !== null);
    return ids;
  }

  it('of devices and sessions come in pages, each item once', async () => {
    const user = await anAppUser(api);
    await addDevices(user, 6);
    for (let at = 0; at < 4; at += 1) await appUserOf(api, user.customerId);
    const devices = await pages(user.token, '/me/devices', 4);
    expect([devices.length, new Set(devices).size]).toEqual([11, 11]);
    const sessions = await pages(user.token, '/me/sessions', 2);
    expect(sessions.toSorted()).toEqual((await liveSessions(user)).toSorted());
    const { body } = await asUser(api, user.token, 'GET', '/me/devices?limit=4');
    const stranger = await anAppUser(api);
    const foreign = await asUser(api, stranger.token, 'GET', `/me/devices?cursor=${body.nextCursor}`);
    expect(titleOf(foreign)).toEqual([400, 'INVALID_CURSOR']);
  });

  it('are no bound for what happens to all devices of a user', async () => {
    const user = await anAppUser(api);
    await addDevices(user, 205);
    const { partner_id: partnerId, programme_id: programmeId } = await api.owner
      .selectFrom('customers')
      .select(['partner_id', 'programme_id'])
      .where('customer_id', '=', user.customerId)
      .executeTakeFirstOrThrow();
    await sql`
      insert into guess_guards (programme_id, guarded, partner_id, in_a_row)
      select programme_id, 'device:' || installation_id, partner_id, 3 from device_installations
      where customer_id = ${user.customerId}`.execute(api.owner);
    const guards = async () =>
      (
        await sql<{ left: number }>`
          select count(*)::int as left from guess_guards join device_installations
            on guarded = 'device:' || installation_id where customer_id = ${user.customerId}`.execute(
          api.owner,
        )
      ).rows[0]?.left;
    expect(await guards()).toBe(206);
    await atomically(api.services.engine, SYSTEM, (trx) =>
      liftSignInLocks(trx, { customerId: user.customerId, partnerId, programmeId }),
    );
    expect(await guards()).toBe(0);
    expect((await partner('DELETE', `/users/${user.customerId}`)).status).toBe(204);
    const states = await api.owner
      .selectFrom('device_installations')
      .select('state')
      .distinct()
      .where('customer_id', '=', user.customerId)
      .execute();
    expect(states).toEqual([{ state: 'UNPAIRED' }]);
  });
});
