import {
  balanceOf,
  type DecisionIds,
  eventOf,
  newTransaction,
  traceOf,
  triesAfter,
} from './authorization-record.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { type NetworkAnswer, NO_EFFECTS, type Outcome } from './decision.ts';
import { availableOf } from './ledger.ts';
import { answerOf } from './network-answer.ts';
import { advance, EMPTY_FOLD } from './transaction.ts';

/** Answers an inquiry that passed its checks; `statusOnly` asks about the card alone (authorization 11). */
export function answerInquiry(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const balance = balanceOf(view);
  const available = availableOf(balance);
  const fold = advance(EMPTY_FOLD, { kind: 'post', amount: 0, atMs: nowMs });
  return {
    answer: {
      ...answerOf('APPROVED', 'APPROVED', null),
      id: ids.transactionId,
      responseCode: command.statusOnly ? '85' : '00',
      approvedAmount: 0,
      currency: balance.currency,
      availableAmount: command.statusOnly ? null : Math.max(0, available),
    },
    effects: {
      ...NO_EFFECTS,
      transaction: {
        id: ids.transactionId,
        created: newTransaction(view, command, { balanceAfter: available }),
        fold,
      },
      events: [eventOf('BALANCE_INQUIRY', fold, [], traceOf(view, null))],
      tries: triesAfter(view, command),
    },
  };
}
