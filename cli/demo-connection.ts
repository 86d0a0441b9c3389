import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import type { Kysely } from 'kysely';
import { atomically, newId } from '../db/atomically.ts';
import type { Database } from '../db/database.ts';
import type { Caller } from '../domain/actor.ts';
import { sealSecret } from '../vault/connection-secrets.ts';
import type { Vault } from '../vault/vault.ts';

interface Partner {
  readonly partnerUrl: string;
  readonly partnerControlUrl: string;
  readonly simulatorToken: string;
  readonly say: (line: string) => void;
}

interface SignedCertificate {
  readonly certificatePem: string;
  readonly caPem: string;
}

const KEY_BITS = 3072;

/**
 * The connection to the demo partner's server: our key pair, a CSR that the partner signs, and the authority
 * that signed its server (partner-integrations 2.2). Made once; a changed address is taken over. Returns the
 * connection's inner id.
 */
export async function connectDemoPartner(
  owner: Kysely<Database>,
  vault: Vault,
  caller: Caller,
  partnerId: number,
  partner: Partner,
): Promise<number> {
  const known = await atomically(owner, caller, (trx) =>
    trx
      .updateTable('connections')
      .set({ base_url: partner.partnerUrl })
      .where('partner_id', '=', partnerId)
      .where('name', '=', 'core')
      .returning('connection_id')
      .executeTakeFirst(),
  );
  if (known !== undefined) return known.connection_id;
  const { privateKey, csrPem } = await createRequest();
  const signed = await askForSignature(partner, csrPem);
  if (signed === null)
    partner.say('the partner server did not sign our certificate request: its calls will fail');
  return await atomically(owner, caller, async (trx) => {
    const publicId = newId(trx);
    const place = { partnerId, table: 'connections', rowId: publicId, field: 'client_key_ct' };
    const { connection_id: connectionId } = await trx
      .insertInto('connections')
      .values({
        public_id: publicId,
        partner_id: partnerId,
        name: 'core',
        environment: 'TEST',
        base_url: partner.partnerUrl,
        auth_kind: 'MTLS',
        client_certificate_pem: signed?.certificatePem ?? null,
        client_key_ct: signed === null ? null : sealSecret(vault, place, privateKey),
        basic_ct: null,
        server_ca_pem: signed?.caPem ?? null,
        signing_secret_ct: null,
        wire_style: JSON.stringify({
          dateStyle: 'ISO_MS_Z',
          numberStyle: 'STRING',
          captureModeStyle: 'TABLE',
        }),
        encryption: JSON.stringify({ otp: 'JWE', verification: 'JWE' }),
      })
      .returning('connection_id')
      .executeTakeFirstOrThrow();
    return connectionId;
  });
}

async function createRequest(): Promise<{ privateKey: string; csrPem: string }> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const pair = generateKeyPairSync('rsa', { modulusLength: KEY_BITS });
  const keys = {
    privateKey: await webcrypto.subtle.importKey(
      'pkcs8',
      pair.privateKey.export({ type: 'pkcs8', format: 'der' }),
      algorithm,
      true,
      ['sign'],
    ),
    publicKey: await webcrypto.subtle.importKey(
      'spki',
      pair.publicKey.export({ type: 'spki', format: 'der' }),
      algorithm,
      true,
      ['verify'],
    ),
  };
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=cardloom-demo, O=Cardloom',
    keys,
    signingAlgorithm: algorithm,
  });
  return {
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    csrPem: request.toString('pem'),
  };
}

async function askForSignature(partner: Partner, csrPem: string): Promise<SignedCertificate | null> {
  try {
    const answer = await fetch(`${partner.partnerControlUrl}/control/csr`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${partner.simulatorToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ csrPem }),
      signal: AbortSignal.timeout(10_000),
    });
    return answer.status === 201 ? ((await answer.json()) as SignedCertificate) : null;
  } catch {
    return null;
  }
}
