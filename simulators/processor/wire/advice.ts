import type { Draw } from '../draws.ts';
import type { NetworkMessage } from './message.ts';
import { followUp } from './follow-up.ts';

export const ADVICE_REASONS = ['STAND_IN', 'OFFLINE', 'COMPLETION'] as const;
export type AdviceReason = (typeof ADVICE_REASONS)[number];
export type AdviceResult = 'APPROVED' | 'DECLINED';

/** What the network decided without the platform. */
export interface Advised {
  readonly reason: AdviceReason;
  readonly result: AdviceResult;
}

/** Members that make an authorization an advice (spec 3.2, rows marked V). */
export const advised = ({ reason, result }: Advised) => ({
  advice: true,
  adviceReason: reason,
  adviceResult: result,
  responseCode: result === 'APPROVED' ? '00' : '05',
});

/**
 * Body of an advice about `original` (MTI 0120). It is a message of its own, with numbers of its own; the
 * references say which transaction it is about.
 */
export const adviceMessage = (
  original: NetworkMessage,
  amountMinorUnits: number,
  decision: Advised & { readonly authorizationCode: string | null },
  draw: Draw,
  now: Date,
): NetworkMessage => ({
  kind: original['kind'] === 'CREDIT_AUTHORIZATION' ? 'CREDIT_AUTHORIZATION' : 'AUTHORIZATION',
  ...followUp(original, draw, now),
  amount: amountMinorUnits,
  ...(decision.authorizationCode !== null && { authorizationCode: decision.authorizationCode }),
  ...advised(decision),
});
