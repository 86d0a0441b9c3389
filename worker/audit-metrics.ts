import type { Kysely } from 'kysely';
import { Gauge, type Registry } from 'prom-client';
import { auditStanding } from '../db/audit-verifications.ts';
import { type CertificateLife, certificateLives } from '../db/certificate-reminders.ts';
import type { Database } from '../db/database.ts';

/** A gauge that is read anew each time somebody asks; one that is set by another's reading would tell the last one's. */
function readGauge<const Name extends string>(
  registry: Registry,
  named: { readonly name: string; readonly help: string; readonly labelNames: readonly Name[] },
  read: () => Promise<readonly (readonly [Readonly<Record<Name, string>>, number])[]>,
): void {
  new Gauge<Name>({
    ...named,
    registers: [registry],
    async collect() {
      this.reset();
      for (const [labels, value] of await read().catch(() => [])) this.set(labels as never, value);
    },
  });
}

/**
 * Tells of the audit chains (operations 9.1), read from the database when somebody asks. The answer is called with the
 * chains of each anchor that was kept.
 */
export function createAuditMetrics(
  engine: Kysely<Database>,
  registry: Registry,
): (chains: readonly string[]) => void {
  const anchored = new Map<string, number>();
  const labelNames = ['chain'] as const;
  readGauge(
    registry,
    { name: 'audit_unsealed_oldest_seconds', help: 'Age of the oldest audit row without a seal', labelNames },
    async () =>
      (await auditStanding(engine)).map(({ chain, unsealedSeconds }) => [{ chain }, unsealedSeconds]),
  );
  readGauge(
    registry,
    { name: 'audit_verify_ok', help: '1 while the last proof of the chain found it whole', labelNames },
    async () =>
      (await auditStanding(engine)).flatMap(({ chain, ok }) =>
        ok === null ? [] : [[{ chain }, ok ? 1 : 0] as const],
      ),
  );
  readGauge(
    registry,
    { name: 'audit_anchor_age_seconds', help: 'Time since this worker last kept an anchor', labelNames },
    async () => [...anchored].map(([chain, atMs]) => [{ chain }, (performance.now() - atMs) / 1_000]),
  );
  return (chains) => {
    for (const chain of chains) anchored.set(chain, performance.now());
  };
}

/** Tells how long certificates are good: those of callers, and ours towards partners. */
export function createCertificateMetrics(engine: Kysely<Database>, registry: Registry): void {
  const labelNames = ['partner', 'label', 'purpose'] as const;
  const told = async (valueOf: (one: CertificateLife) => number) =>
    (await certificateLives(engine)).map(
      (one) => [{ partner: one.partner, label: one.label, purpose: one.purpose }, valueOf(one)] as const,
    );
  readGauge(
    registry,
    {
      name: 'certificate_expiry_seconds',
      help: 'Time until the last certificate of a label ends',
      labelNames,
    },
    () => told((one) => one.seconds),
  );
  readGauge(registry, { name: 'certificates_active', help: 'Certificates in use', labelNames }, () =>
    told((one) => one.active),
  );
}
