import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';
import { readBody } from '../validation.ts';
import { authorizationMessage } from '../wire/authorization.ts';
import { authorize } from './authorize.ts';
import { cardSelector, selectCard } from './card-selector.ts';
import type { ControlAnswer } from './exchange.ts';
import { controlAnswer, newTraceId, outboundOf } from './exchange.ts';
import { purchaseOf } from './purchase.ts';

const triesBody = z.strictObject({
  ...cardSelector,
  count: z.number().int().min(1).max(20),
  offline: z.boolean().default(false),
});

const WITHDRAWAL_MINOR_UNITS = 2_000;

/**
 * Wrong PINs (spec 6.2): withdrawals whose PIN the network found wrong; `offline`: the chip counted them by
 * itself, and the event for code 11 tells. The answer is the last one's, with all decisions in `tries`.
 */
export function mountPinTries(app: App, simulation: Simulation): void {
  app.post('/simulator/pin-tries', async (c) => {
    const body = await readBody(c.req.raw, triesBody);
    const card = selectCard(simulation.cards, body);
    if (body.offline) return c.json(await tellOfflineTries(simulation, card));
    const answers: ControlAnswer[] = [];
    for (let tried = 0; tried < body.count; tried += 1) answers.push(await tryWrongPin(simulation, card));
    return c.json({ ...answers.at(-1), tries: answers.map((answer) => answer.response) });
  });
}

async function tryWrongPin(simulation: Simulation, card: ProcessorCard): Promise<ControlAnswer> {
  const withdrawal = await purchaseOf(
    simulation,
    {
      type: 'atm',
      amount: WITHDRAWAL_MINOR_UNITS,
      currency: card.currency,
      merchant: 'SIMULATOR ATM',
      acquirerCountry: 'POL',
      preAuthorization: false,
    },
    card,
  );
  const purchase = { ...withdrawal, pinVerdict: 'NO_MATCH' as const };
  return authorize(simulation, 'AUTHORIZATION', (draw, now) =>
    authorizationMessage(card, purchase, draw, now),
  );
}

async function tellOfflineTries(simulation: Simulation, card: ProcessorCard): Promise<ControlAnswer> {
  const draw = simulation.draws.next('message');
  const event = {
    eventId: draw.unused('eventId', draw.uuid),
    type: 'PIN_TRIES_EXCEEDED',
    occurredAt: simulation.now().toISOString(),
    processorCardId: card.processorCardId,
    data: { offline: true },
  };
  const traceId = newTraceId(simulation);
  const exchange = await simulation.sender.sendUntilAccepted(outboundOf(traceId, 'event', event, draw));
  return controlAnswer(traceId, event, exchange);
}
