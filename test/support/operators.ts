import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { openOperatorSession } from '../../db/operator-sessions.ts';
import type { OperatorRole, StoredOperatorState } from '../../domain/operator.ts';
import { hashSecret } from '../../vault/password.ts';
import { openMailFacts } from '../../vault/sealed-mail.ts';
import { newToken } from '../../vault/session-token.ts';
import type { ApiHarness, CallOptions, HttpAnswer } from './harness.ts';

/** A signed-in operator of a test. */
export interface TestOperator {
  readonly operatorId: string;
  readonly email: string;
  readonly token: string;
}

export interface OperatorWish {
  readonly role: OperatorRole;
  /** Code of the partner; absent: an operator of the platform. */
  readonly partner?: string;
  readonly state?: StoredOperatorState;
}

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

/** Adds an operator with an open session, without any of the calls that lead there. */
export async function anOperator(api: ApiHarness, wish: OperatorWish): Promise<TestOperator> {
  const { partner } = wish;
  const partnerId = partner === undefined ? null : await partnerIdOf(api.owner, partner);
  const operatorId = randomUUID();
  const email = `${wish.role.toLowerCase()}-${operatorId.slice(0, 8)}@operators.test`;
  await api.owner
    .insertInto('operators')
    .values({
      operator_id: operatorId,
      partner_id: partnerId,
      email,
      first_name: 'Test',
      last_name: wish.role,
      role: wish.role,
      scope: partnerId === null ? 'PLATFORM' : 'PARTNER',
      state: wish.state ?? 'ACTIVE',
      locked_until: null,
      totp_secret: null,
      totp_offered: null,
      totp_step: null,
      last_login_at: null,
    })
    .execute();
  return { operatorId, email, token: await aSessionOf(api, operatorId, partnerId) };
}

/** One more session of an operator. */
export async function aSessionOf(
  api: ApiHarness,
  operatorId: string,
  partnerId: number | null = null,
): Promise<string> {
  const { token, hash } = newToken(api.vault, 'ost');
  await atomically(api.services.engine, caller, (trx) =>
    openOperatorSession(trx, { operatorId, partnerId, tokenHash: hash, ip: null }),
  );
  return token;
}

async function partnerIdOf(owner: Kysely<Database>, code: string): Promise<number> {
  const row = await owner
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', code)
    .executeTakeFirstOrThrow();
  return row.partner_id;
}

/** Calls `/admin` on the public listener as an operator, or as nobody. */
export const adminCall = (
  api: ApiHarness,
  method: string,
  path: string,
  as: { readonly token: string } | null,
  options: CallOptions = {},
): Promise<HttpAnswer> =>
  api.call(method, path, {
    as: 'nobody',
    listener: 'public',
    ...options,
    headers: { ...(as === null ? {} : { Authorization: `Bearer ${as.token}` }), ...options.headers },
  });

/** Moves the clock of the database forward in all; 0 puts it back. */
export async function moveClock(owner: Kysely<Database>, seconds: number): Promise<void> {
  await sql`delete from clock_offset`.execute(owner);
  if (seconds !== 0) {
    await sql`insert into clock_offset (offset_by) values (make_interval(secs => ${seconds}))`.execute(owner);
  }
  await sql`select create_partitions()`.execute(owner);
}

/** What the newest mail of a template to an address tells in secret: a code or a link. */
export async function newestSecretMail(
  api: ApiHarness,
  template: 'operatorCode' | 'operatorInvitation' | 'operatorPasswordReset',
  to: string,
): Promise<{ readonly code?: string; readonly link?: string } | undefined> {
  const rows = await api.owner
    .selectFrom('outbox')
    .select(['subject_id', 'data'])
    .where('destination', '=', 'message')
    .where('kind', '=', template)
    .orderBy('id', 'desc')
    .execute();
  const row = rows.find((one) => one.data?.['to'] === to);
  if (row === undefined) return undefined;
  return openMailFacts(api.vault, row.subject_id ?? '', String(row.data?.['sealed']));
}

/** The token in a mailed link. */
export const tokenOf = (mail: { readonly link?: string } | undefined): string =>
  new URL(mail?.link ?? '').searchParams.get('token') ?? '';

export const PASSWORD = 'marble otter lantern 7';

/** Gives an operator a password without a mail. */
export async function givePassword(api: ApiHarness, operatorId: string, password = PASSWORD): Promise<void> {
  const hash = await hashSecret(api.vault, password);
  await api.owner
    .insertInto('operator_passwords')
    .values({ operator_id: operatorId, partner_id: null, hash })
    .execute();
}
