import { cvc2Of } from '../cvc2.ts';
import { SimulatorError } from '../errors.ts';
import { luhnCheckDigit } from '../pan.ts';
import type { Product } from '../products.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';
import { alreadyDone } from './answer-once.ts';
import type { GenerateBody } from './bodies.ts';

const PAN_TRIES = 50;

/**
 * Makes a card with a unique number of its product's range (spec 2 `generateVirtualCard`). Errors: 409
 * `ALREADY_DONE` for a known reference, 422 `PRODUCT_UNKNOWN`, `RANGE_EXHAUSTED`, 503 without the platform's key.
 */
export async function generateCard(simulation: Simulation, body: GenerateBody) {
  const product = simulation.findProduct(body.productId);
  if (product === null || (product.currency !== null && product.currency !== body.currency)) {
    throw new SimulatorError(422, 'PRODUCT_UNKNOWN', 'There is no such product in this currency.');
  }
  if (simulation.cards.byReference(body.reference) !== null) throw alreadyDone();
  const now = simulation.now();
  const card: ProcessorCard = {
    ...drawNumbers(simulation, product),
    reference: body.reference,
    externalCardId: String(body.externalCardId),
    productId: body.productId,
    currency: body.currency,
    holderName: body.cardholder.name,
    expiry: monthsLater(now, body.expiryMonths),
    cvcVersion: 0,
    locks: [],
    createdAt: now.toISOString(),
  };
  const told = await describeCard(simulation, card);
  // The key may have taken a while: another call may have made the card of this reference meanwhile.
  if (simulation.cards.byReference(body.reference) !== null) throw alreadyDone();
  simulation.cards.insert(card);
  return told;
}

/** The card as the platform is told about it; number, expiry and CVC2 only inside `payload`. */
export async function describeCard(simulation: Simulation, card: ProcessorCard) {
  const cvc2 = cvc2Of(simulation.keys.cvk, card);
  return {
    processorCardId: card.processorCardId,
    lastFourDigits: card.pan.slice(-4),
    expiry: card.expiry,
    payload: await simulation.platform.encrypt({ pan: card.pan, expiry: card.expiry, cvc2 }),
  };
}

/** A card number and a card id that were never used before. Error: 422 `RANGE_EXHAUSTED`. */
function drawNumbers(
  { draws, cards }: Simulation,
  product: Product,
): { pan: string; processorCardId: string } {
  for (let tries = 0; tries < PAN_TRIES; tries += 1) {
    const draw = draws.next('card');
    const digits = String(draw.between('pan', product.from / 10n, product.to / 10n));
    const pan = digits + luhnCheckDigit(digits);
    const processorCardId = `pc_${draw.hex('processorCardId', 16)}`;
    if (cards.reserveNumber(pan) && cards.reserveNumber(processorCardId)) return { pan, processorCardId };
  }
  throw new SimulatorError(422, 'RANGE_EXHAUSTED', 'No card number of this product is free.');
}

function monthsLater(now: Date, months: number): string {
  const end = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1));
  return end.toISOString().slice(0, 7);
}
