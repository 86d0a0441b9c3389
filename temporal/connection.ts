import { readFileSync } from 'node:fs';
import { Client, Connection, type TLSConfig } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { TemporalSettings } from './config.ts';

/** Address and credentials of the server, as both kinds of connection take them. */
export interface TemporalAddress {
  readonly address: string;
  readonly tls: TLSConfig | boolean;
  readonly apiKey?: string;
}

/** Left alone, a connection that was refused for a while waits up to two minutes before it tries again. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 };

/**
 * A client whose connection opens at its first call and comes back by itself: a process starts and lives
 * without Temporal. Every call needs a deadline of its own (`client.withDeadline`).
 */
export function connectClient(settings: TemporalSettings, dataConverter: DataConverter): Client {
  const connection = Connection.lazy({ ...addressOf(settings), channelArgs: RECONNECT });
  return new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE, dataConverter });
}

const REACHABLE_WITHIN_MS = 1_000;

/** True when the server answers now. */
export async function isTemporalReachable(client: Client): Promise<boolean> {
  try {
    await client.connection.withDeadline(Date.now() + REACHABLE_WITHIN_MS, () =>
      client.workflowService.getSystemInfo({}),
    );
    return true;
  } catch {
    return false;
  }
}

/** Where the settings point. Reads the certificate files. */
export function addressOf(settings: TemporalSettings): TemporalAddress {
  const apiKey = settings.TEMPORAL_API_KEY;
  return {
    address: settings.TEMPORAL_ADDRESS,
    tls: tlsOf(settings),
    ...(apiKey === null ? {} : { apiKey }),
  };
}

function tlsOf(settings: TemporalSettings): TLSConfig | boolean {
  const {
    TEMPORAL_TLS_CLIENT_CERT_PATH: certificate,
    TEMPORAL_TLS_CLIENT_KEY_PATH: key,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority,
    TEMPORAL_TLS_SERVER_NAME: serverName,
  } = settings;
  const options: TLSConfig = {
    ...(serverName === null ? {} : { serverNameOverride: serverName }),
    ...(authority === null ? {} : { serverRootCACertificate: readFileSync(authority) }),
    ...(certificate === null || key === null
      ? {}
      : { clientCertPair: { crt: readFileSync(certificate), key: readFileSync(key) } }),
  };
  if (Object.keys(options).length > 0) return options;
  return settings.TEMPORAL_TLS || settings.TEMPORAL_API_KEY !== null;
}
