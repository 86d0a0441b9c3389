import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../simulators/processor/scenario/report.ts';
import { startProcessorSimulator } from '../../simulators/processor/start.ts';
import type { Json, ProcessorRig, Script } from './processor-rig.ts';
import { APPROVED, approve, startRig } from './processor-rig.ts';

let rig: ProcessorRig;

beforeAll(async () => {
  rig = await startRig({ partner: true });
});

afterEach(() => rig.clean());

afterAll(() => rig.stop());

const BALANCE_ID = '6d5c0dfb-8a0a-4f0c-9df2-bb9a2f0c1c11';

/** A platform with one user, one balance and one card, which holds what it approves. */
function smallBank(cardId: number): Script {
  const balance = { id: BALANCE_ID, currency: 'EUR', amount: 0, heldAmount: 0 };
  const read = () => ({ ...balance, availableAmount: balance.amount - balance.heldAmount });
  return (one) => {
    const { method, path, body } = one;
    const amount = Number(body['amount'] ?? 0);
    if (path === '/lifecycle/v1/wallet') return { status: 201, body: { id: 77, kyc: body['kyc'] } };
    if (path.endsWith('/reload')) {
      balance.amount += amount;
      return { status: 201, body: {} };
    }
    if (path.endsWith('/cards/virtual')) return { status: 201, body: { id: cardId } };
    if (method === 'GET' && path.endsWith('/balances')) return { status: 200, body: { items: [read()] } };
    if (method === 'GET' && path.includes('/balances/')) return { status: 200, body: read() };
    if (method === 'GET' && path.startsWith('/secure/transactions/')) {
      return { status: 200, body: { id: path.split('/').at(-1), status: 'AUTHORIZED' } };
    }
    if (path === '/processor/authorizations') {
      if (amount > balance.amount - balance.heldAmount) return { status: 200, body: { result: 'DECLINED' } };
      balance.heldAmount += amount;
    }
    return approve(one);
  };
}

async function add(yaml: string) {
  return rig.control('POST', '/simulator/scenarios', { yaml });
}

/** Adds a scenario, runs it, and waits for its end. */
async function play(yaml: string, seed?: number): Promise<RunReport> {
  const added = await add(yaml);
  expect(added.body['errors']).toBeUndefined();
  const name = String(added.body['name']);
  const started = await rig.control(
    'POST',
    `/simulator/scenarios/${name}/runs`,
    seed === undefined ? {} : { seed },
  );
  expect(started.status).toBe(202);
  const path = `/simulator/runs/${String(started.body['runId'])}`;
  const read = async () => (await rig.control('GET', path)).body as unknown as RunReport;
  await expect.poll(async () => (await read()).state, { timeout: 10_000, interval: 20 }).toMatch(/ED$/);
  return read();
}

const outcomes = (report: RunReport) => report.steps.map((one) => one.outcome);

const SETUP = 'setup: { balance: { currency: EUR, topUp: 10000 }, card: { configId: "1" } }';

describe('a run', () => {
  it('sets up, sends, compares answers and balances, and reports each step', async () => {
    const { cardId, processorCardId } = await rig.newCard();
    rig.script = smallBank(cardId);
    const report = await play(`
name: pay-twice
${SETUP}
steps:
  - id: pay
    authorize: { amount: 4000, currency: EUR, mcc: "5411" }
    expect:
      result: APPROVED
      id: $uuid
      balance: { available: 6000, reserved: 4000, posted: 10000 }
      transaction: { status: AUTHORIZED, id: "\${pay.id}" }
  - authorize: { amount: 6001, currency: EUR }
    expect: { result: DECLINED, balance: { reserved: 4000 } }
  - clear: { trace: "\${pay.traceId}" }
    expect: { accepted: true }
  - api: { method: GET, path: "/customers/\${user.id}/balances/\${balance.id}" }
    expect: { status: 200, body: { availableAmount: { $gt: 5000 } } }
finally: { openFaults: 0, balance: { reserved: 4000 } }
`);
    expect(report).toMatchObject({ state: 'PASSED', seed: 7 });
    expect(outcomes(report)).toEqual(['PASSED', 'PASSED', 'PASSED', 'PASSED']);
    expect(report.steps[0]).toMatchObject({
      id: 'pay',
      word: 'authorize',
      sent: { amount: 4000, processorCardId, transactionData: { mcc: '5411' } },
      got: { answer: { response: { result: 'APPROVED' } }, balance: { available: 6000 } },
      differences: [],
    });
    expect(report.finally.map((one) => [one.check, one.outcome])).toEqual([
      ['openFaults', 'PASSED'],
      ['balance', 'PASSED'],
    ]);
    const paths = rig.received.map((one) => one.path);
    expect(paths[0]).toBe('/lifecycle/v1/wallet');
    expect(rig.received[0]?.body).toMatchObject({ kyc: 'SUCCESS', state: 'VERIFIED' });
  });

  it('ends with the first step that fails, telling what differs', async () => {
    const { cardId } = await rig.newCard();
    rig.script = smallBank(cardId);
    const report = await play(`
name: wrong
${SETUP}
steps:
  - authorize: { amount: 100, currency: EUR }
    expect: { result: DECLINED, balance: { available: 1 } }
  - authorize: { amount: 100, currency: EUR }
`);
    expect(report.state).toBe('FAILED');
    expect(outcomes(report)).toEqual(['FAILED', 'SKIPPED']);
    expect(report.steps[0]?.differences).toEqual([
      { path: 'result', expected: 'DECLINED', got: 'APPROVED' },
      { path: 'balance.available', expected: 1, got: 9900 },
    ]);
    expect(rig.received.filter((one) => one.path === '/processor/authorizations')).toHaveLength(1);
  });

  it('fails where the control API refuses, unless the refusal is expected', async () => {
    const { processorCardId } = await rig.newCard();
    const steps = (expected: string) => `
name: refused
steps:
  - id: pay
    authorize: { processorCardId: ${processorCardId}, amount: 100, currency: EUR }
  - clear: { trace: "\${pay.traceId}" }
  - clear: { trace: "\${pay.traceId}" }
    expect: ${expected}
`;
    const refused = await play(steps('{}'));
    expect(refused.steps[2]?.differences).toEqual([
      { path: 'status', expected: 'no refusal', got: '409 STATE_CONFLICT' },
    ]);
    expect((await play(steps('{ status: 409, title: STATE_CONFLICT }'))).state).toBe('PASSED');
  });

  it('waits within its time for what comes later', async () => {
    const { cardId } = await rig.newCard();
    const bank = smallBank(cardId);
    let reads = 0;
    rig.script = (one) => {
      const isBalance = one.method === 'GET' && one.path.includes('/balances/');
      if (isBalance && (reads += 1) < 3) return { status: 200, body: { availableAmount: 0 } };
      return bank(one);
    };
    const yaml = (within: string) => `
name: later
${SETUP}
steps:
  - wait: 1ms
    within: ${within}
    expect: { balance: { available: 10000 } }
`;
    expect((await play(yaml('2s'))).state).toBe('PASSED');
    expect(reads).toBe(3);
    reads = 0;
    expect((await play(yaml('0ms'))).state).toBe('FAILED');
  });

  it('repeats a step, and runs steps at the same time', async () => {
    const { processorCardId } = await rig.newCard();
    let atOnce = 0;
    let most = 0;
    rig.script = (one) => {
      most = Math.max(most, (atOnce += 1));
      setTimeout(() => (atOnce -= 1), 50);
      return { ...approve(one), afterMs: 50 };
    };
    const card = `processorCardId: ${processorCardId}`;
    const report = await play(`
name: many
steps:
  - forcePost: { ${card}, amount: 1, currency: EUR }
    repeat: 2
  - parallel:
      - id: one
        authorize: { ${card}, amount: 2, currency: EUR }
      - authorize: { ${card}, amount: 3, currency: EUR }
  - clear: { trace: "\${one.traceId}" }
`);
    expect(report.steps.map((one) => one.word)).toEqual([
      'forcePost',
      'forcePost',
      'authorize',
      'authorize',
      'clear',
    ]);
    expect(report.state).toBe('PASSED');
    expect(most).toBe(2);
  });

  it('takes its faults, clock and configuration away again', async () => {
    const { processorCardId } = await rig.newCard();
    const report = await play(`
name: tidy
steps:
  - fault: { direction: toPlatform, message: reversal, kind: drop }
  - config: { standIn: { decision: approve, upTo: 10 } }
  - clock: { mode: frozen, at: "2030-01-01T00:00:00.000Z" }
  - forcePost: { processorCardId: ${processorCardId}, amount: 1, currency: EUR }
finally: { openFaults: 0 }
`);
    expect(report.finally).toMatchObject([
      { check: 'openFaults', outcome: 'FAILED', differences: [{ expected: 0, got: 1 }] },
    ]);
    expect(rig.received[0]?.body['transactionDate']).toBe('2030-01-01');
    expect((await rig.control('GET', '/simulator/faults')).body['items']).toEqual([]);
    expect((await rig.control('GET', '/simulator/config')).body['standIn']).toEqual({ decision: 'decline' });
    expect((await rig.control('GET', '/simulator/clock')).body['mode']).toBe('real');
  });

  it('draws the same numbers for the same seed, and gives the own seed back', async () => {
    const numbersOf = async (seed: number) => {
      const { processorCardId } = await rig.newCard();
      rig.received = [];
      await play(
        `name: numbers\nsteps: [{ authorize: { processorCardId: ${processorCardId}, amount: 1, currency: EUR } }]`,
        seed,
      );
      return [rig.received[0]?.body['stan'], rig.received[0]?.body['retrievalReferenceNumber']];
    };
    const first = await numbersOf(11);
    expect(await numbersOf(11)).toEqual(first);
    expect(await numbersOf(12)).not.toEqual(first);
    expect((await rig.control('GET', '/simulator/config')).body['seed']).toBe(7);
  });

  it('never presents a record id twice, with the same seed either', async () => {
    const { processorCardId } = await rig.newCard();
    const yaml = `name: records\nsteps: [{ forcePost: { processorCardId: ${processorCardId}, amount: 1, currency: EUR } }]`;
    await play(yaml, 5);
    await play(yaml, 5);
    const [first, second] = rig.received.map((one) => one.body);
    expect(second?.['recordId']).not.toBe(first?.['recordId']);
    expect(second?.['networkReferenceId']).not.toBe(first?.['networkReferenceId']);
    expect(second?.['arn']).toBe(first?.['arn']);
  });

  it('shows no PIN and no CVC2 in its report, whether sent, refused or broken', async () => {
    const { processorCardId } = await rig.newCard();
    const secrets = `processorCardId: ${processorCardId}, currency: EUR, pin: "4321", cvc2: "987"`;
    const report = await play(`
name: secrets
steps:
  - id: pay
    authorize: { ${secrets}, amount: 1 }
    expect: { result: APPROVED }
  - authorize: { ${secrets}, amount: 0 }
    expect: { status: 400 }
  - authorize: { ${secrets}, amount: "\${pay.nothing}" }
`);
    expect(outcomes(report)).toEqual(['PASSED', 'PASSED', 'FAILED']);
    for (const step of report.steps.slice(1)) expect(step.sent).toMatchObject({ pin: '***', cvc2: '***' });
    const sent = JSON.stringify(report.steps.map((one) => one.sent));
    expect(sent).not.toContain('"4321"');
    expect(sent).not.toContain('"987"');
  });

  it('tells a setup that failed in the words of the refusal', async () => {
    rig.script = () => ({ status: 409, body: { title: 'PHONE_ALREADY_REGISTERED', detail: 'Taken.' } });
    const report = await play(`name: taken\n${SETUP}\nsteps: [{ wait: 1ms }]`);
    expect(report).toMatchObject({
      state: 'FAILED',
      steps: [{ word: 'setup', error: 'POST /lifecycle/v1/wallet: 409 PHONE_ALREADY_REGISTERED Taken.' }],
    });
  });

  it('fails with a reason where something is missing', async () => {
    const { processorCardId } = await rig.newCard();
    const report = await play(`
name: missing
steps:
  - id: pay
    authorize: { processorCardId: ${processorCardId}, amount: 1, currency: EUR }
  - clear: { trace: "\${pay.nothing}" }
finally: { notifications: [{ path: /transaction }], ledgerZeroSum: true }
`);
    expect(report.steps[1]?.error).toBe('${pay.nothing} refers to nothing');
    expect(report.finally).toMatchObject([
      { check: 'notifications', outcome: 'FAILED' },
      { check: 'ledgerZeroSum', outcome: 'SKIPPED' },
    ]);
  });
});

describe('the routes', () => {
  it('list shipped and added scenarios; an added one hides the shipped, over a restart too', async () => {
    const text = 'name: tip\nsteps: [{ wait: 1ms }]';
    const before = (await rig.control('GET', '/simulator/scenarios')).body['items'] as Json[];
    expect(before.find((one) => one['name'] === 'tip')).toEqual({ name: 'tip', source: 'shipped', steps: 2 });
    expect((await rig.control('POST', '/simulator/scenarios', { yaml: text })).status).toBe(201);
    await rig.simulator.stop();
    rig.simulator = await startProcessorSimulator(rig.options);
    const after = (await rig.control('GET', '/simulator/scenarios')).body['items'] as Json[];
    expect(after.find((one) => one['name'] === 'tip')).toEqual({ name: 'tip', source: 'added', steps: 1 });
    expect(after).toHaveLength(before.length);
  });

  it('refuse a bad file with every fault, and what they do not know', async () => {
    const bad = await add('name: X\nsteps: [{ fly: {} }]');
    expect(bad).toMatchObject({ status: 400, body: { title: 'VALIDATION_ERROR' } });
    expect((bad.body['errors'] as Json[])[0]?.['field']).toBe('name');
    expect((await rig.control('POST', '/simulator/scenarios/none/runs', {})).body['title']).toBe(
      'SCENARIO_NOT_FOUND',
    );
    expect((await rig.control('GET', '/simulator/runs/none')).body['title']).toBe('RUN_NOT_FOUND');
  });

  it('play only network traffic without the certificate of a partner', async () => {
    const { processorCardId } = await rig.newCard();
    await rig.simulator.stop();
    const options = { ...rig.options, scenarioPartner: null };
    rig.simulator = await startProcessorSimulator(options);
    try {
      const refused = await play(`name: alone\n${SETUP}\nsteps: [{ wait: 1ms }]`);
      expect(refused.steps[0]?.error).toContain('none is configured');
      const own = `name: own\nsteps: [{ authorize: { processorCardId: ${processorCardId}, amount: 1, currency: EUR }, expect: { authorizationCode: ${APPROVED.authorizationCode} } }]`;
      expect((await play(own)).state).toBe('PASSED');
    } finally {
      await rig.simulator.stop();
      rig.simulator = await startProcessorSimulator(rig.options);
    }
  });
});
