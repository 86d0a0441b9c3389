import { describe, expect, it } from 'vitest';
import { durationMs } from '../../simulators/processor/scenario/duration.ts';
import { readScenario } from '../../simulators/processor/scenario/file.ts';
import { openLibrary } from '../../simulators/processor/scenario/library.ts';
import { differences } from '../../simulators/processor/scenario/match.ts';
import { resolve } from '../../simulators/processor/scenario/references.ts';
import { addDuration } from '../../simulators/processor/iso-duration.ts';

describe('the subset match', () => {
  const id = '24cbc777-de3f-42e2-b772-7d5427dc616e';
  it.each([
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 2, d: 3 }, 4], e: 5 } }],
    [{ a: '$any' }, { a: 0 }],
    [{ a: '$absent' }, {}],
    [{ a: '$absent' }, { a: null }],
    [{ a: '$uuid' }, { a: id }],
    [{ a: { $gt: 1 } }, { a: 2 }],
    [{ a: { $gt: 1, $lt: 3 } }, { a: 2 }],
    [{ a: { $in: ['x', { y: 1 }] } }, { a: { y: 1, z: 2 } }],
    [{ a: null }, { a: null }],
    [{}, null],
  ])('%j matches %j', (expected, got) => {
    expect(differences(expected, got ?? {})).toEqual([]);
  });

  it.each([
    [{ a: 1 }, { a: '1' }, 'a'],
    [{ a: { b: 1 } }, { a: null }, 'a'],
    [{ a: { b: 1 } }, { a: { b: 2 } }, 'a.b'],
    [{ a: [1, 2] }, { a: [1] }, 'a[1]'],
    [{ a: [1] }, { a: { 0: 1 } }, 'a'],
    [{ a: '$any' }, { a: null }, 'a'],
    [{ a: '$any' }, {}, 'a'],
    [{ a: '$absent' }, { a: 0 }, 'a'],
    [{ a: '$uuid' }, { a: 'pc_1' }, 'a'],
    [{ a: { $gt: 1 } }, { a: 1 }, 'a'],
    [{ a: { $gt: 1, $lt: 3 } }, { a: 3 }, 'a'],
    [{ a: { $lt: 1 } }, { a: '0' }, 'a'],
    [{ a: { $in: [1, 2] } }, { a: 3 }, 'a'],
    [{ a: null }, {}, 'a'],
    [{ a: 1 }, undefined, 'value'],
  ])('%j differs from %j at %s', (expected, got, path) => {
    expect(differences(expected, got).map((one) => one.path)).toEqual([path]);
  });

  it('tells every difference with what was expected and what came', () => {
    expect(differences({ a: 1, b: 2 }, { a: 3, b: 4 })).toEqual([
      { path: 'a', expected: 1, got: 3 },
      { path: 'b', expected: 2, got: 4 },
    ]);
  });
});

describe('references', () => {
  const facts = { pay: { traceId: 't1', amount: 5, response: { id: 'x', list: [{ id: 'y' }] } } };

  it('give the value itself, or stand inside a text', () => {
    expect(resolve({ a: '${pay.amount}', b: ['/of/${pay.traceId}/${pay.id}'] }, facts)).toEqual({
      a: 5,
      b: ['/of/t1/x'],
    });
    expect(resolve('${pay.list.0.id}', facts)).toBe('y');
    expect(resolve('$any', facts)).toBe('$any');
  });

  it('to nothing are told', () => {
    expect(() => resolve('${pay.nothing}', facts)).toThrow('${pay.nothing} refers to nothing');
    expect(() => resolve('${gone.traceId}', facts)).toThrow();
    expect(() => resolve('${pay.constructor}', facts)).toThrow();
  });
});

describe('durations', () => {
  it('of scenarios', () => {
    expect(['250ms', '5s', '1.5s', '2m', '5', '5h', '-1s'].map(durationMs)).toEqual([
      250,
      5_000,
      1_500,
      120_000,
      null,
      null,
      null,
    ]);
  });

  it('of the clock', () => {
    const at = new Date('2027-01-31T23:00:00.000Z');
    expect(addDuration(at, 'P7D')?.toISOString()).toBe('2027-02-07T23:00:00.000Z');
    expect(addDuration(at, 'P1YT1H')?.toISOString()).toBe('2028-02-01T00:00:00.000Z');
    expect(addDuration(at, 'PT90M')?.toISOString()).toBe('2027-02-01T00:30:00.000Z');
    expect(['P', 'PT', '7D', 'P1H', ''].map((text) => addDuration(at, text))).toEqual(Array(5).fill(null));
  });
});

describe('a scenario file', () => {
  const faultsOf = (text: string): string[] => {
    const outcome = readScenario(text);
    return 'faults' in outcome ? outcome.faults.map((one) => `${one.field} ${one.message}`) : [];
  };

  it('is read with its defaults', () => {
    const outcome = readScenario(`
name: a-b
setup: { card: { configId: "1" } }
steps:
  - id: pay
    authorize: { amount: 1, currency: EUR }
    within: 2s
    expect: { result: APPROVED }
  - repeat: { trace: "\${pay.traceId}" }
  - forcePost: { amount: 1, currency: EUR }
    repeat: 3
  - parallel:
      - wait: 5ms
      - balanceInquiry:
`);
    expect(outcome).toMatchObject({
      scenario: {
        name: 'a-b',
        seed: null,
        setup: { user: { kyc: 'SUCCESS' }, balance: { currency: 'EUR', topUp: 0 }, card: { configId: '1' } },
        steps: [
          { id: 'pay', word: 'authorize', withinMs: 2_000, times: 1, expect: { result: 'APPROVED' } },
          { word: 'repeat', times: 1 },
          { word: 'forcePost', times: 3 },
          { word: 'parallel', steps: [{ word: 'wait' }, { word: 'balanceInquiry', input: {} }] },
        ],
      },
    });
  });

  it.each([
    ['name: [', 'file is not YAML'],
    ['name: a\nsteps: []', 'steps'],
    ['name: A B\nsteps: [{ wait: 1s }]', 'name must be lower-case'],
    ['name: a\nsteps: [{ fly: {} }]', 'steps[0] must have exactly one of'],
    ['name: a\nsteps: [{ wait: 1s, clear: {} }]', 'steps[0] must have exactly one of'],
    ['name: a\nsteps: [{ wait: soon }]', 'steps[0].wait must be a duration'],
    ['name: a\nsteps: [{ authorize: 5 }]', 'steps[0].authorize must be an object'],
    ['name: a\nsteps: [{ wait: 1s, within: 5 }]', 'steps[0].within'],
    ['name: a\nsteps: [{ wait: 1s, hope: 1 }]', 'steps[0].hope is not known'],
    ['name: a\nsteps: [{ clear: { trace: "${pay.traceId}" } }]', 'steps[0] refers to pay'],
    ['name: a\nsteps: [{ wait: 1s, expect: { ledger: {} } }]', 'steps[0].expect.ledger is checked once'],
    ['name: a\nsteps: [{ wait: 1s }]\nfinally: { moon: full }', 'finally.moon is not known'],
    ['name: a\nsteps: [{ wait: 1s }]\nsetup: {}', 'setup.card'],
    ['a: &x 1\nname: a\nsteps: [{ wait: *x }]', 'file must not use aliases'],
    [`name: a\n# ${'x'.repeat(70_000)}`, 'file is larger than'],
  ])('with a fault says where: %j', (text, told) => {
    expect(faultsOf(text).some((one) => one.startsWith(told))).toBe(true);
  });

  it('lets steps at the same time not refer to each other', () => {
    const together = `
name: a
steps:
  - parallel:
      - id: pay
        authorize: { amount: 1, currency: EUR }
      - clear: { trace: "\${pay.traceId}" }
`;
    expect(faultsOf(together)).toEqual([
      'steps[0].parallel[1] refers to pay, which no earlier step is called',
    ]);
  });

  it('is shipped for each situation of the specification that can be played', () => {
    const names = openLibrary({ all: () => [], find: () => null, keep: () => undefined })
      .list()
      .map((one) => one.name);
    expect(names).toEqual(
      expect.arrayContaining([
        'chargeback',
        'clearing-file',
        'declined-purchase',
        'duplicate',
        'force-post',
        'fuel',
        'hotel',
        'incremental',
        'late-answer',
        'partial-reversal-then-clearing',
        'pin-tries',
        'refund-linked',
        'refund-unlinked',
        'reversal-before-authorization',
        'stand-in',
        'tip',
        'transit-offline-advice',
      ]),
    );
  });
});
