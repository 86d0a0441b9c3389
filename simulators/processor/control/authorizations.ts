import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { readBody } from '../validation.ts';
import { authorizationMessage, balanceInquiryMessage } from '../wire/authorization.ts';
import { authorize } from './authorize.ts';
import { cardSelector, selectCard } from './card-selector.ts';
import { authorizationBody, pin, purchaseOf } from './purchase.ts';
import { pinBlockOf } from './secrets.ts';

const inquiryBody = z.strictObject({
  ...cardSelector,
  pin: pin.optional(),
  statusOnly: z.boolean().default(false),
});

/** Purchases, cash withdrawals, incoming payments and inquiries (spec 6.2). */
export function mountAuthorizations(app: App, simulation: Simulation): void {
  app.post('/simulator/authorizations', async (c) => {
    const body = await readBody(c.req.raw, authorizationBody);
    const card = selectCard(simulation.cards, body);
    const purchase = await purchaseOf(simulation, body, card);
    const kind = body.type === 'adjustment' ? 'CREDIT_AUTHORIZATION' : 'AUTHORIZATION';
    return c.json(
      await authorize(simulation, kind, (draw, now) => authorizationMessage(card, purchase, draw, now)),
    );
  });

  app.post('/simulator/balance-inquiries', async (c) => {
    const body = await readBody(c.req.raw, inquiryBody);
    const card = selectCard(simulation.cards, body);
    const inquiry = { pinBlock: pinBlockOf(simulation, card, body.pin), statusOnly: body.statusOnly };
    return c.json(
      await authorize(simulation, 'BALANCE_INQUIRY', (draw, now) =>
        balanceInquiryMessage(card, inquiry, draw, now),
      ),
    );
  });
}
