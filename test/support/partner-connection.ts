import 'reflect-metadata';
import { generateKeyPairSync, randomUUID, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import type { Kysely } from 'kysely';
import type { Database, WireStyle } from '../../db/database.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';
import type { PartnerSim } from '../../simulators/partner/simulator.ts';
import { sealSecret } from '../../vault/connection-secrets.ts';
import type { Vault } from '../../vault/vault.ts';

export const PLAIN_STYLE: WireStyle = {
  dateStyle: 'ISO_MS_Z',
  numberStyle: 'STRING',
  captureModeStyle: 'TABLE',
};

interface ConnectionOptions {
  readonly baseUrl?: string;
  readonly resends?: number;
  readonly signingSecret?: string;
  readonly style?: Partial<WireStyle>;
  readonly maxConcurrency?: number;
}

/** A connection of a programme's partner to a simulator, our certificate signed by it; returns its inner id. */
export async function aConnection(
  owner: Kysely<Database>,
  vault: Vault,
  programme: Programme,
  partner: Pick<PartnerSim, 'url' | 'control' | 'caPem'>,
  options: ConnectionOptions = {},
): Promise<number> {
  const { csrPem, keyPem } = await createRequest();
  const signed = await partner.control.signCsr(csrPem);
  const publicId = randomUUID();
  const placeOf = (field: string) => ({
    partnerId: programme.partnerId,
    table: 'connections',
    rowId: publicId,
    field,
  });
  const { signingSecret } = options;
  const { connection_id: connectionId } = await owner
    .insertInto('connections')
    .values({
      public_id: publicId,
      partner_id: programme.partnerId,
      name: 'core',
      environment: 'TEST',
      base_url: options.baseUrl ?? partner.url,
      auth_kind: 'MTLS',
      client_certificate_pem: signed?.certificatePem ?? null,
      client_key_ct: sealSecret(vault, placeOf('client_key_ct'), keyPem),
      basic_ct: null,
      server_ca_pem: partner.caPem,
      signing_secret_ct:
        signingSecret === undefined ? null : sealSecret(vault, placeOf('signing_secret_ct'), signingSecret),
      wire_style: JSON.stringify({ ...PLAIN_STYLE, ...options.style }),
      encryption: JSON.stringify({ otp: 'JWE', verification: 'JWE' }),
      resends: options.resends ?? 5,
      max_concurrency: options.maxConcurrency ?? 16,
    })
    .returning('connection_id')
    .executeTakeFirstOrThrow();
  return connectionId;
}

/** Switches notifications of a programme on and sets its pauses between resends. */
export async function tellConnection(
  owner: Kysely<Database>,
  programme: Programme,
  connectionId: number,
  resendDelaysMs: readonly number[],
): Promise<Programme> {
  await owner
    .updateTable('programmes')
    .set({
      notifications: JSON.stringify({
        kyc: connectionId,
        cardLock: connectionId,
        transactionalLock: connectionId,
        legacyTransaction: connectionId,
      }),
      timings: JSON.stringify({ resendDelaysMs }),
    })
    .where('programme_id', '=', programme.programmeId)
    .execute();
  return (await findProgramme(owner, programme.programmeId)) as Programme;
}

async function createRequest(): Promise<{ csrPem: string; keyPem: string }> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=cardloom-test',
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
  });
  return {
    csrPem: request.toString('pem'),
    keyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
