import { processorRoute } from '../partner-principal.ts';
import { authorizationAnswer, authorizationSchema, reversalSchema } from './schemas.ts';

const shared = {
  role: { scopes: ['processor'] },
  owner: 'card-of-message',
  jwe: 'open',
  // Repeats are known by the network's own key fields (processor 3.5), not by a header.
  idempotency: 'ignored',
  method: 'POST',
} as const;

const authorize = processorRoute({
  ...shared,
  operation: 'authorize',
  path: '/authorizations',
  summary: 'Decide an authorization; declined ones are answered 200 too',
  body: authorizationSchema,
  answers: { 200: { description: 'the decision', schema: authorizationAnswer } },
  refusals: ['OVERLOADED', 'SERVICE_UNAVAILABLE'],
  handle: async (call) => {
    const { answer, replayed } = await call.services.authorizer.authorize(call.body, {
      requestId: call.requestId,
      processor: call.principal.processor,
      receivedAtMs: call.receivedAtMs,
    });
    return { status: 200, text: answer, replayed };
  },
});

const reverse = processorRoute({
  ...shared,
  operation: 'reverse',
  path: '/reversals',
  summary: 'Undo an authorization, fully or in part; never refused',
  body: reversalSchema,
  answers: { 200: { description: 'acknowledged', schema: authorizationAnswer } },
  refusals: ['OVERLOADED', 'SERVICE_UNAVAILABLE'],
  handle: async (call) => {
    const { answer, replayed } = await call.services.authorizer.reverse(call.body, {
      requestId: call.requestId,
      processor: call.principal.processor,
      receivedAtMs: call.receivedAtMs,
    });
    return { status: 200, text: answer, replayed };
  },
});

export const authorizations = [authorize, reverse];
