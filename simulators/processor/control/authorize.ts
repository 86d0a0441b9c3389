import { reversalMessage } from '../wire/reversal.ts';
import type { Exchange } from '../platform.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace, TraceKind } from '../store/traces.ts';
import { newTrace } from '../store/traces.ts';
import type { NetworkMessage } from '../wire/message.ts';
import type { Draw } from '../draws.ts';
import type { ControlAnswer } from './exchange.ts';
import { controlAnswer, newTraceId, outboundOf } from './exchange.ts';

/**
 * Sends a first message (MTI 0100) and keeps its trace. When the platform is silent, the network is told
 * no, and a reversal with TIMEOUT goes out until it is acknowledged (spec 3.6): the hold may stand.
 */
export async function authorize(
  simulation: Simulation,
  kind: Exclude<TraceKind, 'PRESENTMENT'>,
  build: (draw: Draw, now: Date) => NetworkMessage,
): Promise<ControlAnswer> {
  const draw = simulation.draws.next('message');
  const original = build(draw, simulation.now());
  const trace = newTrace(newTraceId(simulation), kind, original);
  simulation.traces.insert(trace);
  const exchange = await simulation.sender.send(outboundOf(trace.traceId, 'authorization', original, draw));
  settle(simulation, trace, exchange);
  if (exchange.outcome === 'unknown' && kind !== 'BALANCE_INQUIRY') reverseUnknown(simulation, trace);
  return controlAnswer(trace.traceId, original, exchange);
}

/** Writes what the platform decided into the trace; an answer that is no decision counts as none. */
function settle(simulation: Simulation, trace: Trace, exchange: Exchange): void {
  const decision =
    exchange.outcome === 'answered' && exchange.status === 200 ? readDecision(exchange.body) : null;
  if (decision === null) return simulation.traces.update({ ...trace, outcome: 'NO_ANSWER' });
  const approved = decision.result === 'APPROVED' || decision.result === 'PARTIALLY_APPROVED';
  const holds = approved && trace.kind === 'AUTHORIZATION';
  simulation.traces.update({
    ...trace,
    outcome: approved ? 'APPROVED' : 'DECLINED',
    authorizationCode: decision.authorizationCode,
    heldMinorUnits: holds ? (decision.approvedAmount ?? trace.original.amount) : 0,
  });
}

function readDecision(body: unknown) {
  const { result, approvedAmount, authorizationCode } = body as Record<string, unknown>;
  if (typeof result !== 'string') return null;
  return {
    result,
    approvedAmount: typeof approvedAmount === 'number' ? approvedAmount : null,
    authorizationCode: typeof authorizationCode === 'string' ? authorizationCode : null,
  };
}

/** Reverses what an earlier run sent and never heard of: it was killed before it could. */
export function reverseUndecided(simulation: Simulation): void {
  for (const trace of simulation.traces.undecided()) {
    simulation.traces.update({ ...trace, outcome: 'NO_ANSWER' });
    reverseUnknown(simulation, trace);
  }
}

function reverseUnknown(simulation: Simulation, trace: Trace): void {
  const draw = simulation.draws.next('message');
  const body = reversalMessage(trace.original, null, 'TIMEOUT', draw, simulation.now());
  simulation.sender
    .sendUntilAccepted(outboundOf(trace.traceId, 'reversal', body, draw))
    .catch((error: unknown) => simulation.logger.error({ err: error }, 'a reversal failed'));
}
