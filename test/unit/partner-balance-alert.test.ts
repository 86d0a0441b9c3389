import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailText } from '../../domain/mail.ts';
import { type Alert, defaultRearmLevel, dueStep } from '../../domain/partner-balance-alert.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-03-02T08:00:00Z');
const armed: Alert = {
  threshold: 100,
  rearmLevel: 110,
  emails: ['a@b.test'],
  enabled: true,
  state: 'ARMED',
  toldAtMs: null,
};
const fired: Alert = { ...armed, state: 'FIRED', toldAtMs: NOW - HOUR_MS };

describe('an alert', () => {
  it('fires below its threshold, not at it', () => {
    expect([101, 100, 99, -5].map((value) => dueStep(armed, value, NOW))).toEqual([
      null,
      null,
      'FIRE',
      'FIRE',
    ]);
  });

  it('is armed again at its rearm level, not between', () => {
    expect([99, 100, 109, 110, 500].map((value) => dueStep(fired, value, NOW))).toEqual([
      null,
      null,
      null,
      'REARM',
      'REARM',
    ]);
  });

  it('reminds after 24 hours', () => {
    const told = (hours: number) => dueStep({ ...fired, toldAtMs: NOW - hours * HOUR_MS }, 50, NOW);
    expect([23.99, 24, 100].map(told)).toEqual([null, 'REMIND', 'REMIND']);
  });

  it('that is off does nothing', () => {
    expect(dueStep({ ...armed, enabled: false }, 0, NOW)).toBeNull();
    expect(dueStep({ ...fired, enabled: false }, 1_000, NOW)).toBeNull();
  });

  it('alternates: it never fires twice without having been armed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 })), (values) => {
        let alert = armed;
        const steps: string[] = [];
        for (const value of values) {
          const step = dueStep(alert, value, NOW);
          if (step === null) continue;
          steps.push(step);
          alert = step === 'FIRE' ? { ...alert, state: 'FIRED', toldAtMs: NOW } : armed;
        }
        expect(steps).toEqual(steps.map((_one, at) => (at % 2 === 0 ? 'FIRE' : 'REARM')));
      }),
    );
  });

  it('is armed again a tenth above its threshold, rounded up, unless told otherwise', () => {
    expect([0, 1, 9, 10, 11, 100, 105, 20_000].map(defaultRearmLevel)).toEqual([
      0, 2, 10, 11, 13, 110, 116, 22_000,
    ]);
    expect(defaultRearmLevel(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('its mails', () => {
  const facts = {
    programme: 'Sandbox',
    kind: 'credit',
    currency: 'EUR',
    value: 9_950,
    threshold: 10_000,
    at: '2026-03-02T08:00:00.000Z',
  } as const;

  it('name programme, kind, currency, value, threshold and UTC time', () => {
    const { subject, text } = mailText({
      template: 'partnerBalanceLow',
      facts: { ...facts, reminder: false },
    });
    expect(subject).toBe('Low: credit balance EUR of Sandbox');
    expect(text).toContain(
      'Programme: Sandbox\nBalance: credit, EUR\nValue: 99.50 EUR\nThreshold: 100.00 EUR\n' +
        'Time: 2026-03-02T08:00:00.000Z\n',
    );
  });

  it('say whether it is a reminder or over', () => {
    const low = mailText({ template: 'partnerBalanceLow', facts: { ...facts, reminder: true } });
    const over = mailText({ template: 'partnerBalanceRecovered', facts });
    expect([low.subject, over.subject]).toEqual([
      'Still low: credit balance EUR of Sandbox',
      'Recovered: credit balance EUR of Sandbox',
    ]);
  });
});
