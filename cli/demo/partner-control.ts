import { Agent } from 'undici';
import { z } from 'zod';
import type { Quickstart } from '../quickstart.ts';
import { send } from './http.ts';

const noticeSchema = z.object({
  n: z.int(),
  kind: z.string(),
  key: z.string().nullable(),
  body: z.record(z.string(), z.unknown()).nullable(),
});
const requestSchema = z.object({
  n: z.int(),
  key: z.string().nullable(),
  rule: z.string().nullable(),
  bodySha256: z.string(),
  answer: z.object({ status: z.int() }).nullable(),
});
const violationSchema = z.object({ code: z.string(), detail: z.string(), key: z.string().nullable() });

/** A notification that the partner accepted; `body` decrypted. */
export type Notice = z.output<typeof noticeSchema>;
/** One received request, an attempt of a notification for example. */
export type ReceivedRequest = z.output<typeof requestSchema>;

/** The partner's own server, through the control calls of its simulator (transaction-history 9.6). */
export interface PartnerControl {
  inbox(): Promise<Notice[]>;
  requestsOf(operation: 'transaction'): Promise<ReceivedRequest[]>;
  violationsOf(keys: ReadonlySet<string>): Promise<string[]>;
  /** Refuses one notification about a transaction with 503, the first attempt only. */
  refuseOnce(rule: string, transactionId: string): Promise<void>;
  removeRule(rule: string): Promise<void>;
  close(): Promise<void>;
}

/** A client of the simulator's control port. */
export function createPartnerControl(quickstart: Quickstart): PartnerControl {
  const { partnerControlUrl, token } = quickstart.simulators;
  const agent = new Agent();
  const call = (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    expectedStatus: number,
    body?: object,
  ): Promise<unknown> =>
    send(
      {
        method,
        url: `${partnerControlUrl}/control${path}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
        expectedStatus,
      },
      agent,
    );
  return {
    inbox: async () => z.array(noticeSchema).parse(await call('GET', '/inbox', 200)),
    requestsOf: async (operation) =>
      z.array(requestSchema).parse(await call('GET', `/requests?operation=${operation}`, 200)),
    violationsOf: async (keys) =>
      z
        .array(violationSchema)
        .parse(await call('GET', '/violations', 200))
        .filter(({ key }) => key !== null && keys.has(key))
        .map(({ code, detail }) => `${code}: ${detail}`),
    async refuseOnce(name, transactionId) {
      await call('POST', '/rules', 201, {
        name,
        match: { operation: ['transaction'], id: transactionId, attempt: 1 },
        action: { kind: 'STATUS', status: 503 },
        times: 1,
      });
    },
    removeRule: async (name) => void (await call('DELETE', `/rules/${name}`, 204)),
    close: () => agent.destroy(),
  };
}
