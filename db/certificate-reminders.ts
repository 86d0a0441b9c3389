import { X509Certificate } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { dueReminder, FIRST_REMINDER_DAYS } from '../domain/certificate.ts';
import { nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { Database } from './database.ts';
import { queueMail } from './messages.ts';

const DAY_MS = 86_400_000;
const AT_ONCE = 100;

/** What ends: a client certificate of the registry, or ours towards a partner's server. */
interface Ending {
  readonly kind: 'certificate' | 'connection';
  readonly id: string;
  readonly partnerId: number | null;
  readonly label: string;
  readonly serial: string;
  readonly notAfter: Date;
  readonly contactEmail: string | null;
  readonly reminded: number | null;
}

/**
 * Mails the contact and the Admins of certificates that end within 60, 30, 14, 7 and 1 days, each once (channels 9;
 * operations 7.4); answers how many were told of. Two workers at once tell each only once. Engine only.
 */
export async function remindOfCertificates(trx: Trx): Promise<number> {
  const now = nowOf(trx);
  const endings = [...(await endingCertificates(trx, now)), ...(await endingConnections(trx, now))];
  let told = 0;
  for (const ending of endings) {
    const days = dueReminder(ending.notAfter, now, ending.reminded);
    if (days === null) continue;
    await remind(trx, ending, days);
    told += 1;
  }
  return told;
}

async function endingCertificates(trx: Trx, now: Date): Promise<Ending[]> {
  const rows = await trx
    .selectFrom('certificates')
    .selectAll()
    .where('state', '=', 'ACTIVE')
    .where('not_after', '>', now)
    .where('not_after', '<=', latestOf(now))
    .orderBy('certificate_id')
    .forNoKeyUpdate()
    .skipLocked()
    .execute();
  return rows.map((row) => ({
    kind: 'certificate',
    id: row.certificate_id,
    partnerId: row.partner_id,
    label: row.label,
    serial: row.serial ?? '',
    notAfter: row.not_after ?? now,
    contactEmail: row.contact_email,
    reminded: row.reminded_days,
  }));
}

/** Ours towards partners' servers; what was put in before its end was kept is read once. */
async function endingConnections(trx: Trx, now: Date): Promise<Ending[]> {
  const rows = await trx
    .selectFrom('connections')
    .select(['public_id', 'partner_id', 'name', 'client_certificate_pem', 'reminded_days'])
    .where('client_certificate_pem', 'is not', null)
    .where((is) => is.or([is('client_not_after', 'is', null), is('client_not_after', '<=', latestOf(now))]))
    .orderBy('connection_id')
    .limit(AT_ONCE)
    .forNoKeyUpdate()
    .skipLocked()
    .execute();
  const endings: Ending[] = [];
  for (const row of rows) {
    const certificate = new X509Certificate(row.client_certificate_pem ?? '');
    const notAfter = new Date(certificate.validTo);
    await trx
      .updateTable('connections')
      .set({ client_not_after: notAfter })
      .where('public_id', '=', row.public_id)
      .execute();
    endings.push({
      kind: 'connection',
      id: row.public_id,
      partnerId: row.partner_id,
      label: row.name,
      serial: certificate.serialNumber.toLowerCase(),
      notAfter,
      contactEmail: null,
      reminded: row.reminded_days,
    });
  }
  return endings;
}

const latestOf = (now: Date): Date => new Date(now.getTime() + FIRST_REMINDER_DAYS * DAY_MS);

async function remind(trx: Trx, ending: Ending, days: number): Promise<void> {
  const { kind, id, partnerId, label, serial, notAfter } = ending;
  if (kind === 'certificate') {
    await trx
      .updateTable('certificates')
      .set({ reminded_days: days })
      .where('certificate_id', '=', id)
      .execute();
  } else {
    await trx.updateTable('connections').set({ reminded_days: days }).where('public_id', '=', id).execute();
  }
  const addresses = await addressesOf(trx, ending);
  if (addresses.length > 0) {
    await queueMail(
      trx,
      { partnerId, programmeId: null },
      {
        template: kind === 'certificate' ? 'certificateEnds' : 'outboundCertificateEnds',
        facts: { label, serial, notAfter: notAfter.toISOString(), days },
        subjectId: id,
        addresses,
      },
    );
  }
  await audit(trx, {
    action: 'certificate.expiry_told',
    objectType: kind,
    objectId: id,
    after: { days, notAfter: notAfter.toISOString() },
    ...(partnerId === null ? {} : { partnerId }),
  });
}

/** The contact, and the active Admins of the partner; of the platform where it has none, and for what is ours. */
async function addressesOf(trx: Trx, { kind, partnerId, contactEmail }: Ending): Promise<string[]> {
  const admins = await trx
    .selectFrom('operators')
    .select(['email', 'partner_id'])
    .where('state', '=', 'ACTIVE')
    .where('role', '=', 'Admin')
    .where((is) => is.or([is('partner_id', 'is', null), is('partner_id', 'is not distinct from', partnerId)]))
    .orderBy('email')
    .execute();
  const own = admins.filter((one) => one.partner_id !== null);
  const told = kind === 'connection' ? admins : own.length > 0 ? own : admins;
  const contact = contactEmail === null ? [] : [contactEmail];
  return [...new Set([...contact, ...told.map((one) => one.email)])];
}

export interface CertificateLife {
  /** Code; empty for those without partner. */
  readonly partner: string;
  readonly label: string;
  /** `client` of a caller, or `outbound`: ours towards a partner. */
  readonly purpose: string;
  readonly active: number;
  readonly seconds: number;
}

/** How long certificates in use are good, by partner and label; of several of one label the one that is good longest. */
export async function certificateLives(engine: Kysely<Database>): Promise<CertificateLife[]> {
  const { rows } = await sql<CertificateLife>`
    select coalesce(p.code, '') as partner, c.label, 'client' as purpose, count(*)::int as active,
      extract(epoch from max(c.not_after) - cardloom_now())::float8 as seconds
    from certificates c left join partners p on p.partner_id = c.partner_id
    where c.state = 'ACTIVE' and c.not_after > cardloom_now()
    group by 1, 2
    union all
    select p.code, c.name, 'outbound', 1, extract(epoch from c.client_not_after - cardloom_now())::float8
    from connections c join partners p on p.partner_id = c.partner_id
    where c.client_not_after is not null`.execute(engine);
  return rows;
}
