import { type RecipientKey, readRecipientKey } from '../../vault/recipient-key.ts';
import type { PartnerClient, PartnerEndpoint } from './client.ts';

/** Keys that partners' bodies are encrypted to (partner-integrations 2.3). */
export interface PartnerKeys {
  /** The partner's key, at most an hour old; null when the partner gives none. */
  keyOf(endpoint: PartnerEndpoint): Promise<RecipientKey | null>;
  /** Asks again at the next use: the partner could not decrypt what the known key made. */
  forget(connectionId: number): void;
}

const KEPT_MS = 3_600_000;
const DEADLINE_MS = 1_000;

interface Known {
  readonly key: Promise<RecipientKey | null>;
  readonly untilMs: number;
}

/** Cached in this process; calls that come while one is under way share it. */
export function createPartnerKeys(client: PartnerClient, nowMs: () => number = Date.now): PartnerKeys {
  const known = new Map<number, Known>();

  async function fetchKey(endpoint: PartnerEndpoint): Promise<RecipientKey | null> {
    const answer = await client.call(endpoint, {
      method: 'GET',
      path: '/public-key',
      deadlineMs: DEADLINE_MS,
      accepts: [200],
    });
    const key = answer.outcome === 'ACCEPTED' ? readKey(answer.text) : null;
    if (key === null) known.delete(endpoint.connectionId);
    return key;
  }

  return {
    async keyOf(endpoint) {
      const { connectionId } = endpoint;
      const kept = known.get(connectionId);
      if (kept !== undefined && kept.untilMs > nowMs()) return await kept.key;
      const key = fetchKey(endpoint);
      known.set(connectionId, { key, untilMs: nowMs() + KEPT_MS });
      return await key;
    },
    forget(connectionId) {
      known.delete(connectionId);
    },
  };
}

function readKey(text: string): RecipientKey | null {
  try {
    const { publicKey } = JSON.parse(text) as { publicKey?: unknown };
    const key = typeof publicKey === 'string' ? readRecipientKey(publicKey) : 'INVALID_PUBLIC_KEY';
    return key === 'INVALID_PUBLIC_KEY' ? null : key;
  } catch {
    return null;
  }
}
