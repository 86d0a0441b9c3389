import type { Simulation } from '../simulation.ts';
import { readStandIn, standsInFor } from '../store/stand-in.ts';
import type { Trace } from '../store/traces.ts';
import type { Outbound } from '../wire/message.ts';
import { adviceMessage } from '../wire/advice.ts';
import { reversalMessage } from '../wire/reversal.ts';
import { outboundOf } from './exchange.ts';

/** What the network answered in the platform's place. */
export interface StandInDecision {
  readonly result: 'APPROVED' | 'DECLINED';
  readonly authorizationCode: string | null;
}

/**
 * Decides a purchase that the platform did not (spec 3.6). A yes is advised, and is then the transaction's
 * approval. A no is advised and reversed with TIMEOUT, but only when the platform may have approved
 * (`mayHaveArrived`): after an error, or a message that was never sent, there is nothing to take back.
 */
export function standIn(simulation: Simulation, trace: Trace, mayHaveArrived: boolean): StandInDecision {
  const { original } = trace;
  const rule = readStandIn(simulation.settings);
  // A credit is nothing that a network grants by itself.
  if (trace.kind === 'AUTHORIZATION' && standsInFor(rule, original.amount)) {
    const authorizationCode = simulation.draws.next('message').alphanumeric('authorizationCode', 6);
    simulation.traces.update({
      ...trace,
      outcome: 'APPROVED',
      authorizationCode,
      authorizedMinorUnits: original.amount,
      heldMinorUnits: original.amount,
    });
    sendLater(simulation, [adviceOf(simulation, trace, 'APPROVED', authorizationCode)]);
    return { result: 'APPROVED', authorizationCode };
  }
  if (mayHaveArrived) {
    sendLater(simulation, [adviceOf(simulation, trace, 'DECLINED', null), timeoutOf(simulation, trace)]);
  }
  return { result: 'DECLINED', authorizationCode: null };
}

function adviceOf(
  simulation: Simulation,
  { traceId, original }: Trace,
  result: StandInDecision['result'],
  authorizationCode: string | null,
): Outbound {
  const draw = simulation.draws.next('message');
  const decision = { reason: 'STAND_IN', result, authorizationCode } as const;
  const body = adviceMessage(original, original.amount, decision, draw, simulation.now());
  return outboundOf(traceId, 'advice', body, draw);
}

/** Takes back what the platform may have approved although nobody heard of it. */
function timeoutOf(simulation: Simulation, { traceId, original }: Trace): Outbound {
  const draw = simulation.draws.next('message');
  return outboundOf(
    traceId,
    'reversal',
    reversalMessage(original, null, 'TIMEOUT', draw, simulation.now()),
    draw,
  );
}

/** Takes an increment back that nobody answered: down to what was held before, whether it arrived or not. */
export function takeBackIncrement(simulation: Simulation, trace: Trace): void {
  const draw = simulation.draws.next('message');
  const part = { remainingAmount: trace.heldMinorUnits };
  const body = reversalMessage(trace.original, part, 'TIMEOUT', draw, simulation.now());
  sendLater(simulation, [outboundOf(trace.traceId, 'reversal', body, draw)]);
}

function sendLater(simulation: Simulation, outbounds: readonly Outbound[]): void {
  simulation.sender
    .sendInOrder(outbounds)
    .catch((error: unknown) => simulation.logger.error({ err: error }, 'a message of the stand-in failed'));
}
