import { lockCard, unlockCard } from '../db/card-locks.ts';
import type { LockParty } from '../domain/card-lock.ts';
import { type CardCall, type CardParams, targetOf } from './cards.ts';
import type { Answer } from './route.ts';

type LockBody = { readonly code: number };

/** Places a lock of `party` and answers 204 (cards 4.5). */
export const lockCardFor = async (
  call: CardCall<CardParams, LockBody>,
  party: LockParty,
  target = targetOf(call),
): Promise<Answer> =>
  await call.once(async (trx) => {
    await lockCard(trx, target, call.body.code, party);
    return { status: 204 };
  });

/** Lifts what `party` may lift and answers 204 (cards 4.6). */
export const unlockCardFor = async (
  call: CardCall<CardParams>,
  party: LockParty,
  target = targetOf(call),
): Promise<Answer> =>
  await call.once(async (trx) => {
    await unlockCard(trx, target, party);
    return { status: 204 };
  });

/** Places the partner's lock. */
export const lockCardForPartner = (call: CardCall<CardParams, LockBody>): Promise<Answer> =>
  lockCardFor(call, 'partner');

/** Lifts the locks that the partner may lift. */
export const unlockCardForPartner = (call: CardCall<CardParams>): Promise<Answer> =>
  unlockCardFor(call, 'partner');
