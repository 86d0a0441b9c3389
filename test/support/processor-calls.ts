import type { AuthorizationMessage } from '../../activities/authorization/messages.ts';
import type { NetworkAnswer } from '../../domain/decision.ts';
import { aCard, type MadeCard, topUp } from './builders.ts';
import { aPurchase } from './card-traffic.ts';
import type { ApiHarness, CallOptions, HttpAnswer } from './harness.ts';

/** A card with money, as the processor knows it. */
export interface PayingCard extends MadeCard {
  readonly processorCardId: string;
}

/** A virtual card made over the wire, with `amount` minor units on its balance. */
export async function aPayingCard(api: ApiHarness, amount: number): Promise<PayingCard> {
  const card = await aCard(api);
  const posted = await topUp(api, card, amount);
  if (posted.status !== 201) throw new Error(`no money: ${posted.status} ${posted.text}`);
  const { processor_card_id: processorCardId } = await api.owner
    .selectFrom('cards')
    .select('processor_card_id')
    .where('card_id', '=', card.cardId)
    .executeTakeFirstOrThrow();
  if (processorCardId === null) throw new Error('the processor does not know the card');
  return { ...card, processorCardId };
}

/** A message of the processor. */
export const send = (
  api: ApiHarness,
  path: 'authorizations' | 'authorizations/incremental' | 'advices' | 'reversals' | 'clearings' | 'refunds',
  body: unknown,
  options: CallOptions = {},
): Promise<HttpAnswer> => api.call('POST', `/processor/${path}`, { as: 'processor', body, ...options });

/** A purchase that was approved, with its answer. */
export async function anApproval(
  api: ApiHarness,
  card: PayingCard,
  amount: number,
): Promise<{ readonly purchase: AuthorizationMessage; readonly answer: NetworkAnswer }> {
  const purchase = aPurchase(card, amount);
  const answer = await send(api, 'authorizations', purchase);
  if (answer.body?.result !== 'APPROVED') throw new Error(`not approved: ${answer.status} ${answer.text}`);
  return { purchase, answer: answer.body };
}
