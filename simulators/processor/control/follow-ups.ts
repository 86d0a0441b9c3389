import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace } from '../store/traces.ts';
import { amountMinorUnits, readBody } from '../validation.ts';
import type { LinkedRecordType } from '../wire/clearing.ts';
import { linkedRecord } from '../wire/clearing.ts';
import { REVERSAL_REASONS, reversalMessage } from '../wire/reversal.ts';
import type { ControlAnswer } from './exchange.ts';
import { controlAnswer, outboundOf } from './exchange.ts';
import { movingTrace } from './find-trace.ts';

const reverseBody = z.strictObject({
  amount: amountMinorUnits.optional(),
  reason: z.enum(REVERSAL_REASONS).default('CUSTOMER'),
});

const refundBody = z.strictObject({ amount: amountMinorUnits.optional() });

/** `recordType` is ours: what may follow a refund or a chargeback comes the same way. */
const chargebackBody = z.strictObject({
  amount: amountMinorUnits.optional(),
  recordType: z.enum(['CHARGEBACK', 'SECOND_PRESENTMENT', 'REFUND_REVERSAL']).default('CHARGEBACK'),
});

/** What follows an authorization but its clearing: reversal, refund, chargeback (spec 6.2). */
export function mountFollowUps(app: App, simulation: Simulation): void {
  const { draws, sender, traces } = simulation;

  app.post('/simulator/authorizations/:traceId/reverse', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, reverseBody);
    const draw = draws.next('message');
    const part = body.amount === undefined ? null : { amount: body.amount };
    const message = reversalMessage(trace.original, part, body.reason, draw, simulation.now());
    const heldMinorUnits = body.amount === undefined ? 0 : Math.max(0, trace.heldMinorUnits - body.amount);
    traces.update({ ...trace, heldMinorUnits });
    const exchange = await sender.sendUntilAccepted(outboundOf(trace.traceId, 'reversal', message, draw));
    return c.json(controlAnswer(trace.traceId, message, exchange));
  });

  app.post('/simulator/authorizations/:traceId/refund', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, refundBody);
    return c.json(await sendLinked(simulation, trace, 'REFUND', body.amount));
  });

  app.post('/simulator/authorizations/:traceId/chargeback', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, chargebackBody);
    return c.json(await sendLinked(simulation, trace, body.recordType, body.amount));
  });
}

/** Sends a record about the purchase of a trace; without an amount about all that was presented of it. */
async function sendLinked(
  simulation: Simulation,
  trace: Trace,
  recordType: LinkedRecordType,
  amount: number | undefined,
): Promise<ControlAnswer> {
  const draw = simulation.draws.next('message');
  const minorUnits = amount ?? (trace.clearedMinorUnits || trace.original.amount);
  const record = linkedRecord(trace, recordType, minorUnits, draw, simulation.now());
  const message = recordType.startsWith('REFUND') ? 'refund' : 'clearing';
  const exchange = await simulation.sender.sendUntilAccepted(
    outboundOf(trace.traceId, message, record, draw),
  );
  return controlAnswer(trace.traceId, record, exchange);
}
