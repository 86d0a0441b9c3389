import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { storePairingToken } from '../../db/pairing-tokens.ts';
import { forgetSignInLeftovers } from '../../db/sign-in-leftovers.ts';
import { newToken } from '../../vault/session-token.ts';
import {
  anAppUser,
  APP_PIN,
  appUserOf,
  asUser,
  codeTo,
  enter,
  moveClock,
  pairing,
  PASSWORD,
  somebody,
} from '../support/app-users.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const me = (token: string) => asUser(api, token, 'GET', '/me');
const titleOf = ({ status, body }: { status: number; body: { title?: string } | null }) => [
  status,
  body?.title,
];
const EXPIRED = [401, 'SESSION_EXPIRED'];

describe('registration', () => {
  it('makes a user by a code, who pairs a device and is signed in', async () => {
    const person = somebody();
    const begun = await enter(api, 'POST', '/registrations', { ...person, termsVersion: '2026-1' });
    expect(begun.status).toBe(201);
    expect(Object.keys(begun.body).toSorted()).toEqual(['otpExpiresAt', 'registrationId', 'resendAfter']);
    const path = `/registrations/${begun.body.registrationId}/confirm`;
    const confirmed = await enter(api, 'POST', path, { otp: codeTo(api, person.phone) });
    expect(confirmed.status).toBe(201);
    expect(confirmed.body.pairingToken).toMatch(/^cpt_/);
    const again = await enter(api, 'POST', path, { otp: codeTo(api, person.phone) });
    expect(titleOf(again)).toEqual([404, 'REGISTRATION_NOT_FOUND']);

    const weak = pairing(confirmed.body.pairingToken, { appPin: '170591' });
    expect(titleOf(await enter(api, 'POST', '/devices', weak))).toEqual([422, 'WEAK_SECRET']);
    const paired = await enter(api, 'POST', '/devices', pairing(confirmed.body.pairingToken));
    expect(paired.status).toBe(201);
    const { sessionToken } = paired.body.session;
    const seen = await me(sessionToken);
    expect(seen.body).toMatchObject({
      id: confirmed.body.userId,
      phone: person.phone,
      state: 'VERIFIED',
      kyc: 'NOT_STARTED',
    });
    const twice = await enter(api, 'POST', '/devices', pairing(confirmed.body.pairingToken));
    expect(titleOf(twice)).toEqual([401, 'PAIRING_TOKEN_INVALID']);
  });

  it('answers a taken number alike, and tells it only to whoever has the code', async () => {
    const user = await anAppUser(api);
    const begun = await enter(api, 'POST', '/registrations', {
      ...somebody(),
      phone: user.phone,
      termsVersion: '1',
    });
    expect(begun.status).toBe(201);
    const confirmed = await enter(api, 'POST', `/registrations/${begun.body.registrationId}/confirm`, {
      otp: codeTo(api, user.phone),
    });
    expect(titleOf(confirmed)).toEqual([409, 'PHONE_ALREADY_REGISTERED']);
  });

  it('is closed where the partner makes the users, and to the young', async () => {
    const closed = (enrolment: 'BOTH' | 'CLOSED') =>
      api.owner.updateTable('programmes').set({ enrolment }).where('issuer_code', '=', 'sandbox').execute();
    const asked = { ...somebody(), termsVersion: '1' };
    await closed('CLOSED');
    expect(titleOf(await enter(api, 'POST', '/registrations', asked))).toEqual([422, 'ENROLMENT_CLOSED']);
    await closed('BOTH');
    const young = { ...asked, birthDate: '2020-01-01' };
    expect(titleOf(await enter(api, 'POST', '/registrations', young))).toEqual([422, 'UNDERAGE']);
  });

  it('keeps no code, token or person in clear', async () => {
    const rows = JSON.stringify([
      await api.owner.selectFrom('one_time_codes').selectAll().execute(),
      await api.owner.selectFrom('pairing_tokens').selectAll().execute(),
      await api.owner.selectFrom('customer_sessions').selectAll().execute(),
    ]);
    expect(rows).not.toMatch(/c[sp]t_|example\.com/);
    expect(api.logLines().join('\n')).not.toMatch(/c[sp]t_|example\.com|code is/);
  });
});

describe('activation', () => {
  it('takes a user of the partner to a device by a code and the password', async () => {
    const user = await anAppUser(api);
    const begun = await enter(api, 'POST', '/activations', {
      phone: user.phone,
      birthDate: somebody().birthDate,
    });
    const path = `/activations/${begun.body.activationId}/confirm`;
    const otp = codeTo(api, user.phone);
    const without = await enter(api, 'POST', path, { otp, password: 'a wrong password' });
    expect(titleOf(without)).toEqual([401, 'INVALID_CREDENTIALS']);
    const confirmed = await enter(api, 'POST', path, { otp, password: PASSWORD });
    expect(confirmed.body).toMatchObject({ userId: user.customerId });
    const withPassword = await enter(api, 'POST', '/devices', pairing(confirmed.body.pairingToken));
    expect(titleOf(withPassword)).toEqual([400, 'VALIDATION_ERROR']);
    const { password: _left, ...body } = pairing(confirmed.body.pairingToken) as { password: string };
    expect((await enter(api, 'POST', '/devices', body)).status).toBe(201);
  });

  it('answers unknown people alike, and sends nothing', async () => {
    const unknown = await enter(api, 'POST', '/activations', {
      phone: '48111222333',
      birthDate: '1990-01-01',
    });
    expect(unknown.status).toBe(201);
    expect(Object.keys(unknown.body).toSorted()).toEqual(['activationId', 'otpExpiresAt', 'resendAfter']);
    expect(api.messages.filter((one) => one.to === '48111222333')).toEqual([]);
    const path = `/activations/${unknown.body.activationId}/confirm`;
    expect(titleOf(await enter(api, 'POST', path, { otp: '123456' }))).toEqual([401, 'INVALID_CODE']);
  });

  it('replaces the installation of the same device, whose sessions end', async () => {
    const user = await anAppUser(api);
    const begun = await enter(api, 'POST', '/activations', {
      phone: user.phone,
      birthDate: somebody().birthDate,
    });
    const confirmed = await enter(api, 'POST', `/activations/${begun.body.activationId}/confirm`, {
      otp: codeTo(api, user.phone),
      password: PASSWORD,
    });
    const paired = await enter(
      api,
      'POST',
      '/devices',
      pairing(confirmed.body.pairingToken, { deviceId: user.installationId, password: null }),
    );
    expect(paired.status).toBe(201);
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
    const { body } = await asUser(api, paired.body.session.sessionToken, 'GET', '/me/devices');
    expect(body.items.map((one: { state: string; current: boolean }) => [one.state, one.current])).toEqual(
      expect.arrayContaining([
        ['ACTIVE', true],
        ['REPLACED', false],
      ]),
    );
  });

  it('pairs one device twice at once: the later pairing replaces the earlier', async () => {
    const user = await anAppUser(api);
    const pairTokens = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { token, hash } = newToken(api.vault, 'cpt');
        const { partner_id: partnerId } = await api.owner
          .selectFrom('customers')
          .select('partner_id')
          .where('customer_id', '=', user.customerId)
          .executeTakeFirstOrThrow();
        const caller = {
          partnerId,
          actor: { type: 'SYSTEM', id: 'test' },
          requestId: 'test',
          ip: null,
        } as const;
        await atomically(api.services.engine, caller, (trx) =>
          storePairingToken(trx, { hash, partnerId, customerId: user.customerId }),
        );
        return token;
      }),
    );
    const answers = await Promise.all(
      pairTokens.map((token) =>
        enter(api, 'POST', '/devices', pairing(token, { deviceId: 'same-device', password: null })),
      ),
    );
    expect(answers.map((one) => one.status)).toEqual([201, 201, 201, 201]);
    const states = await api.owner
      .selectFrom('device_installations')
      .select('state')
      .where('customer_id', '=', user.customerId)
      .where('device_id', '=', 'same-device')
      .execute();
    expect(states.map((one) => one.state).toSorted()).toEqual(['ACTIVE', 'REPLACED', 'REPLACED', 'REPLACED']);
  });
});

describe('a session', () => {
  it('lives ten minutes since its last use by the clock of the database', async () => {
    const [user, idle] = [await anAppUser(api), await anAppUser(api)];
    await moveClock(api.owner, 9 * 60 + 59);
    expect((await me(user.token)).status).toBe(200);
    await moveClock(api.owner, 2);
    expect(titleOf(await me(idle.token))).toEqual(EXPIRED);
    await moveClock(api.owner, 9 * 60 + 57);
    expect((await me(user.token)).status).toBe(200);
    await moveClock(api.owner, 10 * 60 + 1);
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
  });

  it('ends after twelve hours however much it is used, also across refreshes', async () => {
    const user = await anAppUser(api);
    await api.owner
      .updateTable('programmes')
      .set({ session_minutes: 60 })
      .where('issuer_code', '=', 'sandbox')
      .execute();
    let { token } = user;
    for (let half = 0; half < 23; half += 1) {
      await moveClock(api.owner, 30 * 60);
      const refreshed = await asUser(api, token, 'POST', '/sessions/refresh');
      expect(refreshed.status).toBe(201);
      token = refreshed.body.sessionToken;
    }
    await moveClock(api.owner, 30 * 60);
    expect(titleOf(await me(token))).toEqual(EXPIRED);
    await api.owner
      .updateTable('programmes')
      .set({ session_minutes: 10 })
      .where('issuer_code', '=', 'sandbox')
      .execute();
  });

  it('leaves the old token ten seconds after a refresh; its later use ends the family', async () => {
    const user = await anAppUser(api);
    const other = await appUserOf(api, user.customerId);
    const refreshed = await asUser(api, user.token, 'POST', '/sessions/refresh');
    expect((await me(user.token)).status).toBe(200);
    expect((await me(refreshed.body.sessionToken)).status).toBe(200);
    await moveClock(api.owner, 11);
    expect((await me(refreshed.body.sessionToken)).status).toBe(200);
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
    expect(titleOf(await me(refreshed.body.sessionToken))).toEqual(EXPIRED);
    expect((await me(other.token)).status).toBe(200);
    const events = await api.owner
      .selectFrom('audit_log')
      .select(['object_id', 'result'])
      .where('action', '=', 'session.token_reused')
      .execute();
    expect(events).toEqual([{ object_id: user.sessionId, result: 'DENIED' }]);
  });

  it('takes the token of either header, and not two that differ', async () => {
    const user = await anAppUser(api);
    const call = (headers: Record<string, string>) =>
      api.call('GET', '/customers/me', { as: 'nobody', listener: 'public', headers });
    expect((await call({ 'X-Session-Token': user.token })).status).toBe(200);
    const same = { Authorization: `Bearer ${user.token}`, 'X-Session-Token': user.token };
    expect((await call(same)).status).toBe(200);
    const differ = { ...same, 'X-Session-Token': (await anAppUser(api)).token };
    expect(titleOf(await call(differ))).toEqual([401, 'UNAUTHENTICATED']);
    expect(titleOf(await call({}))).toEqual([401, 'UNAUTHENTICATED']);
    expect(titleOf(await call({ Authorization: `Basic ${user.token}` }))).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('ends by log-out, by its user from elsewhere, and when the user is locked', async () => {
    const user = await anAppUser(api);
    const [second, third, fourth] = [
      await appUserOf(api, user.customerId),
      await appUserOf(api, user.customerId),
      await appUserOf(api, user.customerId),
    ];
    const listed = await asUser(api, user.token, 'GET', '/me/sessions');
    expect(listed.body.items).toHaveLength(4);
    expect((await asUser(api, second.token, 'DELETE', '/sessions/current')).status).toBe(204);
    expect(titleOf(await me(second.token))).toEqual(EXPIRED);
    const one = `/me/sessions/${third.sessionId}`;
    expect((await asUser(api, user.token, 'DELETE', one)).status).toBe(204);
    expect(titleOf(await me(third.token))).toEqual(EXPIRED);
    expect(titleOf(await asUser(api, user.token, 'DELETE', one))).toEqual([404, 'SESSION_NOT_FOUND']);
    expect((await asUser(api, user.token, 'DELETE', '/me/sessions')).status).toBe(204);
    expect(titleOf(await me(fourth.token))).toEqual(EXPIRED);
    await api.owner
      .updateTable('customers')
      .set({ state: 'LOCKED', state_before_lock: 'VERIFIED' })
      .where('customer_id', '=', user.customerId)
      .execute();
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
    const signIn = { deviceInstallationId: user.installationId, method: 'APP_PIN', appPin: APP_PIN };
    expect(titleOf(await enter(api, 'POST', '/sessions', signIn))).toEqual([403, 'USER_LOCKED']);
  });
});

describe('sign-in', () => {
  it('opens a session by app PIN, by password, and by a signature over a challenge, once', async () => {
    const user = await anAppUser(api);
    const device = { deviceInstallationId: user.installationId };
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await api.owner
      .updateTable('device_installations')
      .set({ signing_key: publicKey.export({ format: 'der', type: 'spki' }) })
      .where('installation_id', '=', user.installationId)
      .execute();
    const byPin = await enter(api, 'POST', '/sessions', { ...device, method: 'APP_PIN', appPin: APP_PIN });
    expect(byPin.body.sessionToken).toMatch(/^cst_/);
    const byPassword = { ...device, method: 'PASSWORD', password: PASSWORD };
    expect((await enter(api, 'POST', '/sessions', byPassword)).status).toBe(201);
    const { body: asked } = await enter(api, 'POST', '/sessions/challenges', device);
    const bytes = Buffer.from(asked.challenge, 'base64url');
    expect(bytes).toHaveLength(32);
    const signed = {
      ...device,
      method: 'DEVICE_SIGNATURE',
      challengeId: asked.challengeId,
      signature: sign('sha256', bytes, {
        key: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
        dsaEncoding: 'ieee-p1363',
      }).toString('base64url'),
    };
    expect((await enter(api, 'POST', '/sessions', signed)).status).toBe(201);
    expect(titleOf(await enter(api, 'POST', '/sessions', signed))).toEqual([401, 'INVALID_CREDENTIALS']);
  });

  it('takes no challenge of more than a minute', async () => {
    const user = await anAppUser(api);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await api.owner
      .updateTable('device_installations')
      .set({ signing_key: publicKey.export({ format: 'der', type: 'spki' }) })
      .where('installation_id', '=', user.installationId)
      .execute();
    const device = { deviceInstallationId: user.installationId };
    const { body: asked } = await enter(api, 'POST', '/sessions/challenges', device);
    await moveClock(api.owner, 61);
    const signature = sign('sha256', Buffer.from(asked.challenge, 'base64url'), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    }).toString('base64url');
    const signed = { ...device, method: 'DEVICE_SIGNATURE', challengeId: asked.challengeId, signature };
    expect(titleOf(await enter(api, 'POST', '/sessions', signed))).toEqual([401, 'INVALID_CREDENTIALS']);
  });

  it('answers an installation that is not there as one with a wrong PIN', async () => {
    const user = await anAppUser(api);
    const answers = await Promise.all(
      [user.installationId, randomUUID()].map((deviceInstallationId) =>
        enter(api, 'POST', '/sessions', { deviceInstallationId, method: 'APP_PIN', appPin: '111111' }),
      ),
    );
    expect(answers.map((one) => one.text)).toEqual([answers[0]?.text, answers[0]?.text]);
    expect(answers.map((one) => one.status)).toEqual([401, 401]);
    const { body } = await enter(api, 'POST', '/sessions/challenges', { deviceInstallationId: randomUUID() });
    expect(Object.keys(body).toSorted()).toEqual(['challenge', 'challengeId', 'expiresAt']);
  });
});

describe('secrets, devices and contacts', () => {
  it('changes app PIN and password; other sessions end, weak ones are refused', async () => {
    const user = await anAppUser(api);
    const other = await appUserOf(api, user.customerId);
    const put = (path: string, body: object) => asUser(api, user.token, 'PUT', path, { body });
    expect(titleOf(await put('/me/app-pin', { current: APP_PIN, new: '123456' }))).toEqual([
      422,
      'WEAK_SECRET',
    ]);
    expect((await put('/me/app-pin', { current: APP_PIN, new: '730264' })).status).toBe(204);
    expect(titleOf(await me(other.token))).toEqual(EXPIRED);
    const signIn = { deviceInstallationId: user.installationId, method: 'APP_PIN' };
    const old = await enter(api, 'POST', '/sessions', { ...signIn, appPin: APP_PIN });
    expect(titleOf(old)).toEqual([401, 'INVALID_CREDENTIALS']);
    expect((await enter(api, 'POST', '/sessions', { ...signIn, appPin: '730264' })).status).toBe(201);
    const wrong = await put('/me/password', { current: 'not the password', new: 'amber lighthouse 42' });
    expect(titleOf(wrong)).toEqual([401, 'INVALID_CREDENTIALS']);
    const weak = await put('/me/password', { current: PASSWORD, new: `${user.email} 12` });
    expect(titleOf(weak)).toEqual([422, 'WEAK_SECRET']);
    expect((await put('/me/password', { current: PASSWORD, new: 'amber lighthouse 42' })).status).toBe(204);
  });

  it('needs a step-up for another device, and 120 seconds later again', async () => {
    const user = await anAppUser(api);
    const other = await appUserOf(api, user.customerId);
    const unpair = (id: string) => asUser(api, user.token, 'DELETE', `/me/devices/${id}`);
    expect(titleOf(await unpair(other.installationId))).toEqual([403, 'STEP_UP_REQUIRED']);
    const stepUp = () =>
      asUser(api, user.token, 'POST', '/me/step-up', { body: { method: 'APP_PIN', appPin: APP_PIN } });
    expect((await stepUp()).status).toBe(200);
    await moveClock(api.owner, 121);
    expect(titleOf(await unpair(other.installationId))).toEqual([403, 'STEP_UP_REQUIRED']);
    expect((await stepUp()).status).toBe(200);
    expect((await unpair(other.installationId)).status).toBe(204);
    expect(titleOf(await me(other.token))).toEqual(EXPIRED);
    const path = `/me/devices/${user.installationId}`;
    const token = { body: { pushToken: 'push-secret' } };
    expect((await asUser(api, user.token, 'PUT', `${path}/push-token`, token)).status).toBe(204);
    const key = { body: { publicKey: user.publicKey } };
    expect((await asUser(api, user.token, 'PUT', `${path}/public-key`, key)).status).toBe(204);
    expect((await unpair(user.installationId)).status).toBe(204);
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
  });

  it('resets a password by two codes: sessions end and the lock is lifted', async () => {
    const user = await anAppUser(api);
    const signIn = { deviceInstallationId: user.installationId, method: 'PASSWORD' };
    for (let at = 0; at < 5; at += 1) {
      await enter(api, 'POST', '/sessions', { ...signIn, password: 'not the password' });
    }
    const blocked = await enter(api, 'POST', '/sessions', { ...signIn, password: PASSWORD });
    expect(titleOf(blocked)).toEqual([429, 'TOO_MANY_ATTEMPTS']);
    const contact = { phone: user.phone, email: user.email };
    const { body } = await enter(api, 'POST', '/password-resets', contact);
    const confirm = (emailOtp: string) =>
      enter(api, 'POST', `/password-resets/${body.resetId}/confirm`, {
        phoneOtp: codeTo(api, user.phone),
        emailOtp,
        newPassword: 'amber lighthouse 42',
      });
    const right = codeTo(api, user.email);
    const wrong = right === '000000' ? '000001' : '000000';
    expect(titleOf(await confirm(wrong))).toEqual([401, 'INVALID_CODE']);
    expect((await confirm(right)).status).toBe(204);
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
    const fresh = await enter(api, 'POST', '/sessions', { ...signIn, password: 'amber lighthouse 42' });
    expect(fresh.status).toBe(201);
    const unknown = await enter(api, 'POST', '/password-resets', { ...contact, email: 'no@example.com' });
    expect(unknown.status).toBe(201);
    expect(api.messages.filter((one) => one.to === 'no@example.com')).toEqual([]);
  });

  it('changes language and phone: the code goes to the new number, a notice to the old', async () => {
    const user = await anAppUser(api);
    const changed = await asUser(api, user.token, 'PUT', '/me', { body: { language: 'pl' } });
    expect(changed.body).toMatchObject({ language: 'pl' });
    const { phone } = somebody();
    const ask = () => asUser(api, user.token, 'POST', '/me/contact-changes', { body: { phone } });
    expect(titleOf(await ask())).toEqual([403, 'STEP_UP_REQUIRED']);
    await asUser(api, user.token, 'POST', '/me/step-up', { body: { method: 'APP_PIN', appPin: APP_PIN } });
    const asked = await ask();
    expect(asked.status).toBe(201);
    expect(api.messages.filter((one) => one.to === user.phone)).toHaveLength(1);
    const path = `/me/contact-changes/${asked.body.id}/confirm`;
    const stranger = await anAppUser(api);
    const body = { otp: codeTo(api, phone) };
    const byStranger = await asUser(api, stranger.token, 'POST', path, { body });
    expect(titleOf(byStranger)).toEqual([401, 'INVALID_CODE']);
    const confirmed = await asUser(api, user.token, 'POST', path, { body });
    expect(confirmed.body).toMatchObject({ id: user.customerId, phone });
  });
});

describe('what the partner does to a user', () => {
  it('ends the sessions when it locks one, for good, and unpairs the devices when it deletes one', async () => {
    const user = await anAppUser(api);
    const lifecycle = (method: string, path: string) =>
      api.call(method, `/lifecycle/v1/users/${user.customerId}${path}`, {
        headers: { 'Issuer-Code': 'sandbox' },
      });
    expect((await lifecycle('POST', '/lock')).status).toBe(204);
    expect((await lifecycle('POST', '/unlock')).status).toBe(204);
    expect(titleOf(await me(user.token))).toEqual(EXPIRED);
    const signIn = { deviceInstallationId: user.installationId, method: 'APP_PIN', appPin: APP_PIN };
    const again = await enter(api, 'POST', '/sessions', signIn);
    expect(again.status).toBe(201);
    expect((await lifecycle('DELETE', '')).status).toBe(204);
    expect(titleOf(await me(again.body.sessionToken))).toEqual(EXPIRED);
    expect(titleOf(await enter(api, 'POST', '/sessions', signIn))).toEqual([401, 'INVALID_CREDENTIALS']);
  });
});

describe('words and lists', () => {
  it('a method is read without regard to case; null is as good as absent', async () => {
    const user = await anAppUser(api);
    const signIn = { deviceInstallationId: user.installationId, method: ' app_pin', appPin: APP_PIN };
    expect((await enter(api, 'POST', '/sessions', signIn)).status).toBe(201);
    const stepUp = await asUser(api, user.token, 'POST', '/me/step-up', {
      body: { method: 'App_Pin', appPin: APP_PIN },
    });
    expect(stepUp.status).toBe(200);
    const change = { phone: null, email: `${randomUUID()}@example.com` };
    expect((await asUser(api, user.token, 'POST', '/me/contact-changes', { body: change })).status).toBe(201);
    const none = await asUser(api, user.token, 'POST', '/me/contact-changes', {
      body: { phone: null, email: null },
    });
    expect([none.status, none.body.title]).toEqual([400, 'VALIDATION_ERROR']);
  });

  it.each([
    ['/me/devices', 'deviceInstallationId'],
    ['/me/sessions', 'sessionId'],
  ])('%s has pages, whose cursors are the own ones only', async (path, id) => {
    const user = await anAppUser(api);
    for (let at = 0; at < 2; at += 1) await appUserOf(api, user.customerId);
    const get = (query: string, token = user.token) => asUser(api, token, 'GET', `${path}${query}`);
    const all = (await get('')).body.items.map((one: Record<string, string>) => one[id]);
    expect(all).toHaveLength(3);
    const first = (await get('?limit=2')).body;
    const rest = (await get(`?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...rest.items].map((one) => one[id])).toEqual(all);
    expect(rest.nextCursor).toBeNull();
    const stolen = await get(`?cursor=${first.nextCursor}`, (await anAppUser(api)).token);
    expect([stolen.status, stolen.body.title]).toEqual([400, 'INVALID_CURSOR']);
    expect((await get('?page=2')).status).toBe(400);
  });
});

describe('what is left of signing in', () => {
  it('is deleted when nobody can use it any more, and the counters of the day are kept', async () => {
    const user = await anAppUser(api);
    await enter(api, 'POST', '/activations', { phone: user.phone, birthDate: '1990-01-01' });
    await enter(api, 'POST', '/sessions/challenges', { deviceInstallationId: user.installationId });
    const wrong = { deviceInstallationId: user.installationId, method: 'PASSWORD', password: 'wrong one' };
    await enter(api, 'POST', '/sessions', wrong);
    const count = async (
      table: 'one_time_codes' | 'sign_in_challenges' | 'address_guards' | 'customer_sessions',
    ) => (await api.owner.selectFrom(table).select('partner_id').execute()).length;
    await moveClock(api.owner, 31 * 60);
    await forgetSignInLeftovers(api.services.engine);
    expect(await count('sign_in_challenges')).toBe(0);
    const codes = await api.owner.selectFrom('one_time_codes').select('data').execute();
    expect(new Set(codes.map((one) => one.data))).toEqual(new Set([null]));
    expect(await count('address_guards')).toBeGreaterThan(0);
    const guard = await api.owner
      .selectFrom('guess_guards')
      .select('in_a_row')
      .where('guarded', '=', `password:user:${user.customerId}`)
      .execute();
    expect(guard).toEqual([{ in_a_row: 1 }]);
    await moveClock(api.owner, 25 * 60 * 60);
    await forgetSignInLeftovers(api.services.engine);
    expect(await count('address_guards')).toBe(0);
    await moveClock(api.owner, 31 * 24 * 60 * 60);
    await forgetSignInLeftovers(api.services.engine);
    expect([await count('one_time_codes'), await count('customer_sessions')]).toEqual([0, 0]);
  });
});
