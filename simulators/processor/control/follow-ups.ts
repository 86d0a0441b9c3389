import { z } from 'zod';
import { SimulatorError, stateConflict } from '../errors.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace } from '../store/traces.ts';
import { amountMinorUnits, decimalRate, readBody } from '../validation.ts';
import { linkedRefundRecord, presentmentRecord } from '../wire/clearing.ts';
import type { NetworkMessage } from '../wire/message.ts';
import { convert } from '../wire/rates.ts';
import { REVERSAL_REASONS, reversalMessage } from '../wire/reversal.ts';
import { controlAnswer, outboundOf } from './exchange.ts';

const reverseBody = z.strictObject({
  amount: amountMinorUnits.optional(),
  reason: z.enum(REVERSAL_REASONS).default('CUSTOMER'),
});

const clearBody = z.strictObject({
  amount: amountMinorUnits.optional(),
  final: z.boolean().default(true),
  rate: decimalRate.optional(),
  interchangeAmount: z.number().int().optional(),
  via: z.literal('message').default('message'),
});

const refundBody = z.strictObject({ amount: amountMinorUnits.optional() });

/** What follows an authorization: reversal, clearing, refund (spec 6.2). */
export function mountFollowUps(app: App, simulation: Simulation): void {
  const { draws, sender, traces } = simulation;

  app.post('/simulator/authorizations/:traceId/reverse', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, reverseBody);
    const draw = draws.next('message');
    const message = reversalMessage(trace.original, body.amount ?? null, body.reason, draw, simulation.now());
    const heldMinorUnits = body.amount === undefined ? 0 : Math.max(0, trace.heldMinorUnits - body.amount);
    traces.update({ ...trace, heldMinorUnits });
    const exchange = await sender.sendUntilAccepted(outboundOf(trace.traceId, 'reversal', message, draw));
    return c.json(controlAnswer(trace.traceId, message, exchange));
  });

  app.post('/simulator/authorizations/:traceId/clear', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, clearBody);
    if (trace.finallyCleared) throw stateConflict('The transaction was finally cleared before.');
    const amount = body.amount ?? clearingAmount(trace, body.rate);
    if (amount === 0) throw stateConflict('Nothing is held any more: give an amount.');
    const draw = draws.next('message');
    const presentment = {
      amountMinorUnits: amount,
      final: body.final,
      rate: body.rate ?? null,
      interchangeMinorUnits: body.interchangeAmount ?? null,
    };
    const record = presentmentRecord(trace, presentment, draw, simulation.now());
    traces.update({
      ...trace,
      heldMinorUnits: body.final ? 0 : Math.max(0, trace.heldMinorUnits - amount),
      clearedMinorUnits: trace.clearedMinorUnits + amount,
      clearings: trace.clearings + 1,
      finallyCleared: body.final,
    });
    const exchange = await sender.sendUntilAccepted(outboundOf(trace.traceId, 'clearing', record, draw));
    return c.json(controlAnswer(trace.traceId, record, exchange));
  });

  app.post('/simulator/authorizations/:traceId/refund', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, refundBody);
    const amount = body.amount ?? (trace.clearedMinorUnits || trace.original.amount);
    const draw = draws.next('message');
    const record = linkedRefundRecord(trace, amount, draw, simulation.now());
    const exchange = await sender.sendUntilAccepted(outboundOf(trace.traceId, 'refund', record, draw));
    return c.json(controlAnswer(trace.traceId, record, exchange));
  });
}

/** The trace by its id. Error: 404 `TRACE_NOT_FOUND`. */
export function findTrace(simulation: Simulation, traceId: string): Trace {
  const trace = simulation.traces.find(traceId);
  if (trace === null) throw new SimulatorError(404, 'TRACE_NOT_FOUND', 'There is no such trace.');
  return trace;
}

/** A trace that moves money. Errors: 404, 409 for inquiries. */
function movingTrace(simulation: Simulation, traceId: string): Trace {
  const trace = findTrace(simulation, traceId);
  if (trace.kind === 'BALANCE_INQUIRY') throw stateConflict('An inquiry moves no money.');
  return trace;
}

/** The open hold; with another rate the terminal's amount converted by it. */
function clearingAmount(trace: Trace, rate: string | undefined): number {
  const { originalAmount, originalCurrency, currency }: NetworkMessage = trace.original;
  if (rate === undefined || originalAmount === undefined || originalCurrency === undefined) {
    return trace.heldMinorUnits;
  }
  return convert(originalAmount, originalCurrency, currency, rate);
}
