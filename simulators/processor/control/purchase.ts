import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';
import { amountMinorUnits, categoryCode, countryCode, currencyCode } from '../validation.ts';
import type { Purchase } from '../wire/authorization.ts';
import { bill } from './billing.ts';
import { cardSelector } from './card-selector.ts';
import { cvc2PayloadOf, pinBlockOf } from './secrets.ts';

export const pin = z.string().regex(/^[0-9]{4,12}$/, 'must be 4 to 12 digits');

/** What a purchase and an advice have in common. `adjustmentReason` is ours: 6.2 has no word for it. */
export const purchaseMembers = {
  ...cardSelector,
  amount: amountMinorUnits,
  currency: currencyCode,
  type: z.enum(['pos', 'atm', 'cashback_at_pos', 'aft', 'adjustment']).default('pos'),
  adjustmentReason: z.enum(['REFUND', 'MONEY_SEND']).optional(),
  mcc: categoryCode.optional(),
  merchant: z.string().min(1).max(255).default('SIMULATOR SHOP'),
  captureMode: z.enum(['manual', 'magstripe', 'emv', 'nfc', 'ecommerce']).optional(),
  acquirerCountry: countryCode.default('POL'),
  expiry: z
    .string()
    .regex(/^[0-9]{4}-[0-9]{2}$/, 'must be YYYY-MM')
    .optional(),
  cashbackAmount: amountMinorUnits.optional(),
  preAuthorization: z.boolean().default(false),
};

/** Body of `POST /simulator/authorizations`. */
export const authorizationBody = z.strictObject({
  ...purchaseMembers,
  pin: pin.optional(),
  cvc2: z
    .string()
    .regex(/^[0-9]{3}$/, 'must be 3 digits')
    .optional(),
  partialApproval: z.boolean().default(false),
  threeDs: z.enum(['MATCH', 'NO_MATCH', 'NOT_CHECKED', 'NOT_PRESENT']).optional(),
});

type AuthorizationBody = z.output<typeof authorizationBody>;
type PurchaseBody = Omit<AuthorizationBody, 'pin' | 'cvc2' | 'partialApproval' | 'threeDs'> &
  Partial<Pick<AuthorizationBody, 'pin' | 'cvc2' | 'partialApproval' | 'threeDs'>>;

/** The purchase that a control call describes. Errors: 400 for cashback without its type, or without a rate. */
export async function purchaseOf(
  simulation: Simulation,
  body: PurchaseBody,
  card: ProcessorCard,
): Promise<Purchase> {
  if ((body.cashbackAmount === undefined) === (body.type === 'cashback_at_pos')) {
    throw invalid([{ field: 'cashbackAmount', message: 'belongs to type cashback_at_pos, and only to it' }]);
  }
  if (body.adjustmentReason !== undefined && body.type !== 'adjustment') {
    throw invalid([{ field: 'adjustmentReason', message: 'belongs to type adjustment' }]);
  }
  const { original, ...billing } = bill(simulation, body, card.currency);
  return {
    type: body.type,
    merchant: body.merchant,
    acquirerCountry: body.acquirerCountry,
    preAuthorization: body.preAuthorization,
    ...whereItHappens(body),
    billing,
    original,
    adjustmentReason: body.type === 'adjustment' ? (body.adjustmentReason ?? 'MONEY_SEND') : null,
    expiry: body.expiry ?? card.expiry,
    pinBlock: pinBlockOf(simulation, card, body.pin),
    payload: await cvc2PayloadOf(simulation, body.cvc2),
    partialApproval: body.partialApproval ?? false,
    threeDs: body.threeDs ?? null,
    cashbackMinorUnits: body.cashbackAmount ?? null,
    pinVerdict: null,
  };
}

/** Category and capture mode that fit the type when the call names none. */
function whereItHappens(body: Pick<PurchaseBody, 'type' | 'mcc' | 'captureMode'>) {
  const machine = body.type === 'atm';
  const present = machine || body.type === 'cashback_at_pos';
  return {
    mcc: body.mcc ?? (machine ? '6011' : '5999'),
    captureMode: body.captureMode ?? (present ? ('emv' as const) : ('ecommerce' as const)),
  };
}
