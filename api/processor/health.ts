import { processorRoute } from '../partner-principal.ts';
import { z } from '../schemas/shared.ts';

const health = processorRoute({
  operation: 'processorHealth',
  method: 'GET',
  path: '/health',
  summary: 'Liveness for the processor',
  role: { scopes: ['processor'] },
  owner: 'none',
  jwe: 'none',
  idempotency: 'ignored',
  answers: { 200: { description: 'up', schema: z.strictObject({ status: z.literal('UP') }) } },
  refusals: [],
  handle: async () => ({ status: 200, body: { status: 'UP' } }),
});

export const liveness = [health];
