import type { z } from 'zod';
import { type ProcessorPrincipal, processorRoute } from '../partner-principal.ts';
import type { Answer, Call } from '../route.ts';
import { authorizationAnswer, authorizationSchema, reversalSchema } from './schemas.ts';

const shared = {
  role: { scopes: ['processor'] },
  owner: 'card-of-message',
  jwe: 'open',
  // Repeats are known by the network's own key fields (processor 3.5), not by a header.
  idempotency: 'ignored',
  method: 'POST',
} as const;

const decision = {
  ...shared,
  body: authorizationSchema,
  answers: { 200: { description: 'the decision', schema: authorizationAnswer } },
  refusals: ['OVERLOADED', 'SERVICE_UNAVAILABLE'],
  handle: async (
    call: Call<ProcessorPrincipal, unknown, unknown, z.output<typeof authorizationSchema>>,
  ): Promise<Answer> => {
    const { answer, replayed } = await call.services.authorizer.authorize(call.body, {
      requestId: call.requestId,
      processor: call.principal.processor,
      receivedAtMs: call.receivedAtMs,
    });
    return { status: 200, text: answer, replayed };
  },
} as const;

const authorize = processorRoute({
  ...decision,
  operation: 'authorize',
  path: '/authorizations',
  summary: 'Decide an authorization; declined ones are answered 200 too',
});

const increment = processorRoute({
  ...decision,
  operation: 'authorizeIncremental',
  path: '/authorizations/incremental',
  summary: 'The same as /authorizations, for processors that send increments apart',
});

const advise = processorRoute({
  ...decision,
  operation: 'advise',
  path: '/advices',
  summary: 'The same as /authorizations, for processors that send advices apart; never refused',
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

export const authorizations = [authorize, increment, advise, reverse];
