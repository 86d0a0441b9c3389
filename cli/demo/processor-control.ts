import { Agent } from 'undici';
import { z } from 'zod';
import type { Quickstart } from '../quickstart.ts';
import { send } from './http.ts';
import { patiently } from './patience.ts';

const decisionSchema = z.object({
  id: z.string().nullable(),
  result: z.enum(['APPROVED', 'PARTIALLY_APPROVED', 'DECLINED', 'ACKNOWLEDGED']),
  description: z.string(),
  responseCode: z.string(),
  availableAmount: z.int().nullable(),
});
const exchangeSchema = z.object({ traceId: z.string(), latencyMs: z.number(), response: z.unknown() });

const recordsSchema = z.object({ results: z.array(z.object({ exception: z.string().nullable() })) });

/** What the platform answered to one purchase. */
export interface Purchase extends z.output<typeof decisionSchema> {
  readonly traceId: string;
  readonly latencyMs: number;
}

/** The card network, through the control calls of the processor simulator (processor 6.2). */
export interface ProcessorControl {
  /** Pays in euro. A try without a decision is made anew; the network takes back what became of the lost one. */
  purchase(cardId: number, amountMinorUnits: number): Promise<Purchase>;
  /**
   * Presents what the authorization holds, or another amount; the network repeats it until it is accepted. Answers
   * what people are to look at, null when there is nothing.
   */
  clear(traceId: string, changes?: { amount: number; interchangeAmount: number }): Promise<string | null>;
  /** Gives a part of what is held back. */
  reverse(traceId: string, amountMinorUnits: number): Promise<void>;
  close(): Promise<void>;
}

/** A client of the simulator's control port. */
export function createProcessorControl(quickstart: Quickstart): ProcessorControl {
  const { processorUrl, token } = quickstart.simulators;
  const agent = new Agent();
  const call = (method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> =>
    send(
      {
        method,
        url: `${processorUrl}${path}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
        expectedStatus: 200,
      },
      agent,
    );

  return {
    async purchase(cardId, amount) {
      const attempt = async () => {
        const body = { cardId, amount, currency: 'EUR', merchant: 'CARDLOOM DEMO SHOP' };
        const { traceId, latencyMs, response } = exchangeSchema.parse(
          await call('POST', '/simulator/authorizations', body),
        );
        const decision = decisionSchema.safeParse(response);
        return decision.success
          ? { done: { ...decision.data, traceId, latencyMs } }
          : { again: 'no decision of the platform' };
      };
      return await patiently('the purchase', attempt);
    },
    async clear(traceId, changes = undefined) {
      const answer = await call('POST', `/simulator/authorizations/${traceId}/clear`, changes ?? {});
      const { response } = exchangeSchema.parse(answer);
      return recordsSchema.safeParse(response).data?.results[0]?.exception ?? null;
    },
    async reverse(traceId, amount) {
      await call('POST', `/simulator/authorizations/${traceId}/reverse`, { amount });
    },
    close: () => agent.destroy(),
  };
}
