import { generateKeyPairSync, randomInt, randomUUID } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { hashSecret } from '../../vault/password.ts';
import { readRecipientKey } from '../../vault/recipient-key.ts';
import { newToken } from '../../vault/session-token.ts';
import type { ApiHarness, CallOptions, HttpAnswer } from './harness.ts';

/** A user of the app with a paired device and a session. */
export interface AppUser {
  readonly customerId: number;
  readonly installationId: string;
  readonly token: string;
  readonly sessionId: string;
  readonly phone: string;
  readonly email: string;
  readonly publicKey: string;
}

export const APP_PIN = '482915';
export const PASSWORD = 'violet harbour 73';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** What the test's devices register: base64 of a PEM. */
export const DEVICE_KEY = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })).toString('base64');

/** Headers that ask for an answer encrypted to the test's devices. */
export const toDevice = { 'Encrypt-Response': 'true', 'Public-Key': DEVICE_KEY } as const;

/** What an answer holds that was encrypted to the test's devices. */
export async function openOnDevice(answer: HttpAnswer): Promise<Record<string, unknown>> {
  const { plaintext } = await compactDecrypt(answer.body.payload, privateKey);
  return JSON.parse(Buffer.from(plaintext).toString('utf8')) as Record<string, unknown>;
}

/** Person data that no other test user has. */
export function somebody(): {
  firstName: string;
  lastName: string;
  phone: string;
  email: string;
  birthDate: string;
} {
  const number = randomInt(100_000_000, 999_999_999);
  return {
    firstName: 'Olga',
    lastName: 'Zielona',
    phone: `48${number}`,
    email: `olga${number}@example.com`,
    birthDate: '1991-05-17',
  };
}

/** Calls the way in of the app. */
export const enter = (
  api: ApiHarness,
  method: string,
  path: string,
  body?: object,
  issuerCode = 'sandbox',
): Promise<HttpAnswer> =>
  api.call(method, `/customers${path}`, {
    as: 'nobody',
    listener: 'public',
    headers: { 'Issuer-Code': issuerCode },
    ...(body === undefined ? {} : { body }),
  });

/** Calls as a user of the app. */
export const asUser = (
  api: ApiHarness,
  token: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<HttpAnswer> =>
  api.call(method, `/customers${path}`, {
    ...options,
    as: 'nobody',
    listener: 'public',
    headers: { Authorization: `Bearer ${token}`, ...options.headers },
  });

/** The newest code that went to a number or address. */
export function codeTo(api: ApiHarness, to: string): string {
  const sent = api.messages.findLast((one) => one.to === to && /code is [0-9]{6}/.test(one.text));
  if (sent === undefined) throw new Error('no code was sent there');
  return /code is ([0-9]{6})/.exec(sent.text)?.[1] ?? '';
}

/** A pairing as an app sends it. */
export const pairing = (pairingToken: string, changes: object = {}): object => ({
  pairingToken,
  deviceId: `device-${randomUUID()}`,
  platform: 'ANDROID',
  publicKey: DEVICE_KEY,
  appPin: APP_PIN,
  password: PASSWORD,
  ...changes,
});

let hashes: Promise<{ pin: string; password: string }> | undefined;

type Rows = Pick<ApiHarness, 'owner' | 'vault'>;

const hashesOf = (api: Rows) =>
  (hashes ??= (async () => ({
    pin: await hashSecret(api.vault, APP_PIN),
    password: await hashSecret(api.vault, PASSWORD),
  }))());

/** Gives a user that is there a device and a session, without the calls that lead there. */
export async function appUserOf(
  api: Rows,
  customerId: number,
  contact: { readonly phone: string; readonly email: string } = { phone: '', email: '' },
): Promise<AppUser> {
  const { owner } = api;
  const customer = await owner
    .selectFrom('customers')
    .select(['partner_id', 'programme_id'])
    .where('customer_id', '=', customerId)
    .executeTakeFirstOrThrow();
  const { pin, password } = await hashesOf(api);
  await owner
    .insertInto('customer_credentials')
    .values({
      customer_id: customerId,
      partner_id: customer.partner_id,
      password_hash: password,
      terms_version: '1',
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const installationId = randomUUID();
  await owner
    .insertInto('device_installations')
    .values({
      installation_id: installationId,
      ...customer,
      customer_id: customerId,
      device_id: installationId,
      platform: 'IOS',
      name: null,
      model: null,
      os_version: null,
      app_version: null,
      public_key_thumbprint: thumbprint(),
      signing_key: null,
      push_token: null,
      app_pin_hash: pin,
      ended_at: null,
    })
    .execute();
  const { token, hash } = newToken(api.vault, 'cst');
  const sessionId = randomUUID();
  await owner
    .insertInto('customer_sessions')
    .values({
      session_id: sessionId,
      family_id: sessionId,
      ...customer,
      customer_id: customerId,
      installation_id: installationId,
      token_hash: hash,
      absolute_expires_at: sql<Date>`cardloom_now() + interval '12 hours'`,
      step_up_until: null,
      replaced_at: null,
      ended_at: null,
      end_reason: null,
    })
    .execute();
  return { customerId, installationId, token, sessionId, ...contact, publicKey: DEVICE_KEY };
}

function thumbprint(): string {
  const key = readRecipientKey(DEVICE_KEY);
  if (key === 'INVALID_PUBLIC_KEY') throw new Error("the test device's key is no key");
  return key.thumbprint;
}

/** A new user of the partner, in the app already. */
export async function anAppUser(api: ApiHarness, issuerCode = 'sandbox'): Promise<AppUser> {
  const person = somebody();
  const made = await api.call('POST', '/lifecycle/v1/wallet', {
    as: issuerCode === 'other' ? 'other' : 'demo',
    headers: { 'Issuer-Code': issuerCode },
    body: { ...person, kyc: 'SUCCESS', state: 'VERIFIED' },
  });
  if (made.status !== 201) throw new Error(`no user: ${made.text}`);
  return await appUserOf(api, made.body.id, person);
}

/** Moves the clock of the database on. */
export async function moveClock(owner: Kysely<Database>, seconds: number): Promise<void> {
  await sql`
    insert into clock_offset (offset_by) values (make_interval(secs => ${seconds}))
    on conflict (only_row) do update set offset_by = clock_offset.offset_by + excluded.offset_by`.execute(
    owner,
  );
}
