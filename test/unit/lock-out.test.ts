import { describe, expect, it } from 'vitest';
import { lockedUntil } from '../../domain/lock-out.ts';
import { otpauthUri, totpCode, totpStep } from '../../vault/totp.ts';

describe('a lock-out ends at midnight of the zone', () => {
  it.each([
    ['UTC', '2026-03-10T12:00:00Z', '2026-03-11T00:00:00Z'],
    ['UTC', '2026-03-10T00:00:00Z', '2026-03-11T00:00:00Z'],
    ['UTC', '2026-03-10T23:45:00Z', '2026-03-11T00:15:00Z'],
    ['Europe/Warsaw', '2026-03-10T12:00:00Z', '2026-03-10T23:00:00Z'],
    ['Europe/Warsaw', '2026-03-29T00:30:00Z', '2026-03-29T22:00:00Z'],
    ['Asia/Kathmandu', '2026-03-10T12:00:00Z', '2026-03-10T18:15:00Z'],
    ['Pacific/Kiritimati', '2026-03-10T12:00:00Z', '2026-03-11T10:00:00Z'],
    // The clocks go from midnight to one o'clock there: the day has no midnight.
    ['Africa/Cairo', '2026-04-23T12:00:00Z', '2026-04-23T22:00:00Z'],
  ])('%s, from %s', (zone, from, until) => {
    expect(lockedUntil(new Date(from), zone).toISOString()).toBe(new Date(until).toISOString());
  });
});

describe('a code of an authenticator app', () => {
  // RFC 6238, appendix B, the last six of its eight digits.
  const secret = Buffer.from('12345678901234567890');

  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [20_000_000_000, '353130'],
  ])('is the one of RFC 6238 at second %i', (seconds, code) => {
    expect(totpCode(secret, seconds * 1_000)).toBe(code);
  });

  it('may be one step early or late, and never an old one again', () => {
    const at = 1_234_567_890_000;
    const step = totpStep(secret, '005924', at, null);
    expect(step).toBe(41_152_263);
    expect(totpStep(secret, '005924', at + 30_000, null)).toBe(step);
    expect(totpStep(secret, '005924', at - 30_000, null)).toBe(step);
    expect(totpStep(secret, '005924', at + 60_000, null)).toBeNull();
    expect(totpStep(secret, '005924', at, step)).toBeNull();
  });

  it('comes from a secret that apps read', () => {
    expect(otpauthUri(secret, 'a@b.test')).toContain('secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&');
  });
});
