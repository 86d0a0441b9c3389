import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';
import { readBody } from '../validation.ts';
import { cardSelector, selectCard } from './card-selector.ts';
import { controlAnswer, newTraceId, outboundOf } from './exchange.ts';

const eventBody = z.strictObject({
  ...cardSelector,
  eventId: z.string().min(1).max(64).optional(),
  type: z.string().min(1).max(64),
  occurredAt: z.string().min(1).max(40).optional(),
  reference: z.string().min(1).max(64).optional(),
  tokenRef: z.string().min(1).max(64).optional(),
  data: z.record(z.string(), z.unknown()).default({}),
});

type EventBody = z.output<typeof eventBody>;

/** Any event of spec 3.8: id and time are drawn when the call names none, `cardId` becomes our card id. */
export function mountCardEvents(app: App, simulation: Simulation): void {
  app.post('/simulator/card-events', async (c) => {
    const { cardId, processorCardId, ...body } = await readBody(c.req.raw, eventBody);
    const named = cardId !== undefined || processorCardId !== undefined;
    const card = named ? selectCard(simulation.cards, { cardId, processorCardId }) : null;
    const draw = simulation.draws.next('message');
    const now = simulation.now().toISOString();
    const event = {
      ...body,
      eventId: body.eventId ?? draw.unused('eventId', draw.uuid),
      occurredAt: body.occurredAt ?? now,
      ...(card !== null && { processorCardId: card.processorCardId }),
    };
    if (card !== null) applyLock(simulation, card, body, now);
    const traceId = newTraceId(simulation);
    const exchange = await simulation.sender.sendUntilAccepted(outboundOf(traceId, 'event', event, draw));
    return c.json(controlAnswer(traceId, event, exchange));
  });
}

/** A lock set or lifted at the processor itself is also its own state. */
function applyLock(simulation: Simulation, card: ProcessorCard, event: EventBody, at: string): void {
  const { code } = event.data;
  if (typeof code !== 'number') return;
  const others = card.locks.filter((lock) => lock.placedBy !== 'processor' || lock.code !== code);
  if (event.type === 'LOCKED_OUTSIDE') {
    simulation.cards.setLocks(card.processorCardId, [...others, { code, placedBy: 'processor', at }]);
  }
  if (event.type === 'UNLOCKED_OUTSIDE') simulation.cards.setLocks(card.processorCardId, others);
}
