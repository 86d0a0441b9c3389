import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { remindOfCertificates } from '../../db/certificate-reminders.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import type { OperatorRole } from '../../domain/operator.ts';
import { createAuthority, issueCertificate } from '../../vault/certificate-authority.ts';
import { createMetrics } from '../../worker/metrics.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { moveClock } from '../support/operators.ts';

const DAY_MS = 86_400_000;
const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let partnerId: number;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = createDatabase(createPool({ url: fresh.ownerUrl, max: 2, name: 'test' }));
  engine = createDatabase(createPool({ url: fresh.engineUrl, max: 4, name: 'test' }));
  partnerId = await aPartner('bank');
  await anOperatorOf(null, 'root@platform.test');
  await anOperatorOf(partnerId, 'admin@bank.test');
  await anOperatorOf(partnerId, 'employee@bank.test', 'Employee');
  await anOperatorOf(await aPartner('other'), 'admin@other.test');
});

afterAll(async () => {
  await engine.destroy();
  await owner.destroy();
  await fresh.drop();
});

async function aPartner(code: string): Promise<number> {
  const row = await owner
    .insertInto('partners')
    .values({ public_id: randomUUID(), code, name: code })
    .returning('partner_id')
    .executeTakeFirstOrThrow();
  return row.partner_id;
}

const anOperatorOf = (of: number | null, email: string, role: OperatorRole = 'Admin') =>
  owner
    .insertInto('operators')
    .values({
      operator_id: randomUUID(),
      partner_id: of,
      email,
      first_name: 'Test',
      last_name: role,
      role,
      scope: of === null ? 'PLATFORM' : 'PARTNER',
      state: 'ACTIVE',
      locked_until: null,
      totp_secret: null,
      totp_offered: null,
      totp_step: null,
      last_login_at: null,
    })
    .execute();

async function aCertificate(
  of: number | null,
  label: string,
  days: number,
  state: 'ACTIVE' | 'REVOKED' = 'ACTIVE',
) {
  const id = randomUUID();
  await owner
    .insertInto('certificates')
    .values({
      certificate_id: id,
      partner_id: of,
      label,
      scopes: ['partner'],
      subject: `CN=${label}`,
      contact_email: 'ops@bank.test',
      key_sha256: id,
      serial: id.replaceAll('-', ''),
      fingerprint_sha256: id,
      not_before: new Date(),
      not_after: new Date(Date.now() + days * DAY_MS),
      state,
      revoked_at: state === 'REVOKED' ? new Date() : null,
      revocation_reason: null,
      last_used_at: null,
    })
    .execute();
  return id;
}

const remind = () => atomically(engine, caller, remindOfCertificates);

async function mailsOf(subjectId: string) {
  const rows = await owner
    .selectFrom('outbox')
    .select(['kind', 'data'])
    .where('destination', '=', 'message')
    .where('subject_id', '=', subjectId)
    .orderBy('id')
    .execute();
  return rows.map(({ kind, data }) => {
    const { to, facts } = data as { to: string; facts: { days: number } };
    return [kind, to, facts.days];
  });
}

describe('reminders of certificates that end', () => {
  it('go to the contact and the Admins of the partner, once for each step, also with two workers at once', async () => {
    const id = await aCertificate(partnerId, 'soon', 59);
    await aCertificate(partnerId, 'gone', 20, 'REVOKED');
    await aCertificate(partnerId, 'later', 61);
    const told = await Promise.all([remind(), remind(), remind()]);
    expect(told.reduce((sum, one) => sum + one)).toBe(1);
    const first = [
      ['certificateEnds', 'ops@bank.test', 60],
      ['certificateEnds', 'admin@bank.test', 60],
    ];
    expect(await mailsOf(id)).toEqual(first);
    await moveClock(owner, 45 * 86_400);
    try {
      expect(await remind()).toBe(2);
      expect(await remind()).toBe(0);
      expect(await mailsOf(id)).toEqual([...first, ...first.map(([kind, to]) => [kind, to, 14])]);
    } finally {
      await moveClock(owner, 0);
    }
    const rows = await owner
      .selectFrom('audit_log')
      .select(['partner_id', 'after'])
      .where('action', '=', 'certificate.expiry_told')
      .where('object_id', '=', id)
      .orderBy('id')
      .execute();
    expect(rows.map((row) => [row.partner_id, row.after?.['days']])).toEqual([
      [partnerId, 60],
      [partnerId, 14],
    ]);
  });

  it('of one without partner go to the Admins of the platform', async () => {
    const id = await aCertificate(null, 'processor', 6);
    await remind();
    expect(await mailsOf(id)).toEqual([
      ['certificateEnds', 'ops@bank.test', 7],
      ['certificateEnds', 'root@platform.test', 7],
    ]);
  });

  it('of ours towards a partner go to the Admins of both, by the end that the certificate itself says', async () => {
    const authority = await createAuthority();
    const { certificatePem } = await issueCertificate(authority, 'CN=cardloom', 'client', []);
    const id = randomUUID();
    await owner
      .insertInto('connections')
      .values({
        public_id: id,
        partner_id: partnerId,
        name: 'core',
        environment: 'TEST',
        base_url: 'https://bank.test',
        auth_kind: 'MTLS',
        client_certificate_pem: certificatePem,
        client_key_ct: null,
        basic_ct: null,
        server_ca_pem: null,
        signing_secret_ct: null,
        wire_style: JSON.stringify({
          dateStyle: 'ISO_MS_Z',
          numberStyle: 'STRING',
          captureModeStyle: 'TABLE',
        }),
        encryption: JSON.stringify({ otp: 'JWE', verification: 'JWE' }),
      })
      .execute();
    await remind();
    expect(await mailsOf(id)).toEqual([]);
    await moveClock(owner, 368 * 86_400);
    try {
      await remind();
    } finally {
      await moveClock(owner, 0);
    }
    expect(await mailsOf(id)).toEqual([
      ['outboundCertificateEnds', 'admin@bank.test', 30],
      ['outboundCertificateEnds', 'root@platform.test', 30],
    ]);
  });

  it('are told to those who watch too, by partner and label', async () => {
    const text = await createMetrics(engine, 'test').registry.metrics();
    const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    const days =
      value('certificate_expiry_seconds\\{partner="bank",label="later",purpose="client"\\}') / 86_400;
    expect(days).toBeGreaterThan(60);
    expect(days).toBeLessThan(61);
    expect(value('certificates_active\\{partner="bank",label="soon",purpose="client"\\}')).toBe(1);
    expect(text).not.toContain('label="gone"');
    expect(text).toContain('purpose="outbound"');
  });
});
