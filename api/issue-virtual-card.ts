import type { ProcessorClient } from '../activities/processor/client.ts';
import { nowOf, type Trx } from '../db/atomically.ts';
import {
  activateVirtualCard,
  type CardRow,
  failCard,
  findCard,
  readCard,
  requestCard,
  withdrawUnlessOwned,
} from '../db/cards.ts';
import { readCorporation } from '../db/corporations.ts';
import { readCustomer } from '../db/customers.ts';
import { completeKey, type KeyUse, noteSubject, releaseKey } from '../db/idempotency-keys.ts';
import { lastDayOfMonth } from '../domain/card.ts';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { storeCard } from '../vault/cards.ts';
import { decrypt } from '../vault/jwe.ts';
import type { Vault } from '../vault/vault.ts';
import { sealFullCard, sealFullCardAgain, sealHolderName, subjectKeyOf } from './cards.ts';
import { claim, isKept, replay, storedRefusal } from './middleware/idempotency.ts';
import { openPerson } from './personal-data.ts';
import { programmeIds, type Reach } from './reach.ts';
import type { Answer, Call } from './route.ts';

/** What the making of a card may be refused with (cards 2, 4.1). */
export const ISSUE_REFUSALS = [
  'CARD_PRODUCT_NOT_FOUND',
  'CARD_PRODUCT_MISMATCH',
  'USER_NOT_ACTIVE',
  'KYC_REQUIRED',
  'BALANCE_NOT_FOUND',
  'BALANCE_NOT_ACTIVE',
  'CURRENCY_MISMATCH',
  'TRANSACTIONAL_LOCK',
  'CARD_LIMIT_REACHED',
  'PROCESSOR_REFUSED',
  'PROCESSOR_UNAVAILABLE',
] as const satisfies readonly RefusalCode[];

const OUTSIDE_CALL_MS = 15_000;

export interface VirtualCardRequest {
  readonly programmeId: number;
  readonly partnerId: number;
  /** Null for a card that only a corporation has. */
  readonly customerId: number | null;
  readonly corporationId: string | null;
  readonly balanceId: string;
  readonly configId: string;
  readonly label: string | null;
  readonly holderName: string | null;
}

type IssueCall = Call<Reach, unknown, unknown, unknown>;

/** What the processor is asked for: everything but the card row is read anew after a restart. */
interface Intent {
  readonly cardId: number;
  readonly reference: string;
  readonly productId: string;
  readonly currency: string;
  readonly expiryMonths: number;
  readonly cardholder: { readonly name: string; readonly country: string };
}

/**
 * Creates a virtual card in the request (cards 4.1): the intent commits, the processor makes the card outside
 * of any transaction, the card and the answer commit together. A repeat after a crash or a silent processor
 * goes on with the same card, because the key remembers it. Throws the refusals of cards 2,
 * `PROCESSOR_REFUSED`, `PROCESSOR_UNAVAILABLE`.
 */
export async function issueVirtualCard(call: IssueCall, request: VirtualCardRequest): Promise<Answer> {
  const use = keyUse(call);
  const begun = await call.atomically((trx) => begin(trx, call, request, use));
  if (begun instanceof Refusal) throw begun;
  if ('status' in begun) return begun;
  const made = await call.services.processor.generateVirtualCard(
    { ...begun, externalCardId: String(begun.cardId) },
    { idempotencyKey: `virtual-card:${begun.cardId}`, deadlineMs: 5_000 },
  );
  switch (made.outcome) {
    case 'GENERATED': {
      const finished = await call.conclude((trx) => finish(trx, call, begun.cardId, made.card, use));
      if (finished instanceof Refusal) throw finished;
      return finished;
    }
    case 'REFUSED': {
      const refusal = new Refusal('PROCESSOR_REFUSED', 'The processor refused to make this card.');
      await call.conclude(async (trx) => {
        await failCard(trx, begun.cardId, 'PROCESSOR_REFUSED');
        if (use !== null) await completeKey(trx, use, storedRefusal(call.services.vault, use, refusal));
      });
      throw refusal;
    }
    case 'UNKNOWN':
      if (use !== null) await call.conclude((trx) => releaseKey(trx, use));
      throw new Refusal(
        'PROCESSOR_UNAVAILABLE',
        'The processor did not answer. Repeat with the same idempotency key to get the card.',
      );
  }
}

const keyUse = (call: IssueCall): KeyUse | null =>
  call.idempotency === null ? null : { ...call.idempotency, partnerId: call.principal.partnerId };

async function begin(
  trx: Trx,
  call: IssueCall,
  request: VirtualCardRequest,
  use: KeyUse | null,
): Promise<Intent | Answer | Refusal> {
  const claimed =
    use === null ? null : await claim(trx, use, new Date(nowOf(trx).getTime() + OUTSIDE_CALL_MS));
  if (claimed?.kind === 'replay' && use !== null) {
    return await replay(call.services.vault, use, claimed.answer, (cardId) => replayCard(trx, call, cardId));
  }
  if (claimed?.kind === 'interrupted' && claimed.subjectId !== null) {
    const cardId = Number(claimed.subjectId);
    return (await withdrawn(trx, call, cardId, use)) ?? (await intentOf(trx, call, cardId));
  }
  try {
    const { card } = await requestCard(trx, { ...request, kind: 'VIRTUAL' });
    await keepHolderName(trx, call, card, request);
    if (use !== null) await noteSubject(trx, use, String(card.card_id));
    return await intentOf(trx, call, card.card_id);
  } catch (error) {
    // Requirements are checked before anything is written, so the refusal itself can commit under the key.
    if (use === null || !(error instanceof Refusal) || !isKept(error)) throw error;
    await completeKey(trx, use, storedRefusal(call.services.vault, use, error));
    return error;
  }
}

async function keepHolderName(
  trx: Trx,
  call: IssueCall,
  card: Awaited<ReturnType<typeof readCard>>,
  request: VirtualCardRequest,
): Promise<void> {
  if (request.holderName === null) return;
  const key = await subjectKeyOf(trx, card);
  await trx
    .updateTable('cards')
    .set({ holder_name: sealHolderName(call.services.vault, key, card, request.holderName) })
    .where('card_id', '=', card.card_id)
    .execute();
}

async function intentOf(trx: Trx, call: IssueCall, cardId: number): Promise<Intent> {
  const card = await readCard(trx, cardId);
  const product = await trx
    .selectFrom('card_products')
    .innerJoin('programmes', 'programmes.programme_id', 'card_products.programme_id')
    .select(['processor_product_id', 'currency', 'expiry_months', 'country'])
    .where('product_id', '=', card.product_id)
    .executeTakeFirstOrThrow();
  const name = await nameOnCard(trx, call.services.vault, card);
  return {
    cardId,
    reference: card.reference,
    productId: product.processor_product_id,
    currency: product.currency,
    expiryMonths: product.expiry_months,
    cardholder: { name: name.slice(0, 26), country: product.country },
  };
}

/** The person who holds the card, or the corporation that has it alone. */
async function nameOnCard(
  trx: Trx,
  vault: Vault,
  card: Awaited<ReturnType<typeof readCard>>,
): Promise<string> {
  if (card.customer_id === null) {
    return (await readCorporation(trx, [card.programme_id], card.corporation_id ?? '')).name;
  }
  const customer = await readCustomer(trx, [card.programme_id], card.customer_id);
  const { firstName, lastName } = openPerson(vault, customer);
  return `${firstName} ${lastName}`;
}

type Generated = Extract<
  Awaited<ReturnType<ProcessorClient['generateVirtualCard']>>,
  { outcome: 'GENERATED' }
>['card'];

async function finish(
  trx: Trx,
  call: IssueCall,
  cardId: number,
  generated: Generated,
  use: KeyUse | null,
): Promise<Answer | Refusal> {
  const { vault } = call.services;
  const refusal = await withdrawn(trx, call, cardId, use);
  if (refusal !== null) return refusal;
  const opened = await decrypt(vault, generated.payload);
  if (typeof opened === 'string') throw new Error('the processor sent card data that cannot be opened');
  const pan = Buffer.from(String(opened.plaintext['pan']), 'ascii');
  const expiryDate = lastDayOfMonth(generated.expiry);
  const cvc2 = opened.plaintext['cvc2'];
  const stored = await storeCard(trx, vault, {
    partnerId: call.principal.partnerId,
    cardId,
    caller: call.caller,
    processorCardId: generated.processorCardId,
    pan,
    expiryDate,
    ...(typeof cvc2 === 'string' ? { cvc2 } : {}),
  });
  pan.fill(0);
  if (stored.outcome === 'CONFLICT')
    throw new Error('the processor gave a card number that another card has');
  if (stored.cvc2Agrees === false) {
    call.services.logger.error(
      { requestId: call.requestId, cardId },
      'the CVC2 of the processor differs from ours: compare the CVK',
    );
  }
  await activateVirtualCard(trx, {
    cardId,
    processorCardId: generated.processorCardId,
    lastFourDigits: stored.lastFourDigits,
    bin: stored.bin,
    expiryDate,
  });
  const sealed = await sealFullCard(trx, vault, await cardOf(trx, call, cardId), call.recipient);
  const answer: Answer = { status: 201, sealed, cardId };
  if (use !== null) {
    await completeKey(trx, use, { status: 201, body: null, location: null, cardId });
  }
  return answer;
}

/**
 * The refusal of a card whose owners may not have it any more: the request that asked for it is as old as its first
 * call, and they may have been locked, deleted or dismissed since.
 */
async function withdrawn(
  trx: Trx,
  call: IssueCall,
  cardId: number,
  use: KeyUse | null,
): Promise<Refusal | null> {
  const refusal = await withdrawUnlessOwned(trx, cardId);
  if (refusal === null || use === null) return refusal;
  if (isKept(refusal)) await completeKey(trx, use, storedRefusal(call.services.vault, use, refusal));
  else await releaseKey(trx, use);
  return refusal;
}

async function cardOf(trx: Trx, call: IssueCall, cardId: number): Promise<CardRow> {
  const card = await findCard(trx, cardId, { programmeIds: programmeIds(call.principal) });
  if (card === undefined || card.base_state === 'REMOVED') {
    throw new Refusal('CARD_NOT_FOUND', 'The card was removed since.');
  }
  return card;
}

const replayCard = async (trx: Trx, call: IssueCall, cardId: number): Promise<Answer> => ({
  status: 201,
  sealed: await sealFullCardAgain(trx, call.services.vault, await cardOf(trx, call, cardId), call.recipient),
});
