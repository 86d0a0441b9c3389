import { lockCardForPartner, unlockCardForPartner } from '../card-locks.ts';
import { partnerRoute } from '../partner-principal.ts';
import { lockBody } from '../schemas/card-lock.ts';
import { pathIntegerId, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const cardParams = z.strictObject({ userId: pathIntegerId().optional(), cardId: pathIntegerId() }).transform(
  // The card calls know the path user as customerId, whatever a channel calls it.
  ({ userId, cardId }) => ({ cardId, customerId: userId }),
);

const lock = partnerRoute({
  ...shared,
  operation: 'lifecycleLockCard',
  method: 'POST',
  path: '/cards/{cardId}/lock',
  aliases: [{ path: '/users/{userId}/cards/{cardId}/lock' }],
  summary: 'Lock a card',
  idempotency: 'accepted',
  params: cardParams,
  body: lockBody,
  answers: { 204: { description: 'locked, or already so' } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_LOCKABLE'],
  handle: lockCardForPartner,
});

const unlock = partnerRoute({
  ...shared,
  operation: 'lifecycleUnlockCard',
  method: 'POST',
  path: '/cards/{cardId}/unlock',
  aliases: [{ path: '/users/{userId}/cards/{cardId}/unlock' }],
  summary: 'Lift the locks of a card that the partner may lift',
  idempotency: 'accepted',
  params: cardParams,
  answers: { 204: { description: 'lifted' } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_LOCKED', 'LOCK_IRREVERSIBLE', 'LOCK_NOT_LIFTABLE'],
  handle: unlockCardForPartner,
});

export const cardLocks = [lock, unlock];
