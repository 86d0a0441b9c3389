import { acceptCompany } from './accept-company.ts';
import { adjustByHand } from './adjust-by-hand.ts';
import { awaitBalance } from './await-balance.ts';
import { checkNotifications } from './check-notifications.ts';
import { clearPurchase } from './clear-purchase.ts';
import { clearTooMuch } from './clear-too-much.ts';
import { earnInterchange } from './earn-interchange.ts';
import { issueCard } from './issue-card.ts';
import type { Operators } from './operator-client.ts';
import { payAsCompany } from './pay-as-company.ts';
import { payTooMuch } from './pay-too-much.ts';
import { payWithCard } from './pay-with-card.ts';
import { registerUser } from './register-user.ts';
import { reverseInPart } from './reverse-in-part.ts';
import type { RunStep } from './step.ts';
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
 * Steps 1 to 9 of operations 2, with what else may become of a purchase. Throws a `Difference` at the first step that
 * differs.
 */
export async function mainStory(world: World, run: RunStep): Promise<StoryFacts> {
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
  return { userId, verificationId, balanceId, cardId, maskedPan, topUpId, purchaseId, refusedId };
}

/** What the platform answered about the company. */
export interface CompanyFacts {
  readonly applicationId: string;
  readonly corporationId: string;
  readonly companyBalanceId: string;
}

/** Steps 17 to 19 of operations 2: a company, its card, and money moved by two operators. */
export async function corporateStory(
  world: World,
  run: RunStep,
  operators: Operators,
): Promise<CompanyFacts> {
  const first = await operators.signIn('admin@demo.test');
  const { applicationId } = await run(17, () => acceptCompany(world, first));
  const paid = await run(18, () => payAsCompany(world, applicationId));
  await run(19, async () => {
    const second = await operators.signIn('second@demo.test');
    return await adjustByHand(world, paid.companyBalanceId, { first, second });
  });
  return { applicationId, ...paid };
}
