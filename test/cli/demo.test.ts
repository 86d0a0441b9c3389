import { describe, expect, it } from 'vitest';
import { Difference, expectEqual } from '../../cli/demo/difference.ts';
import { createReader } from '../../cli/demo/jwe-reader.ts';
import { readDemoOptions } from '../../cli/demo/options.ts';
import { eventually, patiently } from '../../cli/demo/patience.ts';
import { newCompany } from '../../cli/demo/company.ts';
import { newPerson } from '../../cli/demo/person.ts';
import { drawPictures } from '../../cli/demo/pictures.ts';
import { lineOf, stepRunner, type StepReport } from '../../cli/demo/step.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { readOptions } from '../../cli/operate/options.ts';

describe('options of the demo', () => {
  it('takes the parts that exist and a pause', () => {
    expect(readDemoOptions([])).toEqual({ only: ['main', 'corporate'], pause: false });
    expect(readDemoOptions(['--only', 'main', '--pause'])).toEqual({ only: ['main'], pause: true });
    expect(readDemoOptions(['--only=main'])).toMatchObject({ only: ['main'] });
    expect(readDemoOptions(['--only=corporate,main'])).toMatchObject({ only: ['corporate', 'main'] });
  });

  it('refuses others with exit code 64', () => {
    for (const args of [['--only', 'physical'], ['--only'], ['--fast']]) {
      expect(() => readDemoOptions(args)).toThrow(expect.objectContaining({ code: 64 }) as CommandFailed);
    }
  });
});

describe('a step', () => {
  it('is told with number, figures, time and link, and hands its facts on', async () => {
    const told: StepReport[] = [];
    const run = stepRunner(
      (report) => told.push(report),
      async () => undefined,
    );
    const facts = await run(3, async () => ({
      happened: 'balance opened',
      figures: { EUR: '0.00' },
      link: 'http://localhost/run',
      facts: { balanceId: 'b' },
    }));
    expect(facts).toEqual({ balanceId: 'b' });
    expect(told).toMatchObject([{ number: 3, happened: 'balance opened', link: 'http://localhost/run' }]);
    expect(lineOf(told[0] as StepReport)).toMatch(/^ 3 {2}balance opened .*EUR 0\.00 .*[0-9]+ ms {2}http/);
  });

  it('that differs says what was expected and what came', () => {
    expect(() => expectEqual('held', { held: 0 }, { held: 5 })).toThrow(
      expect.objectContaining({ expected: '{"held":0}', got: '{"held":5}' }) as Difference,
    );
    expectEqual('held', { held: 0 }, { held: 0 });
  });
});

describe('patience', () => {
  it('tries again until there is a result', async () => {
    let tries = 0;
    const result = await patiently('a call', async () =>
      (tries += 1) < 3 ? { again: 'ECONNREFUSED' } : { done: tries },
    );
    expect(result).toBe(3);
  });

  it('reads again until what is awaited is there, and gives up with what came last', async () => {
    let value = 0;
    expect(
      await eventually(
        'a value',
        'two',
        async () => (value += 1),
        (one) => one === 2,
      ),
    ).toBe(2);
    const late = eventually(
      'a value',
      'never',
      async () => 7,
      () => false,
      150,
    );
    await expect(late).rejects.toMatchObject({ name: 'Difference', got: '7' });
  });
});

describe('what the demo brings along', () => {
  it('is another person each time', () => {
    const [one, other] = [newPerson(), newPerson()];
    expect(one.phone).toMatch(/^48[0-9]{9}$/);
    expect(one.email).not.toBe(other.email);
    expect(newCompany().taxId).toMatch(/^526[0-9]{7}$/);
  });

  it('is three pictures that the form accepts by size', async () => {
    for (const { bytes } of Object.values(await drawPictures())) expect(bytes.length).toBeGreaterThan(10_000);
  });

  it('is a reader that refuses answers in clear text', async () => {
    await expect(createReader().open({ cardNo: 'x' })).rejects.toThrow(Difference);
  });
});

describe('options of operator commands', () => {
  it('are read in both forms', () => {
    const read = readOptions(
      'revoke',
      ['one', '--serial', 'ab', '--reason=SUPERSEDED'],
      ['serial', 'reason'],
    );
    expect(read).toEqual({ given: ['one'], values: { serial: ['ab'], reason: ['SUPERSEDED'] } });
  });

  it('are refused when unknown or without a value', () => {
    expect(() => readOptions('revoke', ['--other', 'x'], ['serial'])).toThrow(CommandFailed);
    expect(() => readOptions('revoke', ['--serial'], ['serial'])).toThrow(CommandFailed);
  });
});
