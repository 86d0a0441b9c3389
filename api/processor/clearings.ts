import type { z } from 'zod';
import { type ProcessorPrincipal, processorRoute } from '../partner-principal.ts';
import type { Answer, Call } from '../route.ts';
import { clearingAnswer, clearingsSchema, refundSchema } from './schemas.ts';

const shared = {
  method: 'POST',
  role: { scopes: ['processor'] },
  owner: 'card-of-message',
  jwe: 'open',
  idempotency: 'ignored',
  answers: { 200: { description: 'what became of the record', schema: clearingAnswer } },
  refusals: ['OVERLOADED', 'SERVICE_UNAVAILABLE'],
} as const;

const post = async (
  call: Call<ProcessorPrincipal, unknown, unknown, z.output<typeof clearingsSchema>>,
): Promise<Answer> => ({
  status: 200,
  body: await call.services.authorizer.clear(
    'records' in call.body ? call.body : { fileId: call.body.fileId ?? null, records: [call.body] },
    {
      requestId: call.requestId,
      processor: call.principal.processor,
      receivedAtMs: call.receivedAtMs,
    },
  ),
});

const clear = processorRoute({
  ...shared,
  operation: 'clear',
  path: '/clearings',
  summary: 'Post one clearing record, or up to 1000 of one file',
  body: clearingsSchema,
  maxBodyBytes: 2 * 1024 * 1024,
  handle: post,
});

const refund = processorRoute({
  ...shared,
  operation: 'refund',
  path: '/refunds',
  summary: 'Post one refund record; the same as /clearings for these record types',
  body: refundSchema,
  handle: post,
});

export const clearings = [clear, refund];
