import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startFromOutbox } from '../../temporal/workflows.ts';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';

let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await connectTemporal(inject('temporalAddress'), inject('temporalNamespace'));
});
afterAll(() => temporal.close());

let lastCardId = Math.floor(Date.now() % 1e9);

/** Asks for the workflow of a card as the relay does. */
const ask = (cardId: number) =>
  startFromOutbox(
    temporal,
    { workflow: 'processor-instruction', id: `processor-instruction:${cardId}`, input: { cardId } },
    {
      owner: { partnerId: 1, programmeId: 1 },
      verificationTimings: { providerPollMs: 1, providerLimitMs: 1 },
    },
  );
const result = (cardId: number) =>
  temporal.client.workflow.getHandle(`processor-instruction:${cardId}`).result();

describe('processor-instruction', () => {
  it('sends what waits in order and ends when nothing waits', async () => {
    const cardId = (lastCardId += 1);
    const waiting = ['LOCK 3', 'UNLOCK 3', 'LOCK 1'];
    const sent: string[] = [];
    const sendNextInstruction = async () => {
      const next = waiting.shift();
      if (next === undefined) return 'NONE' as const;
      sent.push(next);
      return 'DONE' as const;
    };
    await temporal.withWorker({ sendNextInstruction }, async () => {
      await ask(cardId);
      await result(cardId);
    });
    expect(sent).toEqual(['LOCK 3', 'UNLOCK 3', 'LOCK 1']);
  });

  it('tries an instruction again until the processor has taken it', async () => {
    const cardId = (lastCardId += 1);
    let tries = 0;
    const sendNextInstruction = async () => {
      tries += 1;
      if (tries === 1) throw ApplicationFailure.create({ type: 'PROCESSOR_AWAY', nextRetryDelay: 1 });
      return tries === 2 ? ('DONE' as const) : ('NONE' as const);
    };
    await temporal.withWorker({ sendNextInstruction }, async () => {
      await ask(cardId);
      await result(cardId);
    });
    expect(tries).toBe(3);
  });

  it('loses no instruction that arrives while the run looks for the last time', async () => {
    const cardId = (lastCardId += 1);
    const waiting = ['first'];
    const sent: string[] = [];
    let looks = 0;
    const sendNextInstruction = async () => {
      looks += 1;
      const next = waiting.shift();
      if (looks === 2) {
        // Stored and signalled between the empty look and its answer.
        waiting.push('late');
        await ask(cardId);
      }
      if (next === undefined) return 'NONE' as const;
      sent.push(next);
      return 'DONE' as const;
    };
    await temporal.withWorker({ sendNextInstruction }, async () => {
      await ask(cardId);
      await result(cardId);
    });
    expect(sent).toEqual(['first', 'late']);
  });

  it('is started anew for an instruction that comes after its end', async () => {
    const cardId = (lastCardId += 1);
    let looks = 0;
    const sendNextInstruction = async () => {
      looks += 1;
      return 'NONE' as const;
    };
    await temporal.withWorker({ sendNextInstruction }, async () => {
      await ask(cardId);
      await result(cardId);
      await ask(cardId);
      await result(cardId);
    });
    expect(looks).toBe(2);
  });
});
