import type { Kysely } from 'kysely';
import type { Database } from '../db/database.ts';
import {
  everyProgramme,
  findCertificate,
  type Programme,
  programmesOfPartner,
  type RegisteredCertificate,
} from '../db/partners.ts';
import type { CertificateRegistry } from './services.ts';

const FRESH_MS = 2_000;

interface Cached<T> {
  readonly value: Promise<T>;
  readonly untilMs: number;
}

/**
 * A registry that reads through a cache of two seconds; `flush` empties it when the database tells a change, `takeUsed`
 * hands over the certificates that have called since it was last asked.
 */
export function createCertificateRegistry(
  engine: Kysely<Database>,
  nowMs: () => number,
): CertificateRegistry & { flush(): void; takeUsed(): string[] } {
  const used = new Set<string>();
  const certificates = new Map<string, Cached<RegisteredCertificate | undefined>>();
  const programmes = new Map<number | 'all', Cached<readonly Programme[]>>();
  return {
    find: (fingerprint) =>
      readThrough(certificates, fingerprint, nowMs, () => findCertificate(engine, fingerprint)),
    programmes: (partnerId) =>
      readThrough(programmes, partnerId, nowMs, () => programmesOfPartner(engine, partnerId)),
    allProgrammes: () => readThrough(programmes, 'all', nowMs, () => everyProgramme(engine)),
    used: (certificateId) => void used.add(certificateId),
    takeUsed: () => {
      const taken = [...used];
      used.clear();
      return taken;
    },
    flush: () => {
      certificates.clear();
      programmes.clear();
    },
  };
}

const MAX_ENTRIES = 10_000;

function readThrough<K, T>(
  cache: Map<K, Cached<T>>,
  key: K,
  nowMs: () => number,
  read: () => Promise<T>,
): Promise<T> {
  const cached = cache.get(key);
  if (cached !== undefined && cached.untilMs > nowMs()) return cached.value;
  if (cache.size >= MAX_ENTRIES) cache.clear();
  const value = read();
  cache.set(key, { value, untilMs: nowMs() + FRESH_MS });
  // A failed read is not kept: the next request asks the database again.
  value.catch(() => cache.delete(key));
  return value;
}
