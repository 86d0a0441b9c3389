import { awaitBalance } from './await-balance.ts';
import { checkNotifications } from './check-notifications.ts';
import { clearPurchase } from './clear-purchase.ts';
import { clearTooMuch } from './clear-too-much.ts';
import { earnInterchange } from './earn-interchange.ts';
import { issueCard } from './issue-card.ts';
import { payTooMuch } from './pay-too-much.ts';
import { payWithCard } from './pay-with-card.ts';
import { registerUser } from './register-user.ts';
import { reverseInPart } from './reverse-in-part.ts';
import type { RunStep, Seen } from './step.ts';
import { topUp } from './top-up.ts';
import { verifyUser } from './verify-user.ts';
import type { World } from './world.ts';

/** What the platform answered in the course of the story; all of it can be read again later. */
export interface StoryFacts {
  readonly userId: number;
  readonly verificationId: string;
  readonly balanceId: string;
  readonly cardId: number;
  readonly maskedPan: string;
  readonly topUpId: string;
  readonly purchaseId: string;
  readonly refusedId: string;
}

/**
 * Steps 1 to 9 of operations 2, with what else may become of a purchase, and the proof of step 20. Throws a
 * `Difference` at the first step that differs.
 */
export async function mainStory(
  world: World,
  run: RunStep,
  proof: () => Promise<Seen<object>>,
): Promise<StoryFacts> {
  const { userId } = await run(1, () => registerUser(world));
  const { verificationId } = await run(2, () => verifyUser(world, userId));
  const { balanceId } = await run(3, () => awaitBalance(world, userId));
  const { cardId, maskedPan } = await run(4, () => issueCard(world, userId, balanceId));
  const { topUpId } = await run(5, () => topUp(world, userId, balanceId));
  const purchase = await run(6, () => payWithCard(world, userId, balanceId, cardId));
  const { refusedId } = await run(7, () => payTooMuch(world, userId, balanceId, cardId));
  const { refusal } = await run(8, () => clearPurchase(world, userId, balanceId, purchase));
  const { traceId } = await run('8a', () => reverseInPart(world, userId, balanceId, cardId));
  const earned = await run('8b', () => clearTooMuch(world, userId, balanceId, traceId));
  await run('8c', () => earnInterchange(world, earned));
  const purchaseId = purchase.transactionId;
  await run(9, () => checkNotifications(world, { verificationId, topUpId, purchaseId, refusedId, refusal }));
  await run(20, proof);
  return { userId, verificationId, balanceId, cardId, maskedPan, topUpId, purchaseId, refusedId };
}
