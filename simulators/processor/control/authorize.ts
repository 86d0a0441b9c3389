import type { Draw } from '../draws.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace, TraceKind } from '../store/traces.ts';
import { newTrace } from '../store/traces.ts';
import type { NetworkMessage } from '../wire/message.ts';
import type { Exchange } from '../wire/post.ts';
import { reversalMessage } from '../wire/reversal.ts';
import { readDecision } from './decision.ts';
import type { ControlAnswer } from './exchange.ts';
import { controlAnswer, newTraceId, outboundOf } from './exchange.ts';
import { standIn } from './stand-in.ts';

/**
 * Sends a first message (MTI 0100) and keeps its trace. When the platform gives no decision in time the
 * network decides by itself (spec 3.6), which the answer tells as `standIn`.
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
  const answer = controlAnswer(trace.traceId, original, exchange);
  const decided = settle(simulation, trace, exchange);
  if (decided || kind === 'BALANCE_INQUIRY') return answer;
  return { ...answer, standIn: standIn(simulation, trace, exchange.outcome === 'unknown') };
}

/** Writes what the platform decided into the trace; false when its answer is no decision, or none came. */
function settle(simulation: Simulation, trace: Trace, exchange: Exchange): boolean {
  const decision = readDecision(exchange);
  if (decision === null) {
    simulation.traces.update({ ...trace, outcome: 'NO_ANSWER' });
    return false;
  }
  const approved = decision.approves ? (decision.approvedAmount ?? trace.original.amount) : 0;
  simulation.traces.update({
    ...trace,
    outcome: decision.approves ? 'APPROVED' : 'DECLINED',
    authorizationCode: decision.authorizationCode,
    authorizedMinorUnits: approved,
    heldMinorUnits: trace.kind === 'AUTHORIZATION' ? approved : 0,
  });
  return true;
}

/** Reverses what an earlier run sent and never heard of: it was killed before it could. */
export function reverseUndecided(simulation: Simulation): void {
  for (const trace of simulation.traces.undecided()) {
    simulation.traces.update({ ...trace, outcome: 'NO_ANSWER' });
    const draw = simulation.draws.next('message');
    const body = reversalMessage(trace.original, null, 'TIMEOUT', draw, simulation.now());
    simulation.sender
      .sendUntilAccepted(outboundOf(trace.traceId, 'reversal', body, draw))
      .catch((error: unknown) => simulation.logger.error({ err: error }, 'a reversal failed'));
  }
}
