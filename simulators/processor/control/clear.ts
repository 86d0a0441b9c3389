import { z } from 'zod';
import type { Draw } from '../draws.ts';
import { stateConflict } from '../errors.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace } from '../store/traces.ts';
import { openMinorUnits } from '../store/traces.ts';
import { amountMinorUnits, decimalRate, readBody } from '../validation.ts';
import type { Presentment } from '../wire/clearing.ts';
import { presentmentRecord } from '../wire/clearing.ts';
import type { NetworkMessage } from '../wire/message.ts';
import { convert } from '../wire/rates.ts';
import type { ControlAnswer } from './exchange.ts';
import { controlAnswer, outboundOf } from './exchange.ts';
import { movingTrace } from './find-trace.ts';

const clearBody = z.strictObject({
  amount: amountMinorUnits.optional(),
  final: z.boolean().default(true),
  rate: decimalRate.optional(),
  interchangeAmount: z.number().int().optional(),
  via: z.enum(['message', 'file']).default('message'),
});

/** Presents what was authorized: full, part, more, several times, late (spec 6.2). */
export function mountClear(app: App, simulation: Simulation): void {
  app.post('/simulator/authorizations/:traceId/clear', async (c) => {
    const trace = movingTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, clearBody);
    if (trace.finallyCleared) throw stateConflict('The transaction was finally cleared before.');
    const amount = body.amount ?? clearingAmount(trace, body.rate);
    if (amount === 0) throw stateConflict('Nothing is held any more: give an amount.');
    const presentment = {
      amountMinorUnits: amount,
      final: body.final,
      rate: body.rate ?? null,
      interchangeMinorUnits: body.interchangeAmount ?? null,
    };
    if (body.via === 'message') return c.json(await sendPresentment(simulation, trace, presentment));
    const record = present(simulation, trace, presentment, simulation.draws.next('message'));
    simulation.waitingRecords.add(record);
    return c.json(controlAnswer(trace.traceId, record, { outcome: 'notSent', latencyMs: 0 }));
  });
}

/** Presents by a message of its own, repeated until it is accepted. */
export async function sendPresentment(
  simulation: Simulation,
  trace: Trace,
  presentment: Presentment,
): Promise<ControlAnswer> {
  const draw = simulation.draws.next('message');
  const record = present(simulation, trace, presentment, draw);
  const message = record['recordType'] === 'REFUND' ? 'refund' : 'clearing';
  const exchange = await simulation.sender.sendUntilAccepted(
    outboundOf(trace.traceId, message, record, draw),
  );
  return controlAnswer(trace.traceId, record, exchange);
}

/** The clearing record, with the trace moved on as if it had been sent. */
export function present(
  simulation: Simulation,
  trace: Trace,
  presentment: Presentment,
  draw: Draw,
): NetworkMessage {
  const record = presentmentRecord(trace, presentment, draw, simulation.now());
  const { amountMinorUnits: amount, final } = presentment;
  simulation.traces.update({
    ...trace,
    heldMinorUnits: final ? 0 : Math.max(0, trace.heldMinorUnits - amount),
    clearedMinorUnits: trace.clearedMinorUnits + amount,
    clearings: trace.clearings + 1,
    finallyCleared: final,
  });
  return record;
}

/** The final clearing of all that is open. */
export const wholePresentment = (trace: Trace): Presentment => ({
  amountMinorUnits: openMinorUnits(trace),
  final: true,
  rate: null,
  interchangeMinorUnits: null,
});

/** The open hold; with another rate the terminal's amount converted by it. */
function clearingAmount(trace: Trace, rate: string | undefined): number {
  const { originalAmount, originalCurrency, currency }: NetworkMessage = trace.original;
  if (rate === undefined || originalAmount === undefined || originalCurrency === undefined) {
    return openMinorUnits(trace);
  }
  return convert(originalAmount, originalCurrency, currency, rate);
}
