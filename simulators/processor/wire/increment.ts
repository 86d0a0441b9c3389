import type { Draw } from '../draws.ts';
import type { NetworkMessage } from './message.ts';
import { followUp } from './follow-up.ts';

/**
 * Body of an incremental authorization (MTI 0100, spec 3.2): `amount` is the increment, `cumulativeAmount` the
 * new total of everything authorized, both in minor units of the original's currency.
 */
export const incrementMessage = (
  original: NetworkMessage,
  money: { readonly incrementMinorUnits: number; readonly totalMinorUnits: number },
  draw: Draw,
  now: Date,
): NetworkMessage => ({
  kind: 'INCREMENTAL',
  ...followUp(original, draw, now),
  amount: money.incrementMinorUnits,
  cumulativeAmount: money.totalMinorUnits,
  ...(original['preAuthorization'] === true && { preAuthorization: true }),
});
