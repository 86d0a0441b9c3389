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
 * expired one is refused and its socket closed; `callerOf` names who is refused. Throws `CERTIFICATE_NOT_TRUSTED`.
 */
export async function requireCertificate(
  services: Services,
  arrival: Arrival,
  callerOf: CallerOf = partnerCaller,
): Promise<RegisteredCertificate> {
  const fingerprint = fingerprintOf(arrival.socket);
  const found = fingerprint === null ? undefined : await services.certificates.find(fingerprint);
  if (found !== undefined && isTrusted(found, services.nowMs())) {
    services.certificates.noteUse(found.certificateId);
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

type CallerOf = (certificate: RegisteredCertificate, arrival: Arrival) => Caller;

/** The partner of a certificate, or the holder of one that belongs to none. */
export const partnerCaller: CallerOf = ({ partner, certificateId }, { requestId, ip }) => ({
  partnerId: partner?.partnerId ?? null,
  actor: { type: 'PARTNER', id: partner?.publicId ?? certificateId },
  requestId,
  ip,
});

/** The processor of a certificate. */
export const processorCaller: CallerOf = (certificate, { requestId, ip }) => ({
  partnerId: certificate.partner?.partnerId ?? null,
  actor: { type: 'PROCESSOR', id: processorOf(certificate) },
  requestId,
  ip,
});

/**
 * What a processor is called in duplicate keys: by the label, so that a renewed certificate is the same one, and
 * by the partner, because labels are unique for each partner only.
 */
export const processorOf = ({ partner, label }: RegisteredCertificate): string =>
  partner === null ? label : `${partner.publicId}:${label}`;

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
