import { TLSSocket } from 'node:tls';
import type { RegisteredCertificate } from '../../db/partners.ts';
import type { Caller } from '../../domain/actor.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Arrival } from '../channel.ts';
import { auditRefusedCall } from '../refused-call.ts';
import type { CertificateRegistry, Services } from '../services.ts';

const fingerprints = new WeakMap<object, string>();

/** SHA-256 of the peer's leaf certificate, lower-case hexadecimal; null without one. */
export function fingerprintOf(socket: object | null): string | null {
  if (!(socket instanceof TLSSocket)) return null;
  const known = fingerprints.get(socket);
  if (known !== undefined) return known;
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
  if (fingerprint === undefined) return null;
  fingerprints.set(socket, fingerprint);
  return fingerprint;
}

/**
 * The certificate a request came with, as the registry has it now (channels 9). An unknown, revoked or
 * expired one is refused and its socket closed. Throws `CERTIFICATE_NOT_TRUSTED`.
 */
export async function requireCertificate(
  services: Services,
  arrival: Arrival,
): Promise<RegisteredCertificate> {
  const fingerprint = fingerprintOf(arrival.socket);
  const found = fingerprint === null ? undefined : await services.certificates.find(fingerprint);
  if (found !== undefined && isTrusted(found, services.nowMs())) {
    services.certificates.used(found.certificateId);
    return found;
  }
  if (found !== undefined) {
    const refused = {
      type: 'certificate',
      id: found.certificateId,
      title: 'CERTIFICATE_NOT_TRUSTED',
    } as const;
    await auditRefusedCall(services.engine, callerOf(found, arrival), refused);
  }
  throw new Refusal(
    'CERTIFICATE_NOT_TRUSTED',
    'This client certificate is not known here, or no longer valid.',
  );
}

/** Whom a certificate stands for: its partner, the processor by its label, or the holder of a scope alone. */
export function callerOf(certificate: RegisteredCertificate, arrival: Arrival): Caller {
  const { partner, label, certificateId } = certificate;
  // The label names the processor, so that a renewed certificate is the same processor to duplicate keys.
  const actor: Caller['actor'] = certificate.scopes.includes('processor')
    ? { type: 'PROCESSOR', id: label }
    : { type: 'PARTNER', id: partner?.publicId ?? certificateId };
  return { partnerId: partner?.partnerId ?? null, actor, requestId: arrival.requestId, ip: arrival.ip };
}

/** ACTIVE and within its dates. */
export const isTrusted = (certificate: RegisteredCertificate, atMs: number): boolean =>
  certificate.state === 'ACTIVE' &&
  certificate.notBefore.getTime() <= atMs &&
  certificate.notAfter.getTime() > atMs;

const metBefore = new WeakSet<TLSSocket>();

/**
 * Closes open connections whose certificate is no longer trusted; run every two seconds. One that is new since
 * the last run is left to its first request, which tells the caller why.
 */
export async function closeUntrusted(
  sockets: Iterable<TLSSocket>,
  registry: CertificateRegistry,
  nowMs: number,
): Promise<void> {
  for (const socket of sockets) {
    const fingerprint = fingerprintOf(socket);
    if (fingerprint === null) continue;
    const isNew = !metBefore.has(socket);
    metBefore.add(socket);
    const found = await registry.find(fingerprint);
    const trusted = found !== undefined && isTrusted(found, nowMs);
    if (!trusted && !isNew) socket.destroy();
  }
}
