import { describe, expect, it } from 'vitest';
import {
  type AddressGuard,
  chargeSending,
  countKilled,
  forgetKilled,
  NOTHING_SENT,
} from '../../domain/address-guard.ts';
import {
  chargeGuess,
  DEVICE_POLICY,
  type GuessGuard,
  type GuessPolicy,
  NO_GUESSES,
  PASSWORD_POLICY,
  settleRight,
  settleWrong,
} from '../../domain/guess-guard.ts';

const START = Date.parse('2026-03-01T10:00:00.000Z');
const at = (seconds: number): Date => new Date(START + seconds * 1000);

/** Charges and settles wrong guesses at the given seconds; verdicts and the guard after them. */
function wrongAt(policy: GuessPolicy, seconds: readonly number[]): { verdicts: string[]; guard: GuessGuard } {
  let guard = NO_GUESSES;
  const verdicts = seconds.map((second) => {
    const charge = chargeGuess(guard, policy, at(second));
    guard = charge.verdict === 'TRY' ? settleWrong(charge.guard, policy) : charge.guard;
    return charge.verdict;
  });
  return { verdicts, guard };
}

describe('guesses at a password', () => {
  it('wait half an hour after five in a row', () => {
    const { verdicts } = wrongAt(PASSWORD_POLICY, [0, 1, 2, 3, 4, 5, 1803, 1804]);
    expect(verdicts).toEqual(['TRY', 'TRY', 'TRY', 'TRY', 'TRY', 'BLOCKED', 'BLOCKED', 'TRY']);
  });

  it('end with the tenth in 24 hours', () => {
    const ten = [0, 1, 2, 3, 4, 3600, 3601, 3602, 3603, 3604];
    const { verdicts, guard } = wrongAt(PASSWORD_POLICY, ten);
    expect(verdicts).toEqual(ten.map(() => 'TRY'));
    expect(chargeGuess(guard, PASSWORD_POLICY, at(1_000_000)).verdict).toBe('CLOSED');
  });

  it('go on where ten took longer than 24 hours', () => {
    const { guard } = wrongAt(PASSWORD_POLICY, [0, 1, 2, 3, 90_000, 92_000, 92_001, 92_002]);
    expect(guard.closed).toBe(false);
    expect(guard.wrongAt).toHaveLength(4);
  });

  it('start anew after a right one, which is none of the wrong ones', () => {
    const { guard } = wrongAt(PASSWORD_POLICY, [0, 1, 2, 3]);
    const charge = chargeGuess(guard, PASSWORD_POLICY, at(4));
    if (charge.verdict !== 'TRY') throw new Error('the fifth guess may be tried');
    expect(charge.guard.blockedUntil).toEqual(at(4 + 1800));
    const settled = settleRight(charge.guard, PASSWORD_POLICY, charge.at);
    expect(settled).toMatchObject({ inARow: 0, blockedUntil: null, closed: false });
    expect(settled.wrongAt).toHaveLength(4);
  });
});

describe('guesses at a device', () => {
  it('end with the fifth wrong one in a row', () => {
    const { verdicts, guard } = wrongAt(DEVICE_POLICY, [0, 1, 2, 3, 4, 5]);
    expect(verdicts).toEqual(['TRY', 'TRY', 'TRY', 'TRY', 'TRY', 'CLOSED']);
    expect(guard.closed).toBe(true);
  });

  it('wait while the fifth is looked at, and end when it never was settled', () => {
    let guard = NO_GUESSES;
    for (let second = 0; second < 5; second += 1) {
      guard = chargeGuess(guard, DEVICE_POLICY, at(second)).guard;
    }
    expect(chargeGuess(guard, DEVICE_POLICY, at(5)).verdict).toBe('BLOCKED');
    expect(chargeGuess(guard, DEVICE_POLICY, at(60)).verdict).toBe('CLOSED');
  });
});

describe('codes to one address', () => {
  const sentAt = (guard: AddressGuard, seconds: readonly number[]): AddressGuard =>
    seconds.reduce((held, second) => {
      const verdict = chargeSending(held, at(second));
      return verdict.verdict === 'SEND' ? verdict.guard : held;
    }, guard);

  it('are three in a quarter of an hour and ten in a day', () => {
    const three = sentAt(NOTHING_SENT, [0, 1, 2]);
    expect(chargeSending(three, at(3))).toEqual({ verdict: 'TOO_MANY_REQUESTS', seconds: 897, most: 3 });
    expect(chargeSending(three, at(901)).verdict).toBe('SEND');
    const ten = sentAt(NOTHING_SENT, [0, 1, 2, 1000, 1001, 1002, 2000, 2001, 2002, 3000]);
    expect(ten.sentAt).toHaveLength(10);
    expect(chargeSending(ten, at(9000))).toEqual({ verdict: 'TOO_MANY_REQUESTS', seconds: 77_400, most: 10 });
  });

  it('are none for 24 hours after ten died of guesses in a day', () => {
    let guard = NOTHING_SENT;
    for (let second = 0; second < 9; second += 1) guard = countKilled(guard, at(second));
    expect(chargeSending(guard, at(10)).verdict).toBe('SEND');
    guard = countKilled(guard, at(20));
    expect(chargeSending(guard, at(86_419))).toEqual({ verdict: 'TOO_MANY_ATTEMPTS', seconds: 1 });
    expect(chargeSending(guard, at(86_420)).verdict).toBe('SEND');
  });

  it('are sent again when the last guess at the tenth was right after all', () => {
    let guard = NOTHING_SENT;
    for (let second = 0; second < 10; second += 1) guard = countKilled(guard, at(second));
    const eleven = countKilled(guard, at(30));
    expect(forgetKilled(eleven, at(30))).toEqual(guard);
    const nine = forgetKilled(guard, at(9));
    expect(nine.killedAt).toHaveLength(9);
    expect(chargeSending(nine, at(10)).verdict).toBe('SEND');
    expect(chargeSending(countKilled(nine, at(11)), at(12)).verdict).toBe('TOO_MANY_ATTEMPTS');
    expect(forgetKilled(nine, at(9))).toEqual(nine);
  });
});
