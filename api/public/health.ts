import { publicRoute } from '../partner-principal.ts';
import { z } from '../schemas/shared.ts';

const shared = {
  method: 'GET',
  role: 'nobody-asked',
  owner: 'none',
  jwe: 'none',
  idempotency: 'ignored',
  uncounted: true,
  refusals: [],
} as const;

const liveSchema = z.strictObject({ status: z.enum(['ok', 'failed']) });

const live = publicRoute({
  ...shared,
  operation: 'live',
  path: '/health/live',
  summary: 'Whether the process answers',
  answers: {
    200: { description: 'it does', schema: liveSchema },
    503: { description: 'it is more than a second behind', schema: liveSchema },
  },
  handle: async (call) =>
    call.services.health.live()
      ? { status: 200, body: { status: 'ok' } }
      : { status: 503, body: { status: 'failed' } },
});

const readySchema = z.strictObject({
  status: z.enum(['ready', 'not_ready']),
  checks: z.record(z.string(), z.enum(['ok', 'degraded', 'failed'])),
});

const ready = publicRoute({
  ...shared,
  operation: 'ready',
  path: '/health/ready',
  summary: 'Whether the process should be sent requests',
  answers: {
    200: { description: 'ready', schema: readySchema },
    503: { description: 'not ready', schema: readySchema },
  },
  handle: async (call) => {
    const { health } = call.services;
    const checks = await health.check();
    const isReady = !health.draining() && !Object.values(checks).includes('failed');
    return { status: isReady ? 200 : 503, body: { status: isReady ? 'ready' : 'not_ready', checks } };
  },
});

export const health = [live, ready];
