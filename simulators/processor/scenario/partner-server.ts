import { request } from 'undici';
import { z } from 'zod';
import type { PartnerRecord, PartnerServer } from './world.ts';
import { StepFailed } from './world.ts';

const DEADLINE_MS = 5_000;
const notices = z.array(z.object({ n: z.int(), kind: z.string(), body: z.unknown() }));
const requests = z.array(z.object({ n: z.int(), operation: z.string().nullable(), body: z.unknown() }));

/** Reads the partner's server through the control calls of its simulator (transaction-history 9.6). */
export function createPartnerServer(options: {
  readonly url: string;
  readonly token: string;
}): PartnerServer {
  async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const answer = await request(`${options.url}/control${path}`, {
      headers: { authorization: `Bearer ${options.token}` },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const parsed = schema.safeParse(await answer.body.json().catch(() => null));
    if (parsed.success) return parsed.data;
    throw new StepFailed('the partner simulator gives no record of what it got');
  }
  return {
    notifications: async () =>
      (await read('/inbox', notices)).map(({ n, kind, body }) => ({ n, operation: kind, body })),
    calls: async () =>
      (await read('/requests', requests)).map(({ n, operation, body }): PartnerRecord => ({
        n,
        operation: operation ?? '',
        body,
      })),
  };
}
