import type { Hono } from 'hono';
import { atomically, nowOf } from '../db/atomically.ts';
import { listRevoked } from '../db/certificates.ts';
import { Refusal } from '../domain/errors.ts';
import { type Authority, signRevocationList } from '../vault/certificate-authority.ts';
import { countReads } from './rate-limits.ts';
import type { Services } from './services.ts';

const KEPT_MS = 60 * 60 * 1_000;

const SYSTEM = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'revocation-list' },
  requestId: 'revocation-list',
  ip: null,
} as const;

/** The issuing authority. Throws `SERVICE_UNAVAILABLE` where this process has none. */
export function requireAuthority({ authority }: Pick<Services, 'authority'>): Authority {
  if (authority !== null) return authority;
  throw new Refusal('SERVICE_UNAVAILABLE', 'No authority that issues certificates is set up.');
}

/**
 * Serves the chain and the list of revoked certificates (channels 9) to everybody. The list is signed anew after an
 * hour and as soon as a certificate has been revoked.
 */
export function mountAuthority(app: Hono, services: Services): void {
  let kept: { readonly of: string; readonly untilMs: number; readonly der: Buffer } | null = null;

  app.get('/ca/chain.pem', countReads(services), (context) =>
    context.body(requireAuthority(services).chainPem, 200, {
      'Content-Type': 'application/pem-certificate-chain',
      'Cache-Control': 'max-age=3600',
    }),
  );

  app.get('/ca/crl.der', countReads(services), async (context) => {
    const authority = requireAuthority(services);
    const { revoked, nowMs } = await atomically(services.engine, SYSTEM, async (trx) => ({
      revoked: await listRevoked(trx),
      nowMs: nowOf(trx).getTime(),
    }));
    const of = revoked.map((one) => one.serial).join();
    if (kept === null || kept.of !== of || kept.untilMs <= nowMs) {
      kept = { of, untilMs: nowMs + KEPT_MS, der: await signRevocationList(authority, revoked, nowMs) };
    }
    return context.body(new Uint8Array(kept.der), 200, {
      'Content-Type': 'application/pkix-crl',
      'Cache-Control': 'max-age=60',
    });
  });
}
