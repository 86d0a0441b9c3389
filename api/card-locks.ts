import { lockCard, unlockCard } from '../db/card-locks.ts';
import { type CardCall, type CardParams, targetOf } from './cards.ts';
import type { Answer } from './route.ts';

/** Places the partner's lock and answers 204 (cards 4.5). */
export async function lockCardForPartner(
  call: CardCall<CardParams, { readonly code: number }>,
): Promise<Answer> {
  return await call.once(async (trx) => {
    await lockCard(trx, targetOf(call), call.body.code, 'partner');
    return { status: 204 };
  });
}

/** Lifts what the partner may lift and answers 204 (cards 4.6). */
export async function unlockCardForPartner(call: CardCall<CardParams>): Promise<Answer> {
  return await call.once(async (trx) => {
    await unlockCard(trx, targetOf(call), 'partner');
    return { status: 204 };
  });
}
