import type { AuthorizationCommand } from '../../domain/authorization-view.ts';

const MINUTE_MS = 60_000;

/** The newest authorization of a card, as far as it takes to tell another like it. */
export interface Newest {
  readonly fingerprint: number;
  readonly atMs: number;
}

/** 32 bits of amount, currency and merchant (FNV-1a): alike when equal, for a flag that only people read. */
export function likenessOf({ amount, currency, transactionData }: AuthorizationCommand): number {
  const text = `${amount} ${currency} ${String(transactionData['merchantIdentifier'] ?? '')}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash | 0;
}

/** True when the newest authorization was like this one and came within a minute (authorization 2). */
export const isAlike = (newest: Newest | null, command: AuthorizationCommand, nowMs: number): boolean =>
  newest !== null &&
  nowMs - newest.atMs <= MINUTE_MS &&
  command.kind === 'AUTHORIZATION' &&
  newest.fingerprint === likenessOf(command);
