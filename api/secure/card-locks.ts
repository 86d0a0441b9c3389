import { lockCardForPartner, unlockCardForPartner } from '../card-locks.ts';
import { partnerRoute } from '../partner-principal.ts';
import { lockBody } from '../schemas/card-lock.ts';
import { pathIntegerId, z } from '../schemas/shared.ts';

const shared = {
  role: { scopes: ['partner'] },
  owner: 'programme',
} as const;

const cardParams = z.strictObject({ customerId: pathIntegerId().optional(), cardId: pathIntegerId() });

const alsoWithoutUser = (path: string) => [{ path: path.replace('/customers/{customerId}', '') }];

const lock = partnerRoute({
  ...shared,
  operation: 'lockCard',
  method: 'POST',
  path: '/customers/{customerId}/cards/{cardId}/lock',
  aliases: alsoWithoutUser('/customers/{customerId}/cards/{cardId}/lock'),
  summary: 'Lock a card: it declines from the moment of the answer',
  jwe: 'open',
  idempotency: 'accepted',
  params: cardParams,
  body: lockBody,
  answers: { 204: { description: 'locked, or already so' } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_LOCKABLE'],
  handle: lockCardForPartner,
});

const unlock = partnerRoute({
  ...shared,
  operation: 'unlockCard',
  method: 'POST',
  path: '/customers/{customerId}/cards/{cardId}/unlock',
  aliases: alsoWithoutUser('/customers/{customerId}/cards/{cardId}/unlock'),
  summary: 'Lift the locks of a card that the partner may lift',
  jwe: 'open',
  idempotency: 'accepted',
  params: cardParams,
  answers: { 204: { description: 'lifted' } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_LOCKED', 'LOCK_IRREVERSIBLE', 'LOCK_NOT_LIFTABLE'],
  handle: unlockCardForPartner,
});

export const cardLocks = [lock, unlock];
