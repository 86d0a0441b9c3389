import { processorRoute } from '../partner-principal.ts';
import { clearingAnswer, clearingSchema } from './schemas.ts';

const clear = processorRoute({
  operation: 'clear',
  method: 'POST',
  path: '/clearings',
  summary: 'Post one clearing record',
  role: { scopes: ['processor'] },
  owner: 'card-of-message',
  jwe: 'open',
  idempotency: 'ignored',
  body: clearingSchema,
  answers: { 200: { description: 'what became of the record', schema: clearingAnswer } },
  refusals: ['OVERLOADED', 'SERVICE_UNAVAILABLE'],
  handle: async (call) => ({
    status: 200,
    body: await call.services.authorizer.clear(
      { fileId: call.body.fileId ?? null, records: [call.body] },
      {
        requestId: call.requestId,
        processor: call.principal.processor,
        receivedAtMs: call.receivedAtMs,
      },
    ),
  }),
});

export const clearings = [clear];
