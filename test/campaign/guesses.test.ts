import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { readSettings } from '../../domain/settings.ts';
import { vaultSettings } from '../../vault/config.ts';
import { readKeySources } from '../../vault/key-files.ts';
import { hashCode } from '../../vault/one-time-code.ts';
import { openVault, type Vault } from '../../vault/vault.ts';
import { seedProgrammes } from '../bench/seed.ts';
import { APP_PIN, type AppUser, appUserOf, PASSWORD } from '../support/app-users.ts';
import { type Product, startProduct } from '../support/product.ts';

const MANY = 100;
const ALLOWED = 5;
const BACK_WITHIN_MS = 60_000;

let product: Product;
let owner: Kysely<Database>;
let vault: Vault;
let programme: Programme;
const agent = new Agent({ connections: MANY });

beforeAll(async () => {
  product = await startProduct({
    apis: 1,
    // All guesses come from one address, which would be stopped long before any secret is.
    environment: { LOG_LEVEL: 'warn', RATE_LIMIT_EXEMPT_CIDRS: '127.0.0.0/8' },
  });
  const url = new URL(product.urls.superuser);
  url.pathname = '/cardloom';
  owner = createDatabase(createPool({ url: url.href, max: 2, name: 'campaign' }));
  [programme] = (await seedProgrammes(owner, 1)) as [Programme];
  const { values } = readSettings(vaultSettings, { CARDLOOM_DATA_DIR: product.dataDir }, () => '');
  const engine = createDatabase(createPool({ url: product.urls.engine, max: 1, name: 'campaign-vault' }));
  vault = await openVault(engine, readKeySources(values));
  await engine.destroy();
}, 180_000);

afterAll(async () => {
  await agent.destroy();
  await owner?.destroy();
  await product?.stop();
}, 60_000);

/** Title of an answer, '' for a success, null when the connection broke before there was one. */
type Told = string | null;

async function post(path: string, body: object): Promise<Told> {
  try {
    const answer = await request(`http://127.0.0.1:${product.publicPorts[0]}/customers${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Issuer-Code': programme.issuerCode },
      body: JSON.stringify(body),
      dispatcher: agent,
    });
    const text = await answer.body.text();
    return answer.statusCode < 300 ? '' : (JSON.parse(text) as { title: string }).title;
  } catch {
    return null;
  }
}

async function kill(): Promise<void> {
  const [api] = product.apis;
  const pid = api?.pid() ?? null;
  if (pid === null) throw new Error('there is no API to kill');
  process.kill(pid, 'SIGKILL');
  while (api?.pid() === pid) await sleep(5);
}

async function back(): Promise<void> {
  const deadlineMs = Date.now() + BACK_WITHIN_MS;
  while (product.apis[0]?.state() !== 'ready') {
    if (Date.now() > deadlineMs) throw new Error('a killed API is not back after a minute');
    await sleep(20);
  }
}

interface Siege {
  readonly guess: (at: number) => Promise<Told>;
  /** What a guess is told that was looked at and wrong. */
  readonly wrong: string;
  /** How many guesses the database has counted. */
  readonly counted: () => Promise<number>;
}

/**
 * Guesses until nothing is looked at any more: one that is cut off by SIGKILL as soon as it is counted, a hundred at
 * once of which the first verdict is followed by SIGKILL, and a hundred at once in peace. Answers how many verdicts
 * there were.
 */
async function besiege({ guess, wrong, counted }: Siege): Promise<number> {
  const told: Told[] = [];
  const cutOff = guess(0).then((one) => told.push(one));
  while ((await counted()) < 1) await sleep(1);
  await kill();
  await cutOff;
  await back();

  let killed: Promise<void> | null = null;
  await Promise.all(
    Array.from({ length: MANY }, async (_none, at) => {
      const one = await guess(1 + at);
      told.push(one);
      if (one === wrong) killed ??= kill();
    }),
  );
  expect(killed, 'a verdict, and a kill after it').not.toBeNull();
  await killed;
  await back();

  told.push(...(await Promise.all(Array.from({ length: MANY }, (_none, at) => guess(1 + MANY + at)))));
  expect(told.filter((one) => one === '')).toEqual([]);
  return told.filter((one) => one === wrong).length;
}

async function aUser(): Promise<AppUser> {
  const subjectId = randomUUID();
  const { partnerId, programmeId } = programme;
  await sql`insert into subject_keys (subject_id, partner_id, wrapped, kek_version)
    values (${subjectId}, ${partnerId}, '\\x00', 1)`.execute(owner);
  const { rows } = await sql<{ customer_id: number }>`
    insert into customers (subject_id, partner_id, programme_id, personal, state, kyc)
    values (${subjectId}, ${partnerId}, ${programmeId}, '\\x00', 'VERIFIED', 'SUCCESS')
    returning customer_id`.execute(owner);
  return await appUserOf({ owner, vault }, Number(rows[0]?.customer_id));
}

const charged = async (guarded: string): Promise<number> =>
  (
    await owner
      .selectFrom('guess_guards')
      .select('wrong_at')
      .where('guarded', '=', guarded)
      .executeTakeFirst()
  )?.wrong_at.length ?? 0;

describe('100 guesses at once, with SIGKILL of the API in between', () => {
  it(`look at an app PIN no more than ${ALLOWED} times; the installation is locked`, async () => {
    const user = await aUser();
    const signIn = (appPin: string) =>
      post('/sessions', { deviceInstallationId: user.installationId, method: 'APP_PIN', appPin });
    const counted = () => charged(`device:${user.installationId}`);
    const verdicts = await besiege({
      guess: (at) => signIn(String(100_000 + at)),
      wrong: 'INVALID_CREDENTIALS',
      counted,
    });
    expect(verdicts).toBeGreaterThan(0);
    expect(verdicts).toBeLessThanOrEqual(ALLOWED);
    expect(await counted()).toBe(ALLOWED);
    expect(['TOO_MANY_ATTEMPTS', 'DEVICE_NOT_ACTIVE']).toContain(await signIn(APP_PIN));
    await sql`insert into clock_offset (offset_by) values (interval '31 seconds')`.execute(owner);
    expect(await signIn(APP_PIN)).toBe('DEVICE_NOT_ACTIVE');
    const { state } = await owner
      .selectFrom('device_installations')
      .select('state')
      .where('installation_id', '=', user.installationId)
      .executeTakeFirstOrThrow();
    expect(state).toBe('LOCKED');
  }, 120_000);

  it(`look at a password no more than ${ALLOWED} times, for half an hour`, async () => {
    const user = await aUser();
    const signIn = (password: string) =>
      post('/sessions', { deviceInstallationId: user.installationId, method: 'PASSWORD', password });
    const counted = () => charged(`password:user:${user.customerId}`);
    const verdicts = await besiege({
      guess: (at) => signIn(`wrong password ${at}`),
      wrong: 'INVALID_CREDENTIALS',
      counted,
    });
    expect(verdicts).toBeGreaterThan(0);
    expect(verdicts).toBeLessThanOrEqual(ALLOWED);
    expect(await counted()).toBe(ALLOWED);
    expect(await signIn(PASSWORD)).toBe('TOO_MANY_ATTEMPTS');
  }, 120_000);

  it(`look at a code no more than ${ALLOWED} times; its object is gone`, async () => {
    const codeId = randomUUID();
    const right = '918273';
    await owner
      .insertInto('one_time_codes')
      .values({
        code_id: codeId,
        partner_id: programme.partnerId,
        programme_id: programme.programmeId,
        purpose: 'ACTIVATION',
        customer_id: (await aUser()).customerId,
        address_index: Buffer.from(codeId),
        code_hash: hashCode(vault, `customer-code:${codeId}`, right),
        second_code_hash: null,
        data: null,
        sent_at: sql<Date>`cardloom_now()`,
        code_expires_at: sql<Date>`cardloom_now() + interval '1 hour'`,
        expires_at: sql<Date>`cardloom_now() + interval '1 hour'`,
        used_at: null,
        killed_at: null,
      })
      .execute();
    const confirm = (otp: string) => post(`/activations/${codeId}/confirm`, { otp, password: PASSWORD });
    const counted = async () =>
      (
        await owner
          .selectFrom('one_time_codes')
          .select('tries')
          .where('code_id', '=', codeId)
          .executeTakeFirstOrThrow()
      ).tries;
    const verdicts = await besiege({
      guess: (at) => confirm(String(100_000 + at)),
      wrong: 'INVALID_CODE',
      counted,
    });
    expect(verdicts).toBeGreaterThan(0);
    expect(verdicts).toBeLessThanOrEqual(ALLOWED);
    expect(await counted()).toBe(ALLOWED);
    expect(await confirm(right)).toBe('ACTIVATION_NOT_FOUND');
  }, 120_000);
});
