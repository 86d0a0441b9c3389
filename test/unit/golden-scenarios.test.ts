import { describe, expect, it } from 'vitest';
import { runScenario } from '../support/golden-table.ts';

/** Scenarios of authorization 17: event, amount, available, held, posted, deposit, company, what is told. */
const SCENARIOS = [
  `G1 A
   auth     | 3500 | 96500 | 3500 | 100000 | - | 0 | APPROVED, AUTHORIZED
   clearing | 3500 | 96500 | 0    | 96500  | - | 0 | CLEARED`,
  `G2 A
   auth     | 3500 | 96500  | 3500 | 100000 | - | 0 | APPROVED
   reversal | 3500 | 100000 | 0    | 100000 | - | 0 | REVERSED, ACKNOWLEDGED
   reversal | 3500 | 100000 | 0    | 100000 | - | 0 | REVERSED, ACKNOWLEDGED`,
  `G3 A
   auth     | 10000 | 90000 | 10000 | 100000 | - | 0 | APPROVED
   reversal | 4000  | 94000 | 6000  | 100000 | - | 0 | AUTHORIZED
   clearing | 6000  | 94000 | 0     | 94000  | - | 0 | CLEARED`,
  `G5 A
   auth     | 10000 | 90000 | 10000 | 100000 | - | 0 | APPROVED
   clearing | 8000  | 92000 | 0     | 92000  | - | 0 | CLEARED`,
  `G6 A
   auth     | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED
   clearing | 6000 | 94000 | 0    | 94000  | - | 0 | CLEARED`,
  `G7 A U 5000
   auth     | 5000 | 0     | 5000 | 5000  | - | 0 | APPROVED
   clearing | 6000 | -1000 | 0    | -1000 | - | 0 | CLEARED, NEGATIVE_BALANCE
   auth     | 100  | -1000 | 0    | -1000 | - | 0 | INSUFFICIENT_FUNDS
   topUp    | 1500 | 500   | 0    | 500   | - | 0 | APPROVED
   auth     | 100  | 400   | 100  | 500   | - | 0 | APPROVED`,
  `G8 A
   auth          | 9000 | 91000 | 9000 | 100000 | - | 0 | APPROVED
   part clearing | 3000 | 91000 | 6000 | 97000  | - | 0 | PARTLY_CLEARED
   part clearing | 4000 | 91000 | 2000 | 93000  | - | 0 | PARTLY_CLEARED
   clearing      | 1500 | 91500 | 0    | 91500  | - | 0 | CLEARED`,
  `G9 A
   auth     | 3500 | 96500  | 3500 | 100000 | - | 0 | APPROVED
   expiry   | 3500 | 100000 | 0    | 100000 | - | 0 | EXPIRED
   clearing | 3500 | 96500  | 0    | 96500  | - | 0 | CLEARED, late, LATE_CLEARING`,
  `G10 A
   unknown clearing | 2500 | 97500 | 0 | 97500 | - | 0 | CLEARED, FORCE_POST`,
  `G11 A
   auth     | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED
   clearing | 5000 | 95000 | 0    | 95000  | - | 0 | CLEARED
   refund   | 2000 | 97000 | 0    | 97000  | - | 0 | CLEARED, refundedAmount 2000`,
  `G12 A
   auth     | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   refund   | 5000 | 100000 | 5000 | 105000 | - | 0 | POSTED, REFUND_BEFORE_CLEARING
   clearing | 5000 | 100000 | 0    | 100000 | - | 0 | CLEARED`,
  `G13 A
   unlinked refund | 1500 | 101500 | 0 | 101500 | - | 0 | POSTED, UNLINKED_REFUND`,
  `G15 B deposit 2000
   auth     | 3000 | 100000 | 0    | 100000 | 2000 | 0 | INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE
   auth     | 1500 | 98500  | 1500 | 100000 | 500  | 0 | APPROVED
   clearing | 1500 | 98500  | 0    | 98500  | 500  | 0 | CLEARED`,
  `G16 B U 1000
   auth | 3000 | 1000 | 0 | 1000 | 500000 | 0 | INSUFFICIENT_FUNDS`,
  `G31 A
   auth     | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   reversal | 6000 | 100000 | 0    | 100000 | - | 0 | REVERSED, OVER_REVERSAL`,
  `G32 A
   auth     | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   reversal | 5000 | 100000 | 0    | 100000 | - | 0 | REVERSED
   clearing | 5000 | 95000  | 0    | 95000  | - | 0 | CLEARED, CLEARING_AFTER_REVERSAL`,
  `G34 B deposit 1000
   unknown clearing | 1200 | 98800 | 0 | 98800 | -200 | 0 | CLEARED, FORCE_POST
   auth             | 100  | 98800 | 0 | 98800 | -200 | 0 | INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE`,
];

describe('golden scenarios', () => {
  it.each(SCENARIOS.map((text) => [text.split('\n')[0], text] as const))('%s', (_name, text) => {
    const { expected, found } = runScenario(text);
    expect(found).toEqual(expected);
  });
});

/** Every order of these events: the books stay in order whatever comes first. */
describe('every order of the events of one purchase', () => {
  const EVENTS = [
    'auth 5000',
    'reversal 2000',
    'part clearing 1500',
    'clearing 3500',
    'expiry 0',
    'refund 700',
  ];

  const orders = (left: readonly string[]): string[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap((one, at) => orders(left.toSpliced(at, 1)).map((rest) => [one, ...rest]));

  it.each(['A', 'B'])('kind %s: nothing stays held after all have come', (kind) => {
    for (const order of orders(EVENTS)) {
      const rows = order.map((event) => {
        const at = event.lastIndexOf(' ');
        return `${event.slice(0, at)} | ${event.slice(at + 1)} | | | | | |`;
      });
      const { found } = runScenario([`orders ${kind}`, ...rows].join('\n'));
      const [, available, held, posted] = (found.at(-1) ?? '').split(' | ');
      const authorizedLast = order.indexOf('auth 5000') > order.indexOf('clearing 3500');
      const open = authorizedLast || order.indexOf('auth 5000') > order.indexOf('expiry 0');
      expect(Number(available) + Number(held), order.join(', ')).toBe(Number(posted));
      if (!open) expect(held, order.join(', ')).toBe('0');
    }
  });
});
