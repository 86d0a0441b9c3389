import type { Exchange } from '../wire/post.ts';
import type { Simulation } from '../simulation.ts';
import type { NetworkMessage, Outbound, PlatformMessage } from '../wire/message.ts';
import { PATHS } from '../wire/paths.ts';
import type { Draw } from '../draws.ts';

/** Answer of the control calls that send a message; `response` null: the platform gave no usable answer. */
export interface ControlAnswer {
  readonly traceId: string;
  readonly externalTransactionId: string | null;
  readonly request: unknown;
  readonly response: unknown;
  readonly latencyMs: number;
  /** What the network answered in the platform's place; absent when the platform decided. */
  readonly standIn?: { readonly result: string; readonly authorizationCode: string | null };
}

/** Puts a body on its way as the named message of a trace. */
export function outboundOf(
  traceId: string,
  message: PlatformMessage,
  body: Readonly<Record<string, unknown>>,
  draw: Draw,
): Outbound {
  return { traceId, message, path: PATHS[message], idempotencyKey: draw.uuid('idempotencyKey'), body };
}

/** The answer of a control call after its message was exchanged. */
export function controlAnswer(
  traceId: string,
  request: Readonly<Record<string, unknown>>,
  exchange: Exchange,
): ControlAnswer {
  const { externalTransactionId } = request as Partial<NetworkMessage>;
  return {
    traceId,
    externalTransactionId: externalTransactionId ?? null,
    request,
    response: exchange.outcome === 'answered' ? exchange.body : null,
    latencyMs: exchange.latencyMs,
  };
}

/** A trace id that no kept trace has. */
export function newTraceId(simulation: Simulation): string {
  for (;;) {
    const traceId = simulation.draws.next('trace').hex('traceId', 24);
    if (simulation.traces.find(traceId) === null) return traceId;
  }
}
