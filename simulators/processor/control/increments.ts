import { z } from 'zod';
import { stateConflict } from '../errors.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { amountMinorUnits, readBody } from '../validation.ts';
import { incrementMessage } from '../wire/increment.ts';
import { readDecision } from './decision.ts';
import { controlAnswer, outboundOf } from './exchange.ts';
import { findTrace } from './find-trace.ts';
import { takeBackIncrement } from './stand-in.ts';

/** `cumulativeAmount` is ours: another total than the one that is right, to see it refused. */
const incrementBody = z.strictObject({
  amount: amountMinorUnits,
  cumulativeAmount: amountMinorUnits.optional(),
});

/** Incremental authorizations (spec 6.2): `amount` on top of what was authorized before. */
export function mountIncrements(app: App, simulation: Simulation): void {
  app.post('/simulator/authorizations/:traceId/increment', async (c) => {
    const trace = findTrace(simulation, c.req.param('traceId'));
    const body = await readBody(c.req.raw, incrementBody);
    if (trace.kind !== 'AUTHORIZATION') throw stateConflict('Only an authorization can be increased.');
    const draw = simulation.draws.next('message');
    const money = {
      incrementMinorUnits: body.amount,
      totalMinorUnits: body.cumulativeAmount ?? trace.authorizedMinorUnits + body.amount,
    };
    const message = incrementMessage(trace.original, money, draw, simulation.now());
    const exchange = await simulation.sender.send(outboundOf(trace.traceId, 'incremental', message, draw));
    const decision = readDecision(exchange);
    // Read again: a part may have been reversed while the platform decided.
    const now = findTrace(simulation, trace.traceId);
    if (decision?.approves) {
      simulation.traces.update({
        ...now,
        authorizedMinorUnits: now.authorizedMinorUnits + body.amount,
        heldMinorUnits: now.heldMinorUnits + body.amount,
      });
    }
    if (decision === null && exchange.outcome === 'unknown') takeBackIncrement(simulation, now);
    return c.json(controlAnswer(trace.traceId, message, exchange));
  });
}
