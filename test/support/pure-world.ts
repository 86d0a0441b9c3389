import { authorizationItem, presentmentItem, reversalItem } from '../../activities/authorization/commands.ts';
import { count, type Counted } from '../../activities/authorization/consumption.ts';
import { decide } from '../../domain/authorization.ts';
import type { Effects } from '../../domain/decision.ts';
import {
  type AccountValue,
  entryOf,
  fundingKindOf,
  holdsAfter,
  type Transfer,
  valueAfterAll,
} from '../../domain/ledger.ts';
import { NO_LIMITS } from '../../domain/limit.ts';
import { decideClearing } from '../../domain/presentment.ts';
import { decideRelease } from '../../domain/release.ts';
import { decideReversal } from '../../domain/reversal.ts';
import type { Lifecycle } from '../../domain/transaction.ts';
import { aView, lifecycleOf, NOON_MS } from './card-messages.ts';
import { aCall } from './card-traffic.ts';
import { type Action, scenarioMessages } from './scenario-messages.ts';
import type { ScenarioHead, ScenarioWorld } from './scenario-table.ts';

const DAY_MS = 86_400_000;
const CARD = { cardId: 1, processorCardId: 'pc_1', balanceId: 'b', customerId: 1 };

/** A world moved by the pure functions alone: one card, its balance, one deposit. */
export function openPureWorld(head: ScenarioHead): ScenarioWorld {
  const funding = head.kind === 'A' ? 'credit' : 'deposit';
  const kind = fundingKindOf(funding);
  const lifecycles = new Map<string, Lifecycle>();
  const tombstones: {
    id: string;
    stan: string | null;
    amount: number | null;
    remainingAmount: number | null;
  }[] = [];
  const next = scenarioMessages(CARD);
  let user: AccountValue = { posted: head.posted, held: 0 };
  let deposit: AccountValue = { posted: head.deposit, held: 0 };
  let made = 0;
  const counted: Counted = {
    document:
      head.daily === null
        ? null
        : { ...NO_LIMITS, limits: [{ timeUnit: 'daily', type: 'general', amountMinor: head.daily }] },
    version: 1,
    zone: 'UTC',
    sinceMs: 0,
    budgetSinceMs: 0,
    consumption: { consumed: Array.from({ length: 13 }, () => 0), on: null },
    changed: false,
  };

  const book = (transfers: readonly Transfer[]): void => {
    user = valueAfterAll(user, 'U', transfers);
    deposit = valueAfterAll(deposit, 'PD', transfers);
  };
  const balance = () =>
    ({ balanceId: 'b', currency: 'EUR', holder: 'platform', state: 'ACTIVE', ...user }) as const;
  const programme = {
    ...aView().programme,
    funding,
    allowPartialApproval: head.partial,
  } as const;
  const later = () => ({
    programme,
    productVersion: 1,
    balance: balance(),
    candidates: [...lifecycles.values()],
  });

  function apply(effects: Effects): string[] {
    const words: string[] = effects.exceptions.map((one) => one.kind);
    const { transaction, events, tombstone } = effects;
    for (const id of effects.usedTombstoneIds) {
      tombstones.splice(
        tombstones.findIndex((one) => one.id === id),
        1,
      );
    }
    if (tombstone !== null) {
      const { originalStan: stan, amount, remainingAmount } = tombstone;
      tombstones.push({ id: `x${made}`, stan, amount, remainingAmount });
    }
    if (transaction === null) return words;
    const before = lifecycles.get(transaction.id);
    let holds = before?.holds ?? [];
    for (const event of events) {
      book(event.transfers);
      holds = holdsAfter(holds, event.seq, event.transfers);
    }
    const charged = before ?? { ...transaction.created, captureMode: null, cashback: 0 };
    count([counted], effects, before, charged as Lifecycle, NOON_MS);
    const { fold } = transaction;
    if (before !== undefined) lifecycles.set(transaction.id, { ...before, ...fold, holds });
    else if (transaction.created !== null && fold.state !== 'INVALID') {
      lifecycles.set(transaction.id, lifecycleOf(transaction.id, transaction.created, fold, holds));
    }
    return [...words, fold.state, ...fold.flags, `refundedAmount ${fold.refunded}`];
  }

  function act(action: Action): string[] {
    made += 1;
    const id = `t${made}`;
    switch (action.kind) {
      case 'authorize': {
        const item = authorizationItem(action.message, aCall(), 2_000);
        if (item.kind !== 'authorization') throw new Error('an authorization made another item');
        const view = aView({
          programme,
          balance: balance(),
          deposit: kind === 'A' ? null : { ...deposit, enforced: true },
          candidates: [...lifecycles.values()],
          tombstones: tombstones.filter((one) => one.stan === action.message.stan),
          limits: {
            ...aView().limits,
            card:
              counted.document === null
                ? null
                : {
                    document: counted.document,
                    counted: counted.consumption.consumed,
                    localNow: '',
                    version: 1,
                  },
          },
        });
        const ids = { transactionId: id, approvalCode: 'Q7T2ZK' };
        const { answer, effects } = decide(view, item.command, NOON_MS, ids);
        const { result, description, reason, approvedAmount, availableAmount } = answer;
        const amounts = [`approved ${approvedAmount}`, `available ${availableAmount}`];
        return [result, description, reason ?? '', ...amounts, ...apply(effects)];
      }
      case 'reverse': {
        const item = reversalItem(action.message, aCall(), 2_000);
        if (item.kind !== 'reversal') throw new Error('a reversal made another item');
        const { answer, effects } = decideReversal(later(), item.command, NOON_MS, id);
        return [answer.result, answer.description, ...apply(effects)];
      }
      case 'clear': {
        const item = presentmentItem(action.record, null, aCall(), 2_000);
        if (item.kind !== 'presentment') throw new Error('a record made another item');
        const { answer, effects } = decideClearing(later(), item.command, NOON_MS, id);
        return [answer.result, ...apply(effects)];
      }
      case 'expire':
        return [...lifecycles.values()].flatMap((lifecycle) => {
          const view = { programme, productVersion: 1, lifecycle };
          const command = { cause: 'expiry', amount: null, note: null } as const;
          return apply(decideRelease(view, command, NOON_MS + 40 * DAY_MS).effects);
        });
      case 'topUp':
        book(entryOf('userCredit', kind, action.amount));
        return ['APPROVED'];
      case 'collateralCredit':
        book(entryOf('collateralCredit', kind, action.amount));
        return ['APPROVED'];
    }
  }

  return {
    act,
    play: (event) => [...act(next(event)), `consumed ${counted.consumption.consumed[0]}`],
    values: () => ({
      posted: user.posted,
      held: user.held,
      deposit: kind === 'A' ? null : deposit.posted,
      company: 0,
    }),
  };
}
