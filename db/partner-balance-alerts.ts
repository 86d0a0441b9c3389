import { type Kysely, sql } from 'kysely';
import { assertNever, Refusal } from '../domain/errors.ts';
import type { PartnerBalanceFacts, PlainMail } from '../domain/mail.ts';
import { type AlertSettings, type AlertState, dueStep } from '../domain/partner-balance-alert.ts';
import { audit } from './audit-log.ts';
import { atomically, nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { queueMail } from './messages.ts';

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'partner-balance-alerts' },
  requestId: 'partner-balance-alerts',
  ip: null,
} as const;

/**
 * Sets the alert of a partner balance. One that is switched off starts anew when it is switched on; else it
 * stays armed or fired, and the next look decides by the new figures. Throws `REARM_BELOW_THRESHOLD`.
 */
export async function putAlert(
  trx: Trx,
  balance: { readonly partnerBalanceId: string; readonly partnerId: number },
  settings: AlertSettings,
): Promise<void> {
  const { threshold, rearmLevel, enabled } = settings;
  if (rearmLevel < threshold) {
    throw new Refusal('REARM_BELOW_THRESHOLD', 'The rearm level is below the threshold.');
  }
  await sql`
    insert into partner_balance_alerts (partner_balance_id, partner_id, threshold, rearm_level, emails, enabled)
    values (${balance.partnerBalanceId}, ${balance.partnerId}, ${threshold}, ${rearmLevel},
      ${[...settings.emails]}::text[], ${enabled})
    on conflict (partner_balance_id) do update set
      threshold = excluded.threshold, rearm_level = excluded.rearm_level, emails = excluded.emails,
      enabled = excluded.enabled, version = partner_balance_alerts.version + 1,
      state = case when excluded.enabled then partner_balance_alerts.state else 'ARMED' end,
      fired_at = case when excluded.enabled then partner_balance_alerts.fired_at end,
      told_at = case when excluded.enabled then partner_balance_alerts.told_at end`.execute(trx);
  await audit(trx, {
    action: 'partner_balance.alert_set',
    objectType: 'partner_balance',
    objectId: balance.partnerBalanceId,
    // The addresses are somebody's: their number is enough.
    after: { threshold, rearmLevel, enabled, emails: settings.emails.length },
    partnerId: balance.partnerId,
  });
}

/** An enabled alert beside the value of its balance. */
interface WatchedAlert extends AlertSettings {
  readonly partnerBalanceId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly programme: string;
  readonly kind: PartnerBalanceFacts['kind'];
  readonly currency: string;
  readonly value: number;
  readonly state: AlertState;
  readonly toldAtMs: number | null;
  readonly version: number;
}

/**
 * Looks at all alerts once: fires, reminds and arms again what is due, by the database's clock (money 2). Any
 * number may look at once, each step is taken by one of them. Engine only. Answers how many steps were taken.
 */
export async function sweepAlerts(engine: Kysely<Database>): Promise<number> {
  const { alerts, nowMs } = await atomically(engine, caller, async (trx) => ({
    alerts: await watchedAlerts(trx),
    nowMs: nowOf(trx).getTime(),
  }));
  let taken = 0;
  for (const alert of alerts) {
    const step = dueStep(alert, alert.value, nowMs);
    if (step === null) continue;
    if (await atomically(engine, caller, (trx) => takeStep(trx, alert, step))) taken += 1;
  }
  return taken;
}

async function watchedAlerts(trx: Trx): Promise<WatchedAlert[]> {
  const rows = await trx
    .selectFrom('partner_balance_alerts as alert')
    .innerJoin('partner_balances as balance', 'balance.partner_balance_id', 'alert.partner_balance_id')
    .innerJoin('programmes', 'programmes.programme_id', 'balance.programme_id')
    .selectAll('alert')
    .select(['balance.programme_id', 'kind', 'currency', 'posted', 'programmes.name'])
    .where('enabled', '=', true)
    .orderBy('alert.partner_balance_id')
    .execute();
  return rows.map((row) => ({
    partnerBalanceId: row.partner_balance_id,
    partnerId: row.partner_id,
    programmeId: row.programme_id,
    programme: row.name,
    kind: row.kind,
    currency: row.currency,
    value: row.posted,
    threshold: row.threshold,
    rearmLevel: row.rearm_level,
    emails: row.emails,
    enabled: row.enabled,
    state: row.state,
    toldAtMs: row.told_at?.getTime() ?? null,
    version: row.version,
  }));
}

type Step = NonNullable<ReturnType<typeof dueStep>>;

/** Takes a step unless somebody else has: the version is compared with the one that was read. */
async function takeStep(trx: Trx, alert: WatchedAlert, step: Step): Promise<boolean> {
  const now = nowOf(trx);
  const changed = await trx
    .updateTable('partner_balance_alerts')
    .set({ ...columnsAfter(step, now), version: alert.version + 1 })
    .where('partner_balance_id', '=', alert.partnerBalanceId)
    .where('version', '=', alert.version)
    .executeTakeFirst();
  if (Number(changed.numUpdatedRows) === 0) return false;
  const {
    partnerBalanceId: subjectId,
    emails: addresses,
    programme,
    kind,
    currency,
    value,
    threshold,
  } = alert;
  const facts = { programme, kind, currency, value, threshold, at: now.toISOString() };
  const mail: PlainMail =
    step === 'REARM'
      ? { template: 'partnerBalanceRecovered', facts }
      : { template: 'partnerBalanceLow', facts: { ...facts, reminder: step === 'REMIND' } };
  await queueMail(trx, alert, { ...mail, subjectId, addresses });
  await audit(trx, {
    action: step === 'REARM' ? 'partner_balance.recovered' : 'partner_balance.low',
    objectType: 'partner_balance',
    objectId: subjectId,
    after: { step, value, threshold, rearmLevel: alert.rearmLevel },
    partnerId: alert.partnerId,
  });
  return true;
}

function columnsAfter(step: Step, now: Date) {
  switch (step) {
    case 'FIRE':
      return { state: 'FIRED' as const, fired_at: now, told_at: now };
    case 'REMIND':
      return { told_at: now };
    case 'REARM':
      return { state: 'ARMED' as const, fired_at: null, told_at: null };
    default:
      return assertNever(step);
  }
}
