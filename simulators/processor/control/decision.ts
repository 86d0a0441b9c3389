import type { Exchange } from '../wire/post.ts';

/** What the platform decided. `approvedAmount` in minor units, null when it was not told. */
export interface Decision {
  readonly approves: boolean;
  readonly approvedAmount: number | null;
  readonly authorizationCode: string | null;
}

/** The decision in an answer; null when there is none: silence, an error, or something else altogether. */
export function readDecision(exchange: Exchange): Decision | null {
  if (exchange.outcome !== 'answered' || exchange.status !== 200) return null;
  const { result, approvedAmount, authorizationCode } = (exchange.body ?? {}) as Record<string, unknown>;
  if (typeof result !== 'string') return null;
  return {
    approves: result === 'APPROVED' || result === 'PARTIALLY_APPROVED',
    approvedAmount: typeof approvedAmount === 'number' ? approvedAmount : null,
    authorizationCode: typeof authorizationCode === 'string' ? authorizationCode : null,
  };
}
