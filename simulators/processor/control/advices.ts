import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace } from '../store/traces.ts';
import { newTrace } from '../store/traces.ts';
import { amountMinorUnits, readBody } from '../validation.ts';
import type { AdviceReason, AdviceResult } from '../wire/advice.ts';
import { ADVICE_REASONS, adviceMessage, advised } from '../wire/advice.ts';
import { authorizationMessage } from '../wire/authorization.ts';
import { selectCard } from './card-selector.ts';
import { controlAnswer, newTraceId, outboundOf } from './exchange.ts';
import { movingTrace } from './find-trace.ts';
import { purchaseMembers, purchaseOf } from './purchase.ts';

const result = z.enum(['APPROVED', 'DECLINED']).default('APPROVED');

const adviceBody = z.strictObject({
  amount: amountMinorUnits.optional(),
  reason: z.enum(ADVICE_REASONS),
  result,
});

const offlineBody = z.strictObject({
  ...purchaseMembers,
  reason: z.enum(ADVICE_REASONS).default('OFFLINE'),
  result,
});

/** What the network decided without the platform (MTI 0120, spec 6.2). */
export function mountAdvices(app: App, simulation: Simulation): void {
  const { draws, sender, traces } = simulation;

  app.post('/simulator/authorizations/:traceId/advice', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, adviceBody);
    const draw = draws.next('message');
    const amount = body.amount ?? trace.original.amount;
    const authorizationCode = codeOf(trace, body.result, draw.alphanumeric('authorizationCode', 6));
    const decision = { reason: body.reason, result: body.result, authorizationCode };
    const message = adviceMessage(trace.original, amount, decision, draw, simulation.now());
    traces.update(afterAdvice({ ...trace, authorizationCode }, body, amount));
    const exchange = await sender.sendUntilAccepted(outboundOf(trace.traceId, 'advice', message, draw));
    return c.json(controlAnswer(trace.traceId, message, exchange));
  });

  // Not in 6.2: a purchase that nobody asked about before, as in a bus without a connection.
  app.post('/simulator/advices', async (c) => {
    const body = await readBody(c.req.raw, offlineBody);
    const card = selectCard(simulation.cards, body);
    const purchase = await purchaseOf(simulation, body, card);
    const draw = draws.next('message');
    const code = body.result === 'APPROVED' ? draw.alphanumeric('authorizationCode', 6) : null;
    const message = {
      ...authorizationMessage(card, purchase, draw, simulation.now()),
      ...(code !== null && { authorizationCode: code }),
      ...advised(body),
    };
    const kind = body.type === 'adjustment' ? 'CREDIT_AUTHORIZATION' : 'AUTHORIZATION';
    const trace = { ...newTrace(newTraceId(simulation), kind, message), authorizationCode: code };
    traces.insert(afterAdvice(trace, body, message.amount));
    const exchange = await sender.sendUntilAccepted(outboundOf(trace.traceId, 'advice', message, draw));
    return c.json(controlAnswer(trace.traceId, message, exchange));
  });
}

/** The code of an approval: the one the transaction has, else a new one of the network. */
const codeOf = (trace: Trace, decided: AdviceResult, drawn: string): string | null =>
  decided === 'APPROVED' ? (trace.authorizationCode ?? drawn) : trace.authorizationCode;

/** The transaction as the network sees it after it decided by itself; it never asks the platform about it. */
function afterAdvice(
  trace: Trace,
  { reason, result: decided }: { readonly reason: AdviceReason; readonly result: AdviceResult },
  amount: number,
): Trace {
  if (decided === 'DECLINED') return { ...trace, outcome: 'DECLINED', heldMinorUnits: 0 };
  // Another amount of an approved purchase counts only as its completion.
  if (trace.outcome === 'APPROVED' && reason !== 'COMPLETION') return trace;
  const held = Math.max(0, amount - trace.clearedMinorUnits);
  return {
    ...trace,
    outcome: 'APPROVED',
    authorizedMinorUnits: amount,
    heldMinorUnits: trace.kind === 'AUTHORIZATION' ? held : 0,
  };
}
