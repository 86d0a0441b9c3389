import { beforeAll, describe, expect, inject, it } from 'vitest';
import { runCardloom } from './cardloom.ts';

const environment = inject('stackEnvironment');

interface DemoAnswer {
  readonly ok: boolean;
  readonly steps: readonly { number: number | string; happened: string; link: string | null }[];
  readonly facts: Record<string, string | number>;
}

describe('the demo', () => {
  let demo: DemoAnswer;

  beforeAll(async () => {
    const { code, output, errors } = await runCardloom(['demo', '--json'], environment);
    expect(errors).toBe('');
    expect(code, output).toBe(0);
    demo = JSON.parse(output) as DemoAnswer;
  });

  it('goes through its steps as expected', () => {
    expect(demo.ok).toBe(true);
    expect(demo.steps.map((one) => one.number)).toEqual([
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      '8a',
      '8b',
      '8c',
      9,
      17,
      18,
      19,
      20,
    ]);
  });

  it('links the verification, the company and the resent notification to their Temporal runs', () => {
    expect(demo.steps[1]?.link).toContain('customer-verification%3A');
    const company = demo.steps.find((one) => one.number === 17);
    expect(company?.link).toContain('corporation-onboarding%3A');
    const notified = demo.steps.find((one) => one.number === 9);
    expect(notified?.link).toContain('notification-delivery%3A');
  });

  it('leaves a decision trace that the command line shows', async () => {
    const approved = await runCardloom(['trace', String(demo.facts['purchaseId'])], environment);
    expect(approved).toMatchObject({ code: 0 });
    expect(approved.output).toContain('APPROVED');
    const refused = await runCardloom(['trace', String(demo.facts['refusedId']), '--json'], environment);
    expect(refused).toMatchObject({ code: 0 });
    expect(refused.output).toContain('INSUFFICIENT_FUNDS');
  });

  it('leaves a ledger without a difference', async () => {
    expect(await runCardloom(['verify-ledger'], environment)).toMatchObject({ code: 0 });
  });

  it('prints one line a step for people', async () => {
    const { code, output } = await runCardloom(['demo', '--only', 'main'], environment);
    expect(code, output).toBe(0);
    expect(output.split('\n').filter((line) => /^[ 0-9][0-9a-c] {2}\S/.test(line))).toHaveLength(13);
    expect(output).toMatch(/555544\*{6}[0-9]{4}/);
    expect(output).not.toMatch(/555544[0-9]{10}/);
  });

  it('shows no card data in logs, tables outside the vault and Temporal histories', async () => {
    const scan = await runCardloom(['leak-scan', '--json'], environment);
    expect(scan.errors).toBe('');
    const answer = JSON.parse(scan.output) as { leaks: unknown[]; knownCards: number; looked: object };
    expect(answer.leaks).toEqual([]);
    expect(answer.knownCards).toBeGreaterThanOrEqual(2);
    expect(answer.looked).toMatchObject({ lines: expect.any(Number), rows: expect.any(Number) });
    expect(scan.code).toBe(0);
  });
});
