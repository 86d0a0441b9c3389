import type { ConnectionRow } from '../../db/deliveries.ts';
import { openSecret } from '../../vault/connection-secrets.ts';
import type { Vault } from '../../vault/vault.ts';
import type { PartnerEndpoint } from './client.ts';

type SecretColumn = 'client_key_ct' | 'basic_ct' | 'signing_secret_ct';

/**
 * A connection ready for calls. `basic_ct` holds `user:password`, `signing_secret_ct` the live secrets newest
 * first with a space between. Throws a `VaultFault` when a secret cannot be opened.
 */
export function openEndpoint(vault: Vault, connection: ConnectionRow): PartnerEndpoint {
  const secret = (field: SecretColumn): string | null => {
    const sealed = connection[field];
    const place = {
      partnerId: connection.partner_id,
      table: 'connections',
      rowId: connection.public_id,
      field,
    };
    return sealed === null ? null : openSecret(vault, place, sealed);
  };
  const usesCertificate = connection.auth_kind !== 'BASIC';
  const usesBasic = connection.auth_kind !== 'MTLS';
  const keyPem = usesCertificate ? secret('client_key_ct') : null;
  const certificatePem = connection.client_certificate_pem;
  const basic = usesBasic ? secret('basic_ct') : null;
  return {
    connectionId: connection.connection_id,
    baseUrl: connection.base_url.replace(/\/+$/, ''),
    clientCertificate: keyPem === null || certificatePem === null ? null : { certificatePem, keyPem },
    basic: basic === null ? null : splitBasic(basic),
    serverCaPem: connection.server_ca_pem,
    signingSecrets: (secret('signing_secret_ct') ?? '').split(' ').filter((one) => one !== ''),
    maxConcurrency: connection.max_concurrency,
  };
}

function splitBasic(pair: string): { user: string; password: string } {
  const colon = pair.indexOf(':');
  return { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
