import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { readBody } from '../validation.ts';
import { PLATFORM_MESSAGES } from '../wire/message.ts';
import { newTraceId, outboundOf } from './exchange.ts';

/** An entry of `GET /simulator/messages`; what it records beside name and body is let through. */
const recorded = z.looseObject({
  message: z.enum(PLATFORM_MESSAGES),
  direction: z.literal('toPlatform').optional(),
  request: z.record(z.string(), z.unknown()),
});
const replayBody = z.strictObject({ messages: z.array(recorded).min(1).max(1_000) });

/** Sends a recording again, message by message, with the same bodies in the order given (spec 6.2). */
export function mountReplays(app: App, simulation: Simulation): void {
  app.post('/simulator/replays', async (c) => {
    const { messages } = await readBody(c.req.raw, replayBody);
    const traceId = newTraceId(simulation);
    const items = [];
    for (const { message, request } of messages) {
      const draw = simulation.draws.next('message');
      const exchange = await simulation.sender.send(outboundOf(traceId, message, request, draw));
      const answered = exchange.outcome === 'answered';
      items.push({
        message,
        request,
        status: answered ? exchange.status : null,
        response: answered ? exchange.body : null,
        latencyMs: exchange.latencyMs,
      });
    }
    return c.json({ traceId, items });
  });
}
