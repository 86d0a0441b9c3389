import { z } from 'zod';
import { stateConflict } from '../errors.ts';
import type { App } from '../http.ts';
import type { Exchange } from '../wire/post.ts';
import type { Simulation } from '../simulation.ts';
import { readBody } from '../validation.ts';
import type { PlatformMessage } from '../wire/message.ts';
import { instant, PLATFORM_MESSAGES } from '../wire/message.ts';
import { controlAnswer, outboundOf } from './exchange.ts';
import { findTrace } from './find-trace.ts';

/** `message` is ours: which of the trace's messages, when it is not the last one. */
const repeatBody = z.strictObject({
  times: z.number().int().min(1).max(100).default(1),
  message: z.enum(PLATFORM_MESSAGES).optional(),
});

/**
 * Repeats the last message of a trace with the same key (spec 3.5). An authorization or advice is marked as
 * repeat (MTI + 1) with a new id and transmission time; records and events go out byte for byte.
 */
export function mountRepeats(app: App, simulation: Simulation): void {
  app.post('/simulator/authorizations/:traceId/repeat', async (c) => {
    const trace = findTrace(simulation, c.req.param('traceId'));
    const { times, message } = await readBody(c.req.raw, repeatBody);
    const last = simulation.messages.lastToPlatform(trace.traceId, message ?? null);
    if (last === null) throw stateConflict('No message of this trace was sent yet.');
    let sent = last.request as Record<string, unknown>;
    let exchange: Exchange | null = null;
    for (let count = 0; count < times; count += 1) {
      const draw = simulation.draws.next('message');
      sent = { ...sent, ...repeated(last.message, `m-${draw.hex('messageId', 16)}`, simulation.now()) };
      exchange = await simulation.sender.send(
        outboundOf(trace.traceId, last.message as PlatformMessage, sent, draw),
      );
    }
    return c.json(controlAnswer(trace.traceId, sent, exchange ?? { outcome: 'notSent', latencyMs: 0 }));
  });
}

/** The members that may change in a repeat. */
function repeated(message: string, messageId: string, now: Date): Record<string, unknown> {
  if (message === 'authorization' || message === 'incremental' || message === 'advice') {
    return { messageId, transmissionAt: instant(now), repeat: true };
  }
  return message === 'reversal' ? { messageId, transmissionAt: instant(now) } : {};
}
