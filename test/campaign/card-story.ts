import { randomInt } from 'node:crypto';
import type { NetworkAnswer } from '../../domain/decision.ts';
import type { AuthorizationMessage } from '../../activities/authorization/messages.ts';
import { aPurchase, aRecord, aReversal } from '../support/card-traffic.ts';
import { clearedBy, increased, type PurchaseModel, purchased, reversedBy } from './ledger-model.ts';
import { type ProcessorLine, WrongAnswer } from './processor-line.ts';

/** Message kinds that this release answers with an approval. */
export interface Abilities {
  readonly increments: boolean;
}

const chance = (share: number): boolean => Math.random() < share;
const upTo = (amount: number): number => randomInt(1, amount + 1);

const read = (text: string): NetworkAnswer => JSON.parse(text) as NetworkAnswer;

/**
 * One purchase from its authorization to its end, and what the books must then show. Any message may be sent a
 * second time after its answer: the same bytes must come back.
 */
export async function tellStory(
  line: ProcessorLine,
  processorCardId: string,
  can: Abilities,
): Promise<PurchaseModel> {
  const amount = upTo(20_00);
  const card = { processorCardId, cardId: 0, balanceId: '', customerId: 0 };
  const purchase = aPurchase(card, amount);
  const model = purchased(read(await twice(line, 'authorizations', purchase)), amount);
  if (!model.approved) return model;
  if (can.increments && chance(0.3)) await increment(line, purchase, model);
  if (chance(0.3)) await reverse(line, purchase, model, upTo(model.held));
  if (model.held > 0 && chance(0.2)) await clear(line, purchase, model, upTo(model.held), false);
  if (model.held > 0 && chance(0.7)) await clear(line, purchase, model, upTo(model.held), true);
  if (model.held > 0 && chance(0.5)) await reverse(line, purchase, model, null);
  return model;
}

async function increment(
  line: ProcessorLine,
  purchase: AuthorizationMessage,
  model: PurchaseModel,
): Promise<void> {
  const amount = upTo(5_00);
  const message = anIncrement(purchase, amount);
  if (read(await twice(line, 'authorizations', message)).result === 'APPROVED') increased(model, amount);
}

/** An increment of `purchase` by `amount`. */
export const anIncrement = (purchase: AuthorizationMessage, amount: number): AuthorizationMessage => ({
  ...aPurchase(
    { processorCardId: purchase.processorCardId, cardId: 0, balanceId: '', customerId: 0 },
    amount,
  ),
  kind: 'INCREMENTAL',
  networkReferenceId: purchase.networkReferenceId,
  originalStan: purchase.stan,
  originalDate: purchase.date,
  referenceExternalTransactionId: purchase.externalTransactionId,
});

/** `amount` null = everything that is left. */
async function reverse(
  line: ProcessorLine,
  purchase: AuthorizationMessage,
  model: PurchaseModel,
  amount: number | null,
): Promise<void> {
  const message = aReversal(purchase, amount === null ? {} : { amount, currency: 'EUR' });
  const { result } = read(await twice(line, 'reversals', message));
  if (result !== 'ACKNOWLEDGED') throw new WrongAnswer(`a reversal was answered ${result}`);
  reversedBy(model, amount ?? model.held);
}

async function clear(
  line: ProcessorLine,
  purchase: AuthorizationMessage,
  model: PurchaseModel,
  amount: number,
  final: boolean,
): Promise<void> {
  const record = aRecord(purchase, amount, { final, clearingSequence: final ? 2 : 1 });
  // A record that was posted before the kill is told to be a duplicate, one after the repeat is so in any case.
  resultOf(await line.send('clearings', record), ['POSTED', 'DUPLICATE']);
  clearedBy(model, amount, final);
  if (chance(0.3)) resultOf(await line.send('clearings', record), ['DUPLICATE']);
}

function resultOf(text: string, allowed: readonly string[]): void {
  const { results } = JSON.parse(text) as { results: { result: string }[] };
  const [first] = results;
  if (first === undefined || !allowed.includes(first.result)) {
    throw new WrongAnswer(`a record was answered ${text.slice(0, 200)}`);
  }
}

async function twice(line: ProcessorLine, path: string, body: object): Promise<string> {
  const first = await line.send(path, body);
  if (!chance(0.3)) return first;
  const second = await line.send(path, body);
  if (second !== first) throw new WrongAnswer(`a repeat was answered with other bytes: ${first} / ${second}`);
  return first;
}
