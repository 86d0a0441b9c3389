import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { amountMinorUnits, categoryCode, countryCode, currencyCode, readBody } from '../validation.ts';
import { authorizationMessage, balanceInquiryMessage } from '../wire/authorization.ts';
import { authorize } from './authorize.ts';
import { bill } from './billing.ts';
import { cardSelector, selectCard } from './card-selector.ts';
import { cvc2PayloadOf, pinBlockOf } from './secrets.ts';

const pin = z.string().regex(/^[0-9]{4,12}$/, 'must be 4 to 12 digits');

const authorizationBody = z.strictObject({
  ...cardSelector,
  amount: amountMinorUnits,
  currency: currencyCode,
  type: z.enum(['pos', 'atm', 'cashback_at_pos', 'aft', 'adjustment']).default('pos'),
  mcc: categoryCode.optional(),
  merchant: z.string().min(1).max(255).default('SIMULATOR SHOP'),
  captureMode: z.enum(['manual', 'magstripe', 'emv', 'nfc', 'ecommerce']).optional(),
  acquirerCountry: countryCode.default('POL'),
  pin: pin.optional(),
  cvc2: z
    .string()
    .regex(/^[0-9]{3}$/, 'must be 3 digits')
    .optional(),
  expiry: z
    .string()
    .regex(/^[0-9]{4}-[0-9]{2}$/, 'must be YYYY-MM')
    .optional(),
  cashbackAmount: amountMinorUnits.optional(),
  preAuthorization: z.boolean().default(false),
  partialApproval: z.boolean().default(false),
  threeDs: z.enum(['MATCH', 'NO_MATCH', 'NOT_CHECKED', 'NOT_PRESENT']).optional(),
});

const inquiryBody = z.strictObject({
  ...cardSelector,
  pin: pin.optional(),
  statusOnly: z.boolean().default(false),
});

type AuthorizationBody = z.output<typeof authorizationBody>;

/** Purchases, cash withdrawals and inquiries (spec 6.2). */
export function mountAuthorizations(app: App, simulation: Simulation): void {
  app.post('/simulator/authorizations', async (c) => {
    const body = await readBody(c.req.raw, authorizationBody);
    const card = selectCard(simulation.cards, body);
    if ((body.cashbackAmount === undefined) === (body.type === 'cashback_at_pos')) {
      throw invalid([
        { field: 'cashbackAmount', message: 'belongs to type cashback_at_pos, and only to it' },
      ]);
    }
    const { original, ...billing } = bill(simulation, body, card.currency);
    const purchase = {
      ...body,
      ...whereItHappens(body),
      billing,
      original,
      adjustmentReason: body.type === 'adjustment' ? ('MONEY_SEND' as const) : null,
      expiry: body.expiry ?? card.expiry,
      pinBlock: pinBlockOf(simulation, card, body.pin),
      payload: await cvc2PayloadOf(simulation, body.cvc2),
      threeDs: body.threeDs ?? null,
      cashbackMinorUnits: body.cashbackAmount ?? null,
    };
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

/** Category and capture mode that fit the type when the call names none. */
function whereItHappens(body: AuthorizationBody) {
  const machine = body.type === 'atm';
  const present = machine || body.type === 'cashback_at_pos';
  return {
    mcc: body.mcc ?? (machine ? '6011' : '5999'),
    captureMode: body.captureMode ?? (present ? ('emv' as const) : ('ecommerce' as const)),
  };
}
