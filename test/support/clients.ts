import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Kysely } from 'kysely';
import { Agent } from 'undici';
import type { Authority, IssuedCertificate } from '../../vault/certificate-authority.ts';
import type { CertificateScope, Database } from '../../db/database.ts';

/** Somebody with a client certificate, or without one. */
export interface Client {
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly agent: Agent;
  /** SHA-256 of the certificate as the registry writes it; null without one. */
  readonly fingerprint: string | null;
}

/** What the certificate registry shall say of a client. */
export interface Registration {
  readonly label: string;
  readonly scopes: CertificateScope[];
  readonly partnerId: number | null;
  /** Issuer codes; all of the partner when left out. */
  readonly programmes?: string[];
  readonly state?: 'ACTIVE' | 'REVOKED' | 'EXPIRED' | 'PENDING';
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const fingerprintOf = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

/** A client that trusts `authority` and shows `issued`. */
export function clientOf(authority: Authority, issued: IssuedCertificate | null): Client {
  const tls = {
    ca: authority.chainPem,
    ...(issued === null ? {} : { cert: issued.certificatePem, key: issued.keyPem }),
  };
  const fingerprint = issued === null ? null : fingerprintOf(new X509Certificate(issued.certificatePem));
  return { tls, agent: new Agent({ connect: tls }), fingerprint };
}

/** Puts a certificate into the registry. */
export async function register(
  owner: Kysely<Database>,
  certificatePem: string,
  registration: Registration,
): Promise<void> {
  const certificate = new X509Certificate(certificatePem);
  const { label, scopes, partnerId, programmes = [], state = 'ACTIVE' } = registration;
  await owner
    .insertInto('certificates')
    .values({
      certificate_id: randomUUID(),
      partner_id: partnerId,
      label,
      scopes,
      programmes,
      subject: certificate.subject,
      contact_email: null,
      key_sha256: createHash('sha256').update(certificatePem).digest('hex'),
      serial: certificate.serialNumber.toLowerCase(),
      fingerprint_sha256: fingerprintOf(certificate),
      not_before: registration.notBefore ?? new Date(certificate.validFrom),
      not_after: registration.notAfter ?? new Date(certificate.validTo),
      state,
      revoked_at: null,
      revocation_reason: null,
      last_used_at: null,
    })
    .execute();
}

/** Connects to a listener; `client` null = without TLS. */
export async function openSocket(port: number, client: Client | null): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket =
      client === null
        ? connectPlain({ port, host: '127.0.0.1' }, () => resolve(socket))
        : connectTls({ port, host: '127.0.0.1', servername: 'localhost', ...client.tls }, () =>
            resolve(socket),
          );
    socket.once('error', reject);
  });
}
